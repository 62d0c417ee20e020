"""Environment models to imagine with, and the policies whose play they learn from."""

from agents.cnn.config import CNNConfig
from agents.models.config import EnvironmentModelConfig, ModelConfig
from environments.games.minipacman.registration import MiniPacmanOptions
from environments.games.sokoban.registration import SokobanOptions
from experiments.base import Evaluation, Experiment, Runner
from experiments.registry import register

_SOKOBAN = SokobanOptions(levels="generated:size=7,boxes=2,count=50000,seed=0", time_limit=(55, 60))
# Planes, not pixels: in those the player hides a target, which no model could know of.
BOXOBAN = SokobanOptions(levels="boxoban:unfiltered/train")
_BOXOBAN_POLICY = CNNConfig(channels=64, environments=256)
_SOKOBAN_POLICY = CNNConfig(
    layers=2,
    channels=24,
    hidden=128,
    environments=64,
    learning_rate=1e-3,
    adam_epsilon=1e-6,
    clip_norm=1.0,
)


@register
def sokoban_model_policy() -> Experiment:
    """A partially trained policy on 7x7 levels with two boxes, for models to learn from."""
    return Experiment(
        name="sokoban_model_policy",
        environment=_SOKOBAN,
        agent=_SOKOBAN_POLICY,
        evaluation=Evaluation(suites=("2box_held_out",)),
        max_frames=500_000,
    )


def _sokoban_model(name: str, model: ModelConfig) -> Experiment:
    return Experiment(
        name=name,
        environment=_SOKOBAN,
        agent=EnvironmentModelConfig(model=model, policy=_SOKOBAN_POLICY),
        runner=Runner(log_frames=25_000),
        evaluation=Evaluation(suites=("2box_held_out",)),
        max_frames=1_000_000,
        prerequisites={"policy": "sokoban_model_policy"},
    )


@register
def sokoban_model() -> Experiment:
    """A model of Sokoban on 7x7 levels with two boxes, from a partially trained policy's play."""
    return _sokoban_model("sokoban_model", ModelConfig(channels=24, blocks=2))


@register
def sokoban_poor_model() -> Experiment:
    """The same with too small a network: it errs every few steps."""
    return _sokoban_model("sokoban_poor_model", ModelConfig(channels=4, blocks=0))


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
