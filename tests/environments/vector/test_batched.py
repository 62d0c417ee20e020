"""Worlds of a symbolic game: the batched face behind the same interface."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from environments import load_batched, load_vector
from environments.base import VectorEnvironment
from environments.errors import UserError
from environments.vector.batched import BatchedWorlds
from environments.vector.seeds import world_seed
from tests.environments.cases import CASES, EMBEDDED, LEVELS
from tests.environments.vector.worlds import assert_same

N = 6
OPTIONS = {"levels": str(LEVELS), "time_limit": (3, 6), "observations": ("planes", "pixels")}


def sokobans(seed: int = 0) -> BatchedWorlds:
    return load_vector("sokoban", N, seed=seed, **OPTIONS)  # pyright: ignore[reportReturnType]


def draws(steps: int) -> np.ndarray:
    return np.random.default_rng(0).integers(4, size=(steps, N))


def test_it_is_the_batched_face():
    """Against the same functions, called as the device runner does."""
    environment = load_batched("sokoban", **OPTIONS)
    reset, step = (
        jax.jit(type(environment).reset, static_argnums=2),
        jax.jit(type(environment).step),
    )
    # The first key is for worlds that have not begun, the second for the reset.
    key, _ = jax.random.split(jax.random.key(world_seed(5, 0) >> 31))
    _, key = jax.random.split(key)
    state, expected = reset(environment, key, N)
    with sokobans(5) as worlds:
        assert isinstance(worlds, VectorEnvironment)
        assert worlds.spec == environment.spec
        assert (worlds.num_environments, worlds.num_levels) == (N, environment.num_levels)
        assert_same(worlds.reset(), jax.device_get(expected))
        ends = 0
        for actions in draws(40):
            state, expected = step(environment, state, jnp.asarray(actions, jnp.int32))
            shown = worlds.step(actions)
            assert_same(shown, jax.device_get(expected))
            ends += int(shown.is_last.sum())
    assert ends > N


def test_what_has_not_begun_begins_at_its_first_action():
    with sokobans() as worlds, sokobans() as others:
        first = others.step(np.zeros(N, int))
        assert first.is_first.all()
        worlds.send([0, 1], [4, 2])
        ids, shown = worlds.recv(2)
        assert ids.tolist() == [4, 2]
        assert_same(shown, jax.tree.map(lambda rows: rows[[4, 2]], first))
        mixed = worlds.step(np.full(N, 3))
        assert mixed.is_first.tolist() == [True, True, False, True, False, True]


def test_sending_and_receiving_is_stepping():
    rng = np.random.default_rng(1)
    with sokobans() as worlds, sokobans() as others:
        for actions in draws(25):
            expected = others.step(actions)
            order = rng.permutation(N)
            for part in np.split(order, [1, 4]):
                worlds.send(actions[part], part)
            received = 0
            for count in (2, 3, 1):
                ids, shown = worlds.recv(count)
                assert ids.dtype == np.int32
                np.testing.assert_array_equal(ids, order[received : received + count])
                assert_same(shown, jax.tree.map(lambda rows, at=ids: rows[at], expected))
                received += count


def test_a_world_waits_while_others_play():
    with sokobans() as worlds, sokobans() as others:
        assert_same(worlds.reset(), others.reset())
        for _ in range(9):
            worlds.send([3, 3], [0, 5])
            worlds.recv(2)
        rest = np.array([1, 2, 3, 4])
        for actions in draws(9):
            worlds.send(actions[rest], rest)
            shown, expected = worlds.recv(4)[1], others.step(actions)
            assert_same(shown, jax.tree.map(lambda rows: rows[rest], expected))


def test_time_steps_belong_to_the_caller():
    seen = []
    with sokobans() as worlds, sokobans() as others:
        for actions in draws(10):
            shown = worlds.step(actions)
            assert_same(shown, others.step(actions))
            seen += jax.tree.leaves(shown)
            for array in jax.tree.leaves(shown):
                array[...] = 1
    for i, array in enumerate(seen):
        assert not any(np.may_share_memory(array, other) for other in seen[i + 1 :])


def test_a_snapshot_brings_everything_back():
    actions = draws(30)
    with sokobans(1) as worlds, sokobans(2) as others:
        worlds.send([0, 1], [0, 3])  # the rest has not begun
        worlds.recv(2)
        snapshot = worlds.snapshot()
        expected = [worlds.step(each) for each in actions], worlds.reset()
        for each, given in ((worlds, snapshot), (others, pickle.loads(pickle.dumps(snapshot)))):
            each.restore(given)
            for action, shown in zip(actions, expected[0], strict=True):
                assert_same(each.step(action), shown)
            assert_same(each.reset(), expected[1])


def test_the_seed_decides_everything():
    def play(seed: int):
        with sokobans(seed) as worlds:
            return [worlds.reset(), *(worlds.step(each) for each in draws(20)), worlds.reset()]

    first, again, other = play(3), play(3), play(2**62)
    for a, b in zip(first, again, strict=True):
        assert_same(a, b)
    assert any((a.reward != b.reward).any() for a, b in zip(first, other, strict=True))


def test_levels_can_be_chosen():
    with sokobans() as worlds:
        shown = worlds.start([0, 1, 2, 0, 1, 2])
        planes = shown.observation["planes"]
        np.testing.assert_array_equal(planes[:3], planes[3:])
        assert (planes[0] != planes[1]).any()
        with pytest.raises(IndexError, match="levels must be in 0 to"):
            worlds.start([0, 1, 2, 0, 1, worlds.num_levels])


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros(N + 1, int), "shape"),
        (np.zeros((N, 1), int), "shape"),
        (np.zeros(N), "actions must be integers, not float64"),
        (np.zeros(N, bool), "actions must be integers, not bool"),
        ([0, 1, 2, 4, 0, 9], "world 3: action must be in 0 to 3, not 4"),
        ([0, 1, 2, 3, -1, 0], "world 4: action must be in 0 to 3, not -1"),
    ],
)
def test_a_bad_action_changes_nothing(actions, message):
    with sokobans() as worlds, sokobans() as others:
        with pytest.raises(ValueError, match=message):
            worlds.step(actions)
        for each in draws(8):
            assert_same(worlds.step(each), others.step(each))


def test_misuse_is_refused():
    with pytest.raises(UserError, match="at least one world, not 0"):
        load_vector("sokoban", 0, **OPTIONS)
    with pytest.raises(UserError, match="did you mean 'levels'"):
        load_vector("sokoban", 2, level="x")
    worlds = sokobans()
    worlds.send([0], [1])
    with pytest.raises(RuntimeError, match="world 1: receive the answer"):
        worlds.step(np.zeros(N, int))
    with pytest.raises(RuntimeError, match="world 1: receive the answer"):
        worlds.snapshot()
    with pytest.raises(ValueError, match="count must be 1 to 1"):
        worlds.recv(2)
    with load_vector("sokoban", 2, **OPTIONS) as fewer, pytest.raises(ValueError, match="2 worlds"):
        worlds.restore(fewer.snapshot())
    worlds.close()
    worlds.close()
    with pytest.raises(RuntimeError, match="closed"):
        worlds.reset()


def test_every_symbolic_case_loads():
    for name, case in CASES.items():
        if name not in EMBEDDED:
            with load_vector(name, 2, **case.options) as worlds:
                assert worlds.reset().is_first.all()
