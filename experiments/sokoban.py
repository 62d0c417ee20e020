"""Symbolic Sokoban: small generated levels for a laptop, Boxoban for an accelerator."""

from dataclasses import replace

from agents.cnn.config import CNNConfig
from agents.drc.config import DRCConfig
from agents.resnet.config import ResNetConfig
from environments.games.sokoban.registration import SokobanOptions
from experiments.base import Evaluation, Experiment, Runner
from experiments.registry import register

_BOXOBAN = SokobanOptions(levels="boxoban:unfiltered/train", observations=("pixels",))
# Few levels: on a CPU a thousand take minutes. `moravec evaluate` plays whole suites.
_BOXOBAN_EVALUATION = Evaluation(
    suites=("unfiltered_valid",), episodes=200, every_frames=10_000_000
)


@register
def sokoban_small() -> Experiment:
    """A small DRC(1,1) on generated 6x6 levels with one box: minutes on two cores."""
    return Experiment(
        name="sokoban_small",
        environment=SokobanOptions(
            levels="generated:size=6,boxes=1,count=20000,seed=0", time_limit=(25, 30)
        ),
        agent=DRCConfig(
            depth=1,
            repeats=1,
            channels=16,
            encoder_kernel=3,
            unroll_length=15,
            environments=64,
            # For so short a run: a higher rate, and no clipping of ordinary gradients.
            learning_rate=4e-3,
            adam_epsilon=1e-6,
            clip_norm=1.0,
        ),
        runner=Runner(log_frames=10_000),
        evaluation=Evaluation(suites=("small_held_out",), episodes=1000),
        max_frames=1_800_000,
    )


@register
def sokoban_small_cnn() -> Experiment:
    """A small convolutional network, without memory, on the levels of sokoban_small."""
    return replace(
        sokoban_small(),
        name="sokoban_small_cnn",
        agent=CNNConfig(
            hidden=128,
            unroll_length=15,
            environments=64,
            learning_rate=2e-3,
            adam_epsilon=1e-6,
            clip_norm=1.0,
        ),
    )


@register
def sokoban_2box() -> Experiment:
    """A DRC(2,2) on generated 7x7 levels with two boxes: hours on two cores."""
    return Experiment(
        name="sokoban_2box",
        environment=SokobanOptions(
            levels="generated:size=7,boxes=2,count=50000,seed=0", time_limit=(55, 60)
        ),
        agent=DRCConfig(
            depth=2,
            repeats=2,
            channels=24,
            encoder_kernel=3,
            hidden=128,
            unroll_length=15,
            environments=64,
            learning_rate=1e-3,
            adam_epsilon=1e-6,
            clip_norm=1.0,
        ),
        evaluation=Evaluation(suites=("2box_held_out",), episodes=1000, every_frames=500_000),
        max_frames=10_000_000,
    )


def _boxoban(name: str, agent) -> Experiment:
    return Experiment(
        name=name,
        environment=_BOXOBAN,
        agent=agent,
        runner=Runner(log_frames=100_000, checkpoint_minutes=10.0),
        evaluation=_BOXOBAN_EVALUATION,
        max_frames=1_000_000_000,
    )


@register
def sokoban_boxoban() -> Experiment:
    """DRC(3,3) of the open re-implementation, on Boxoban's unfiltered levels; for accelerators."""
    return _boxoban("sokoban_boxoban", DRCConfig())


@register
def sokoban_boxoban_drc11() -> Experiment:
    """DRC(1,1) on Boxoban: the same network without depth and repeats."""
    return _boxoban("sokoban_boxoban_drc11", DRCConfig(depth=1, repeats=1))


@register
def sokoban_boxoban_resnet() -> Experiment:
    """The residual baseline on Boxoban, without recurrence."""
    return _boxoban("sokoban_boxoban_resnet", ResNetConfig())
