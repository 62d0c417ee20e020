"""Agents that imagine: I2A with models of every quality, and without any."""

from dataclasses import replace

from agents.i2a.config import I2AConfig
from agents.models.config import ModelConfig
from environments.games.minipacman.registration import MiniPacmanOptions
from experiments.base import Evaluation, Experiment, Runner
from experiments.models import BOXOBAN, POOR_MODEL, SMALL_MODEL, SMALL_TWO_BOXES
from experiments.registry import register

# As `minipacman_model` has it.
_MINIPACMAN_MODEL = ModelConfig(game="minipacman", channels=16, blocks=1)

# Widths and depth for two cores; the rates, chosen on the control, are for so short a run.
_TWO_BOXES = I2AConfig(
    model=SMALL_MODEL,
    # The paper's is 5: a step's cost is by the length.
    rollout_length=3,
    channels=(24, 24),
    hidden=128,
    rollout_channels=8,
    encoder_units=64,
    rollout_policy_hidden=32,
    unroll_length=15,
    environments=64,
    minibatches=4,
    learning_rate=4e-3,
    adam_epsilon=1e-6,
    clip_norm=1.0,
)


def _two_boxes(name: str, agent: I2AConfig, model: str = "") -> Experiment:
    return Experiment(
        name=name,
        environment=SMALL_TWO_BOXES,
        agent=agent,
        evaluation=Evaluation(suites=("small_2box_held_out",), episodes=1000),
        max_frames=500_000,
        prerequisites={"model": model} if model else {},
    )


@register
def sokoban_2box_i2a() -> Experiment:
    """I2A with a learned model on 6x6 levels with two boxes: minutes on two cores."""
    return _two_boxes("sokoban_2box_i2a", _TWO_BOXES, model="sokoban_2box_i2a_model")


@register
def sokoban_2box_i2a_perfect() -> Experiment:
    """The same with the rules for a model."""
    agent = replace(_TWO_BOXES, model=replace(SMALL_MODEL, kind="perfect"))
    return _two_boxes("sokoban_2box_i2a_perfect", agent)


@register
def sokoban_2box_i2a_poor() -> Experiment:
    """The same with a model that is too small, and errs."""
    agent = replace(_TWO_BOXES, model=POOR_MODEL)
    return _two_boxes("sokoban_2box_i2a_poor", agent, model="sokoban_2box_i2a_poor_model")


@register
def sokoban_2box_i2a_copy() -> Experiment:
    """Control: as many parameters and as much work, but what is imagined is what is there."""
    agent = replace(_TWO_BOXES, model=replace(SMALL_MODEL, kind="copy"))
    return _two_boxes("sokoban_2box_i2a_copy", agent)


@register
def sokoban_2box_i2a_model_free() -> Experiment:
    """Control: the same widths without imagination."""
    return _two_boxes("sokoban_2box_i2a_model_free", replace(_TWO_BOXES, rollout_length=0))


@register
def sokoban_i2a() -> Experiment:
    """I2A on Boxoban's unfiltered levels, at the paper's depth and widths: for an accelerator."""
    return Experiment(
        name="sokoban_i2a",
        environment=BOXOBAN,
        agent=I2AConfig(
            model=ModelConfig(channels=32, blocks=2),
            hidden=512,
            rollout_channels=32,
            encoder_units=512,
            environments=256,
        ),
        runner=Runner(log_frames=100_000, checkpoint_minutes=10.0),
        evaluation=Evaluation(suites=("unfiltered_valid",), episodes=1000, every_frames=10_000_000),
        max_frames=1_000_000_000,
        prerequisites={"model": "sokoban_boxoban_model"},
    )


def _minipacman(name: str, rollout_length: int, model: str = "") -> Experiment:
    return Experiment(
        name=name,
        environment=MiniPacmanOptions(observations=("pixels",), time_limit=(900, 1000)),
        agent=I2AConfig(
            model=_MINIPACMAN_MODEL,
            rollout_length=rollout_length,
            channels=(16, 16),
            environments=64,
            learning_rate=1e-3,
            adam_epsilon=1e-6,
            clip_norm=1.0,
        ),
        runner=Runner(log_frames=20_000),
        evaluation=Evaluation(suites=("",), episodes=200),
        max_frames=1_000_000,
        prerequisites={"model": model} if model else {},
    )


@register
def minipacman_i2a() -> Experiment:
    """I2A with a learned model in MiniPacman's regular mode."""
    return _minipacman("minipacman_i2a", rollout_length=3, model="minipacman_model")


@register
def minipacman_i2a_model_free() -> Experiment:
    """Control: the same widths without imagination."""
    return _minipacman("minipacman_i2a_model_free", rollout_length=0)
