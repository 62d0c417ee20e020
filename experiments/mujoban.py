"""MuJoBan: Sokoban in physics, played from features by a ball that rolls, steers and kicks."""

from dataclasses import replace

from agents.mlp.config import MLPConfig
from environments.embedded.mujoban.registration import MujobanOptions
from environments.hints.options import HintOptions
from experiments.base import Evaluation, Experiment, Runner
from experiments.registry import register


@register
def mujoban_tiny() -> Experiment:
    """A multilayer perceptron in physical Sokoban: 5x5, one box, no hints."""
    return Experiment(
        name="mujoban_tiny",
        environment=MujobanOptions(
            levels="generated:size=5,boxes=1,count=600,seed=0",
            time_limit=30.0,
            # Planes tell the cell alone, and proprioception does not say where the ball is.
            observations=("proprioception", "planes", "position"),
        ),
        agent=MLPConfig(
            unroll_length=20,
            environments=16,
            minibatches=2,
            discount=0.99,
            # Solved levels are rare at first: a higher entropy cost drives the deviations to their
            # greatest before there is anything to learn from.
            entropy_cost=1e-4,
            learning_rate=1e-3,
            clip_norm=1.0,
        ),
        runner=Runner(kind="local", log_frames=5_000),
        evaluation=Evaluation(suites=("tiny_held_out",), episodes=60),
        max_frames=5_000_000,
    )


@register
def mujoban_tiny_hinted() -> Experiment:
    """The same with a solver's advice: where to roll next, and reward for coming nearer."""
    tiny = mujoban_tiny()
    hints = HintOptions(expert="solver", kind="target", shaping=1.0)
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
