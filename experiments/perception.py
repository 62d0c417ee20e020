"""Board planes read from a camera's picture."""

from dataclasses import replace

from agents.perception.config import PerceptionConfig
from environments.embedded.boards.registration import MujogoOptions, MujoxoOptions
from environments.embedded.mujoban.registration import MujobanOptions
from environments.registry import EnvironmentOptions
from experiments.base import Evaluation, Experiment, Runner
from experiments.registry import register

_CAMERA = (84, 84)  # as in the public environments
# Short episodes: resets cost next to nothing, and show other boards.
_MUJOBAN = MujobanOptions(
    levels="generated:size=10,boxes=4,count=5000,seed=0",
    control_step=0.05,
    time_limit=1.0,
    scatter=True,
    observations=("planes",),
)


def _perception(
    name: str,
    environment: EnvironmentOptions,
    suite: str,
    overview: int = 0,
) -> Experiment:
    return Experiment(
        name=name,
        environment=environment,
        agent=PerceptionConfig(overview=overview),
        runner=Runner(kind="local", log_frames=2_000),
        evaluation=Evaluation(suites=(suite,), episodes=200),
        max_frames=100_000,
    )


@register
def mujoban_perception_top() -> Experiment:
    """Reads MuJoBan's planes, 10x10, from the camera above."""
    return _perception("mujoban_perception_top", replace(_MUJOBAN, top_camera=_CAMERA), "boxes_4")


@register
def mujoban_perception_egocentric() -> Experiment:
    """Reads MuJoBan's planes, 10x10, from what the walker sees: most of them it does not."""
    return _perception(
        "mujoban_perception_egocentric",
        replace(_MUJOBAN, egocentric_camera=_CAMERA),
        "boxes_4",
        overview=128,
    )


@register
def mujoxo_perception() -> Experiment:
    """Reads MuJoXO's planes from the camera in front of the board."""
    environment = MujoxoOptions(
        opponent="random",
        time_limit=1.0,
        random_plies=8,
        observations=("planes",),
        front_camera=_CAMERA,
    )
    return _perception("mujoxo_perception", environment, "random")


@register
def mujogo_perception() -> Experiment:
    """Reads MuJoGo's planes, 7x7, from the higher of the cameras in front of the board."""
    environment = MujogoOptions(
        opponent="random",
        time_limit=1.0,
        random_plies=60,
        observations=("planes",),
        front_camera_2=_CAMERA,
    )
    return _perception("mujogo_perception", environment, "random")
