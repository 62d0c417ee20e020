"""Small agents of every registered kind, and the environment that they act in."""

from dataclasses import fields, replace

import environments
from agents.registry import configs
from environments.base import EnvironmentSpec
from tests.agents.perception.scenes import rendered

SMALL = {
    "unroll_length": 5, "environments": 2, "depth": 1, "repeats": 1, "channels": 4,
    "hidden": 8, "layers": 1, "stages": (4,), "minibatches": 1, "rollout_length": 1,
}  # fmt: skip


def sokoban(seed: int = 0):
    """Boards of 6x6 and one box; episodes of 8 to 12 steps at most."""
    return environments.load(
        "sokoban",
        levels="generated:size=6,boxes=1,count=20,seed=0",
        time_limit=(8, 12),
        seed=seed,
    )


def playground(name: str, seed: int = 0):
    """Where the agent `name` plays: on those boards, or, if it has to see, before a camera; with
    an arm, if it chooses numbers."""
    if name == "mpo":
        return environments.load("mujoxo", seed=seed, opponent="random", time_limit=0.5)
    if name != "perception":
        return sokoban(seed)
    return rendered(
        "mujoxo",
        seed=seed,
        opponent="random",
        random_plies=8,
        observations=("planes",),
        front_camera=(48, 48),
        time_limit=0.5,
    )


def spec(environment) -> EnvironmentSpec:
    return EnvironmentSpec(environment.observation_spec(), environment.action_spec(), ("solved",))


def agent(name: str, environment):
    config = configs()[name]()
    here = {field.name: field.type for field in fields(config)}
    small = {
        key: value
        for key, value in SMALL.items()
        if key in here and type(getattr(config, key)) is type(value)
    }
    return replace(config, **small).make(spec(environment), frames=1000)
