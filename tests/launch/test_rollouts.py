"""Playing levels: each once, in order, whatever the batch; thinking before the first move."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.base import Agent, OnPolicy
from agents.drc.config import DRCConfig
from environments.games.sokoban.batched import BatchedSokoban
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.registration import SokobanOptions
from launch.rollouts import play
from tests.agents.toy import Chase, noise_state
from tests.environments.games.sokoban.boards import level

UP, RIGHT = 0, 3
LIMIT = 9


def corridor(pushes: int, width: int = 8):
    """A level that `pushes` moves to the right solve."""
    room = "@$" + " " * (pushes - 1) + "."
    return level("#" * (width + 2), f"#{room:{width}}#", "#" * (width + 2))


# Solved in so many pushes; the fourth cannot be solved by going right.
PUSHES = (3, 1, 5, None, 2, 6, 4)
STUCK = level("##########", "#@$#.    #", "##########")
SOKOBAN = BatchedSokoban.from_levels(
    LevelSet.from_levels([STUCK if n is None else corridor(n) for n in PUSHES], "corridors"),
    SokobanOptions(time_limit=(2, LIMIT)),
)


def walker(patience: int = 0) -> Agent:
    """Goes right, after it has seen an episode's observations `patience` times; up before."""

    def act(params, key, observation, is_first, core, *, greedy):
        assert greedy
        seen = core * ~is_first
        action = jnp.where(seen >= patience, RIGHT, UP).astype(jnp.int32)
        return action, {}, seen + 1

    unused: Any = None
    # A core that is not cleared would show: it begins with a number that is not 0.
    initial_core = lambda batch: jnp.full(batch, 77)  # noqa: E731
    return Agent(unused, unused, initial_core, act, unused, OnPolicy(1, 1, 1))


def assert_solved(played, extra: int):
    lengths = [LIMIT if n is None else min(n + extra, LIMIT) for n in PUSHES]
    solved = [n is not None and n + extra <= LIMIT for n in PUSHES]
    returns = [11 * s - 0.1 * n for s, n in zip(solved, lengths, strict=True)]
    assert played.length.tolist() == lengths
    assert played.outcome.tolist() == [0 if s else 1 for s in solved]
    np.testing.assert_allclose(played.episode_return, returns, rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 100])
def test_every_level_once_and_in_order_whatever_the_batch(batch):
    played = play(walker(), (), SOKOBAN, episodes=7, batch=batch)
    assert_solved(played, extra=0)


def test_the_first_levels_alone():
    played = play(walker(), (), SOKOBAN, episodes=3, batch=2)
    assert played.length.tolist() == [3, 1, 5]
    assert played.outcome.tolist() == [0, 0, 0]


@pytest.mark.parametrize("thinking", [0, 1, 2, 3])
def test_a_thinking_step_changes_the_core_and_takes_no_environment_step(thinking):
    played = play(walker(patience=2), (), SOKOBAN, episodes=7, thinking_steps=thinking, batch=4)
    assert_solved(played, extra=max(0, 2 - thinking))


def test_a_network_thinks_and_plays_the_same_in_every_batch():
    agent = DRCConfig(depth=1, repeats=1, channels=4, hidden=8).make(Chase.make().spec, frames=1)
    params = jax.tree.map(lambda x: 2 * x, noise_state(agent, 5).params)
    chase = Chase.make()
    results = {
        (thinking, batch): play(
            agent, params, chase, episodes=72, thinking_steps=thinking, batch=batch, seed=batch
        )
        for thinking, batch in ((0, 72), (2, 72), (2, 30))
    }
    for name in ("outcome", "length", "episode_return"):
        whole, parts = results[2, 72], results[2, 30]
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    assert 0 < results[0, 72].outcome.sum() < 72
    assert np.any(results[0, 72].length != results[2, 72].length)
