"""The dm_env face and the batched face of MiniPacman agree, given the same random words."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from environments import load_batched
from environments.games.minipacman import batched_rules, draws, rules
from environments.games.minipacman.batched import BatchedMiniPacman, MiniPacmanState
from environments.games.minipacman.batched_rules import Position
from environments.games.minipacman.environment import MiniPacman
from environments.games.minipacman.modes import MODES
from environments.games.minipacman.observations import observe
from environments.games.minipacman.registration import OBSERVATION_KINDS, MiniPacmanOptions
from tests.agents.toy import quick_jit
from tests.environments.games.minipacman.states import anything, drawn

B, STEPS = 48, 70
LIMIT = 40
OPTIONS = MiniPacmanOptions(
    observations=OBSERVATION_KINDS, time_limit=(LIMIT - 20, LIMIT), start_level=(2, 7)
)


@cache
def stepped():
    """The batched environment of OPTIONS but with pixels alone, and its step, compiled."""
    environment = BatchedMiniPacman.from_options(replace(OPTIONS, observations=("pixels",)))
    return environment, quick_jit(type(environment).step)


def position_of(states: list[rules.State]) -> Position:
    """States in the batched form."""
    absent = rules.Ghost(rules.NOWHERE)
    ghosts = [(*s.ghosts, *[absent] * (draws.MAX_GHOSTS - len(s.ghosts))) for s in states]
    pills = [np.flatnonzero(s.pills).tolist() for s in states]

    def ints(values) -> jax.Array:
        return jnp.asarray(np.array(values, np.int32))

    return Position(
        food=jnp.asarray(np.concatenate([batched_rules.pack_bits(s.food[None]) for s in states])),
        pills=ints([cells + [rules.NOWHERE] * (2 - len(cells)) for cells in pills]),
        player=ints([s.player for s in states]),
        ghosts=ints([[ghost.cell for ghost in row] for row in ghosts]),
        directions=ints([[ghost.direction for ghost in row] for row in ghosts]),
        power=ints([s.power for s in states]),
        level=ints([s.level for s in states]),
        level_steps=ints([s.level_steps for s in states]),
    )


@jax.jit
def shown(position: Position) -> dict:
    return observe(OBSERVATION_KINDS, batched_rules.layers(position), jnp)


def assert_same(states: list[rules.State], position: Position) -> None:
    """Every maze shows the same, and what is hidden is the same."""
    observation, hidden = jax.device_get((shown(position), position))
    for index, state in enumerate(states):
        ours = observe(OBSERVATION_KINDS, rules.layers(state), np)
        for kind in OBSERVATION_KINDS:
            np.testing.assert_array_equal(ours[kind], observation[kind][index])
            assert ours[kind].dtype == observation[kind].dtype
        assert (state.power, state.level, state.level_steps, state.player) == (
            hidden.power[index], hidden.level[index], hidden.level_steps[index],
            hidden.player[index],
        )  # fmt: skip
        there = [g for g in state.ghosts if g.cell != rules.NOWHERE]
        present = hidden.ghosts[index] != rules.NOWHERE
        assert [g.cell for g in there] == hidden.ghosts[index][present].tolist()
        assert [g.direction for g in there] == hidden.directions[index][present].tolist()


@pytest.mark.parametrize("name", MODES)
def test_faces_agree_under_the_same_draws(name):
    mode, rng = MODES[name], np.random.default_rng(3)
    environment = BatchedMiniPacman(MiniPacmanOptions(mode=name))
    advance = quick_jit(type(environment).advance)
    states = [anything(rng, 1 + index % rules.MAX_LEVEL) for index in range(B)]
    position, seen = position_of(states), set()
    assert_same(states, position)
    actions, over = rng.integers(5, size=B), np.zeros(B, bool)
    for step in range(STEPS):
        actions = np.where(rng.random(B) < 0.3, rng.integers(5, size=B), actions)
        words = np.stack([drawn(rng) for _ in range(B)])
        # Where a player was caught, both begin anew, at a level of the step's.
        level = 1 + step % rules.MAX_LEVEL
        position, theirs = advance(
            environment, position, jnp.asarray(actions, jnp.int32), words, over.copy(),
            jnp.full(B, level, jnp.int32),
        )  # fmt: skip
        rewards, theirs = jax.device_get((batched_rules.reward(mode, theirs), theirs))
        for index in range(B):
            if over[index]:
                states[index] = rules.begin(level, words[index, -draws.NUM_PLACE_WORDS :])
                over[index] = False
                continue
            states[index], events = rules.apply(mode, states[index], actions[index], words[index])
            assert events == rules.Events(
                **{kind: getattr(theirs, kind)[index] for kind in vars(theirs)}
            )
            assert rewards[index] == pytest.approx(rules.reward(mode, events), abs=1e-5)
            over[index] = events.caught
            seen |= {kind for kind in vars(events) if getattr(events, kind)}
        if step % 5 == 0:
            assert_same(states, position)
    assert seen == {"food", "pills", "ghosts", "caught", "next_level"}


def test_the_batched_face_keeps_to_the_conventions():
    environment, step = stepped()
    state, shown = quick_jit(type(environment).reset, static_argnums=2)(
        environment, jax.random.key(0), 64
    )
    assert shown.is_first.all()
    before, rng, levels, limits = jax.device_get(shown), np.random.default_rng(0), set(), set()
    outcomes = set()
    for _ in range(3 * LIMIT):
        state, shown = step(environment, state, rng.integers(5, size=64).astype(np.int32))
        shown, now = jax.device_get(shown), jax.device_get(without_keys(state))
        np.testing.assert_array_equal(shown.is_first, before.is_last)
        assert (shown.reward[shown.is_first] == 0).all()
        assert (shown.discount[shown.is_first] == 1).all()
        assert not (shown.is_first & shown.is_last).any()
        assert (now.time[shown.is_first] == 0).all()
        caught = shown.is_last & (shown.info["outcome"] == 1)
        np.testing.assert_array_equal(shown.discount, np.where(caught, 0, 1))
        late = now.time == now.time_limit
        np.testing.assert_array_equal(shown.is_last, caught | late)
        assert (now.time <= now.time_limit).all()
        levels |= set(now.position.level[shown.is_first].tolist())
        limits |= set(now.time_limit.tolist())
        outcomes |= set(shown.info["outcome"][shown.is_last].tolist())
        before = shown
    assert levels == {2, 3, 4, 5, 6, 7}
    assert limits == set(range(LIMIT - 20, LIMIT + 1))
    assert outcomes == {0, 1}


def without_keys(state: MiniPacmanState) -> MiniPacmanState:
    """The state without its keys, which NumPy has no type for."""
    return replace(state, key=state.time)


def test_chosen_levels_have_the_longest_limit_and_other_places():
    environment, _ = stepped()
    assert environment.num_levels == 6
    levels = jnp.asarray([0, 5, 2, 2, 2])
    state, first = quick_jit(type(environment).start)(environment, jax.random.key(1), levels)
    assert state.position.level.tolist() == [2, 7, 4, 4, 4]
    assert (state.time_limit == LIMIT).all()
    assert len({pixels.tobytes() for pixels in np.asarray(first.observation["pixels"])}) == 5


def test_draws_of_boards_and_steps_differ():
    environment, step = stepped()
    reset = quick_jit(type(environment).reset, static_argnums=2)
    state, _ = reset(environment, jax.random.key(0), 64)
    keys = [np.asarray(jax.random.key_data(state.key))]
    for _ in range(5):
        state, _ = step(environment, state, jnp.zeros(64, jnp.int32))
        keys.append(np.asarray(jax.random.key_data(state.key)))
    assert len({key.tobytes() for key in np.concatenate(keys)}) == 6 * 64


def test_the_specs_agree():
    single, batched = MiniPacman(OPTIONS), load_batched("minipacman", **vars(OPTIONS))
    assert single.spec == batched.spec
    assert single.observation_spec() == batched.spec.observation
    assert single.action_spec() == batched.spec.action
    assert single.num_levels == batched.num_levels
