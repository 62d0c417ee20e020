"""Environment models to imagine with, and the policies whose play they learn from."""

from dataclasses import replace

from agents.cnn.config import CNNConfig
from agents.models.config import EnvironmentModelConfig, ModelConfig
from environments.games.minipacman.registration import MiniPacmanOptions
from environments.games.sokoban.registration import SokobanOptions
from experiments.base import Evaluation, Experiment, Runner
from experiments.registry import register

_SOKOBAN = SokobanOptions(levels="generated:size=7,boxes=2,count=50000,seed=0", time_limit=(55, 60))
# The levels of `sokoban_2box_i2a`.
SMALL_TWO_BOXES = SokobanOptions(
    levels="generated:size=6,boxes=2,count=20000,seed=0", time_limit=(35, 40)
)
# Of `sokoban_model` and of `sokoban_2box_i2a_model`, and one that is too small, and errs.
SMALL_MODEL, POOR_MODEL = ModelConfig(channels=16, blocks=1), ModelConfig(channels=4, blocks=0)
# Planes, not pixels: in those the player hides a target, which no model could know of.
BOXOBAN = SokobanOptions(levels="boxoban:unfiltered/train")
_BOXOBAN_POLICY = CNNConfig(channels=64, environments=256)
_SOKOBAN_POLICY = CNNConfig(
    layers=2,
    channels=24,
    hidden=128,
    environments=64,
    # Small batches: so short a run learns by the number of its updates.
    minibatches=4,
    learning_rate=4e-3,
    adam_epsilon=1e-6,
    clip_norm=1.0,
)


def _policy(name: str, environment: SokobanOptions, suite: str, frames: int) -> Experiment:
    return Experiment(
        name=name,
        environment=environment,
        agent=_SOKOBAN_POLICY,
        evaluation=Evaluation(suites=(suite,)),
        max_frames=frames,
    )


def _model(name: str, model: ModelConfig, policy: Experiment, frames: int) -> Experiment:
    return replace(
        policy,
        name=name,
        agent=EnvironmentModelConfig(
            model=model, policy=_SOKOBAN_POLICY, minibatches=32, learning_rate=1e-2
        ),
        max_frames=frames,
        prerequisites={"policy": policy.name},
    )


@register
def sokoban_model_policy() -> Experiment:
    """A partially trained policy on 7x7 levels with two boxes, for models to learn from."""
    return _policy("sokoban_model_policy", _SOKOBAN, "2box_held_out", 2_000_000)


@register
def sokoban_model() -> Experiment:
    """A model of Sokoban on 7x7 levels with two boxes, from a partially trained policy's play."""
    return _model("sokoban_model", SMALL_MODEL, sokoban_model_policy(), 500_000)


@register
def sokoban_2box_i2a_policy() -> Experiment:
    """A hardly trained policy on 6x6 levels with two boxes, for models to learn from."""
    suite = "small_2box_held_out"
    return _policy("sokoban_2box_i2a_policy", SMALL_TWO_BOXES, suite, 250_000)


@register
def sokoban_2box_i2a_model() -> Experiment:
    """The model of `sokoban_2box_i2a`, from that policy's play."""
    return _model("sokoban_2box_i2a_model", SMALL_MODEL, sokoban_2box_i2a_policy(), 100_000)


@register
def sokoban_2box_i2a_poor_model() -> Experiment:
    """The same with too small a network: every other frame is wrong."""
    return _model("sokoban_2box_i2a_poor_model", POOR_MODEL, sokoban_2box_i2a_policy(), 100_000)


@register
def sokoban_boxoban_model_policy() -> Experiment:
    """A partially trained policy on Boxoban's levels: for an accelerator."""
    return Experiment(
        name="sokoban_boxoban_model_policy",
        environment=BOXOBAN,
        agent=_BOXOBAN_POLICY,
        runner=Runner(log_frames=100_000),
        evaluation=Evaluation(suites=("unfiltered_valid",)),
        max_frames=50_000_000,
    )


@register
def sokoban_boxoban_model() -> Experiment:
    """A model of Sokoban on Boxoban's levels, for `sokoban_i2a`: for an accelerator."""
    return Experiment(
        name="sokoban_boxoban_model",
        environment=BOXOBAN,
        agent=EnvironmentModelConfig(
            model=ModelConfig(channels=32, blocks=2), policy=_BOXOBAN_POLICY, environments=256
        ),
        runner=Runner(log_frames=100_000),
        evaluation=Evaluation(suites=("unfiltered_valid",)),
        max_frames=10_000_000,
        prerequisites={"policy": "sokoban_boxoban_model_policy"},
    )


_MINIPACMAN = MiniPacmanOptions(observations=("pixels",), time_limit=(900, 1000))
_MINIPACMAN_POLICY = CNNConfig(
    layers=2,
    channels=16,
    hidden=64,
    environments=64,
    learning_rate=1e-3,
    adam_epsilon=1e-6,
    clip_norm=1.0,
)


@register
def minipacman_model_policy() -> Experiment:
    """A partially trained policy in MiniPacman, for models to learn from."""
    return Experiment(
        name="minipacman_model_policy",
        environment=_MINIPACMAN,
        agent=_MINIPACMAN_POLICY,
        evaluation=Evaluation(suites=("",), episodes=50),
        max_frames=200_000,
    )


@register
def minipacman_model() -> Experiment:
    """A model of MiniPacman's frames, from a partially trained policy's play."""
    return Experiment(
        name="minipacman_model",
        environment=_MINIPACMAN,
        agent=EnvironmentModelConfig(
            model=ModelConfig(game="minipacman", channels=16, blocks=1),
            policy=_MINIPACMAN_POLICY,
            environments=32,
        ),
        runner=Runner(log_frames=10_000),
        evaluation=Evaluation(suites=("",), episodes=50),
        max_frames=300_000,
        prerequisites={"policy": "minipacman_model_policy"},
    )
