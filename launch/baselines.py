"""Who may play one environment step by step: at random, a script, the solver, a trained policy."""

from typing import TYPE_CHECKING, Any

import dm_env
import jax
import numpy as np
from dm_env import specs

from environments.errors import UserError
from launch.episodes import Policy

if TYPE_CHECKING:
    from launch.policy import Policy as TrainedPolicy


def random_policy(action_spec: specs.Array, seed: int) -> Policy:
    """Draws every action uniformly from the specification, or from what the observation allows."""
    rng = np.random.default_rng(seed)
    if isinstance(action_spec, specs.DiscreteArray):
        every = np.ones(action_spec.num_values, bool)

        def draw(environment: dm_env.Environment, timestep: dm_env.TimeStep) -> int:
            return int(rng.choice(np.flatnonzero(timestep.observation.get("legal_actions", every))))

        return draw
    assert isinstance(action_spec, specs.BoundedArray)
    low, high = (np.broadcast_to(b, action_spec.shape) for b in
                 (action_spec.minimum, action_spec.maximum))  # fmt: skip
    return lambda environment, timestep: rng.uniform(low, high).astype(action_spec.dtype)


def scripted_policy(environment: dm_env.Environment) -> Policy:
    """The script that was written for this environment. Raises UserError if there is none."""
    from agents.scripted import make_scripted

    script = make_scripted(environment)
    return lambda environment, timestep: script(timestep)


def solver_policy(environment: dm_env.Environment) -> Policy:
    """Follows a plan of fewest moves. Raises UserError if the game is not symbolic Sokoban."""
    from environments.games.sokoban.environment import Sokoban

    if not isinstance(environment, Sokoban):
        raise UserError("the solver plays sokoban alone; scripted plays embedded games")
    return scripted_policy(environment)


def trained_policy(
    environment: Any,
    policy: "TrainedPolicy",
    thinking_steps: int = 0,
    *,
    seed: int | None = None,
) -> Policy:
    """Acts as `policy` does, in one environment: greedily, or with actions drawn by `seed`.

    It sees the first observation `thinking_steps` times before it acts on it. Raises UserError if
    the environment does not show what the policy goes by.
    """
    from launch.policy import check_fits

    check_fits(policy.spec, environment.spec)
    core: Any = None
    rng = np.random.default_rng(seed)

    def act(environment: dm_env.Environment, timestep: dm_env.TimeStep) -> Any:
        nonlocal core
        keys = policy.spec.observation
        observation = {key: np.asarray(timestep.observation[key])[None] for key in keys}
        is_first = np.array([timestep.first()])
        if timestep.first():
            core = policy.initial_core(1)
            for _ in range(thinking_steps):
                _, core = policy(observation, is_first, core)
                is_first = np.array([False])
        if seed is None:
            action, core = policy(observation, is_first, core)
        else:
            key = jax.random.key(rng.integers(2**32))
            action, core = policy(observation, is_first, core, key=key, greedy=False)
        return np.asarray(action)[0]

    return act
