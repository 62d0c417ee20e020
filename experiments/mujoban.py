"""MuJoBan: Sokoban in physics, played from features by a ball that rolls, steers and kicks."""

from dataclasses import replace

from agents.mpo.config import MPOConfig
from environments.embedded.mujoban.registration import MujobanOptions
from environments.hints.options import HintOptions
from experiments.base import Evaluation, Experiment, Runner
from experiments.registry import register


@register
def mujoban_tiny() -> Experiment:
    """Physical Sokoban without hints: 5x5, one box, learnt by MPO from features."""
    return Experiment(
        name="mujoban_tiny",
        environment=MujobanOptions(
            # There are hardly more that are not held out.
            levels="generated:size=5,boxes=1,count=750,seed=0",
            time_limit=30.0,
            # Planes tell the cell alone, and proprioception does not say where the ball is.
            observations=("proprioception", "planes", "position"),
        ),
        agent=MPOConfig(),
        runner=Runner(kind="local", log_frames=10_000),
        evaluation=Evaluation(suites=("tiny_held_out",), episodes=60, every_frames=500_000),
        max_frames=2_500_000,
    )


@register
def mujoban_tiny_hinted() -> Experiment:
    """Physical Sokoban, 5x5, one box, with a solver's advice: where to roll, and reward for it."""
    tiny = mujoban_tiny()
    hints = HintOptions(expert="solver", kind="target", shaping=1.0, until_lost=True)
    return replace(
        tiny, name="mujoban_tiny_hinted", environment=replace(tiny.environment, hints=hints)
    )


@register
def mujoban_hinted() -> Experiment:
    """Boxoban's levels in physics, with a solver's advice: for many machines."""
    found = mujoban_tiny_hinted()
    environment = replace(found.environment, levels="boxoban:unfiltered/train", time_limit=300.0)
    return replace(
        found,
        name="mujoban_hinted",
        environment=environment,
        runner=Runner(kind="local", log_frames=50_000),
        evaluation=Evaluation(suites=("unfiltered_valid",), episodes=20),
        max_frames=1_000_000_000,
    )
