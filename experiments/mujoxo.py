"""MuJoXO and MuJoGo: board games that a robot arm plays by pressing, with and without hints."""

from dataclasses import replace

from agents.mpo.config import MPOConfig
from environments.embedded.boards.registration import MujogoOptions, MujoxoOptions
from environments.hints.options import HintOptions
from experiments.base import Demonstrations, Evaluation, Experiment, Runner
from experiments.registry import register

# V-trace on as many frames, half a million, pressed nothing yet: presses are rare at first, and a
# replay shows each of them many times.
_AGENT = MPOConfig()
# Where to press, seen from the fingertips, and reward for coming nearer: a metre is far.
_TARGET = HintOptions(expert="optimal", kind="target", shaping=5.0)


def _mujoxo(name: str, environment: MujoxoOptions, frames: int, suite: str = "") -> Experiment:
    return Experiment(
        name=name,
        environment=environment,
        agent=_AGENT,
        runner=Runner(kind="local", log_frames=10_000),
        evaluation=Evaluation(suites=(suite,), episodes=100),
        max_frames=frames,
    )


@register
def mujoxo_press() -> Experiment:
    """Press the square that is pointed at within 5 s: a test of the pipeline, and no result."""
    hints = replace(_TARGET, expert="random", single=True)
    environment = MujoxoOptions(opponent="random", time_limit=5.0, hints=hints)
    return _mujoxo("mujoxo_press", environment, 2_000_000)


@register
def mujoxo_press_demonstrated() -> Experiment:
    """The same, shown by a script that presses the square a thousand times."""
    return replace(
        mujoxo_press(),
        name="mujoxo_press_demonstrated",
        demonstrations=Demonstrations(source="scripted", episodes=1000),
        max_frames=1_000_000,
    )


@register
def mujoxo_win1() -> Experiment:
    """Press the one square that wins, which an expert points at."""
    environment = MujoxoOptions(opponent="random", time_limit=5.0, task="win1", hints=_TARGET)
    return _mujoxo("mujoxo_win1", environment, 2_000_000)


@register
def mujoxo_win1_unhinted() -> Experiment:
    """Control: the same reward for coming nearer, but nobody says where to press."""
    found = mujoxo_win1()
    hints = replace(_TARGET, kind="none")
    return replace(
        found, name="mujoxo_win1_unhinted", environment=replace(found.environment, hints=hints)
    )


@register
def mujoxo_hinted() -> Experiment:
    """Whole games of tic-tac-toe against random play, on an optimal player's advice."""
    environment = MujoxoOptions(opponent="random", hints=_TARGET)
    return _mujoxo("mujoxo_hinted", environment, 2_500_000, suite="random")


@register
def mujoxo_unhinted() -> Experiment:
    """Control: the same without advice, in observation or reward."""
    return _mujoxo("mujoxo_unhinted", MujoxoOptions(opponent="random"), 2_500_000, suite="random")


@register
def mujogo_hinted() -> Experiment:
    """Go on 7x7 points against random play, on the advice of a tree search: for many machines."""
    hints = replace(_TARGET, expert="mcts(simulations=200)")
    return Experiment(
        name="mujogo_hinted",
        environment=MujogoOptions(opponent="random", hints=hints),
        agent=_AGENT,
        runner=Runner(kind="local", log_frames=50_000),
        evaluation=Evaluation(suites=("random",), episodes=20),
        max_frames=1_000_000_000,
    )
