"""Models of games of chance draw what moves as often as it moves, and expect rewards."""

from functools import partial
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from dm_env import specs
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.i2a.imagination import imagine
from agents.models.base import Transitions
from agents.models.chance import draw_kinds
from agents.models.config import ModelConfig
from agents.models.make import make_model
from agents.models.minipacman import pixel_frames
from agents.models.networks import model_network
from agents.models.sokoban import plane_frames
from environments.base import EnvironmentSpec
from tests.agents.toy import board_spec, quick_jit

FRAMES = pixel_frames()
EMPTY, WALL, FOOD, GHOST = (FRAMES.kinds.index(name) for name in ("empty", "wall", "food", "ghost"))
SHAPE = (3, 5)
CAUGHT, NOTHING = FRAMES.rewards[0], 0.0
CATCHES = 0.25  # how often, wherever the ghost is

# A ghost in a corridor of five cells, between rows of food that tell the frames apart. It stays,
# goes right and goes left with these probabilities; at an end it stays instead of leaving.
MOVES = {0: 0.5, 1: 0.3, -1: 0.2}


def boards(rng, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Kinds `[count, 3, 5]`, and the columns `[count]` of their ghosts."""
    kinds = rng.choice([EMPTY, FOOD], (count, *SHAPE))
    kinds[:, 1] = EMPTY
    columns = rng.integers(5, size=count)
    kinds[np.arange(count), 1, columns] = GHOST
    return kinds, columns


def played(rng, count: int) -> Transitions:
    """Steps of the game."""
    kinds, columns = boards(rng, count)
    after, moved = kinds.copy(), rng.choice(list(MOVES), count, p=list(MOVES.values()))
    after[:, 1] = EMPTY
    after[np.arange(count), 1, np.clip(columns + moved, 0, 4)] = GHOST
    caught = rng.random(count) < CATCHES
    return Transitions(
        frame=FRAMES.decode(kinds),
        action=rng.integers(5, size=count).astype(np.int32),
        next_frame=FRAMES.decode(after),
        reward=np.where(caught, CAUGHT, NOTHING).astype(np.float32),
        weight=np.ones(count, np.float32),
    )


@pytest.fixture(scope="module")
def learnt():
    """A model that has learnt the game, its parameters, and its step compiled."""
    observation = {"pixels": specs.Array((*SHAPE, 3), np.uint8, name="pixels")}
    spec = EnvironmentSpec(observation, specs.DiscreteArray(5, dtype=np.int32), ("over",))
    model = make_model(ModelConfig("minipacman", channels=8, blocks=1), spec)
    optimizer = optax.adam(optax.linear_schedule(1e-2, 1e-4, 600))
    rng = np.random.default_rng(0)
    params: Any = quick_jit(model.init)(jax.random.key(0))
    state = optimizer.init(params)

    @quick_jit
    def update(params, state, transitions):
        assert model.loss is not None
        gradient, _ = jax.grad(model.loss, has_aux=True)(params, transitions)
        steps, state = optimizer.update(gradient, state)
        return optax.apply_updates(params, steps), state

    for _ in range(600):
        params, state = update(params, state, played(rng, 128))
    return model, params, quick_jit(model.step)


def test_an_imagined_ghost_moves_as_often_as_the_real_one_and_stays_one(learnt):
    _, params, step = learnt
    kinds, column = boards(np.random.default_rng(1), 2000)
    frame, action, one = FRAMES.decode(kinds), np.zeros(2000, np.int32), np.ones(2000, bool)
    for t in range(4):
        keys = jax.random.split(jax.random.key(t), 2000)
        imagined = step(params, frame, action, keys)
        frame = imagined.frame
        ghosts = np.asarray(FRAMES.encode(frame)) == GHOST
        before, one = one, one & (ghosts.sum((1, 2)) == 1)
        assert one.sum() > 0.93 * before.sum()
        after = np.argmax(ghosts.any(1), axis=1)
        moved = (after - column)[one & (column > 0) & (column < 4)]
        frequency = [np.mean(moved == by) for by in MOVES]
        np.testing.assert_allclose(frequency, list(MOVES.values()), atol=0.06)
        np.testing.assert_allclose(imagined.reward[before].mean(), CATCHES * CAUGHT, rtol=0.1)
        column = after


def test_i2a_imagines_the_same_of_the_same_frame_and_other_draws_at_each_step(learnt):
    model, params, _ = learnt
    kinds, _ = boards(np.random.default_rng(2), 400)
    frame = FRAMES.decode(kinds)

    def policy(frames):
        return jnp.zeros((len(frames), 5))

    transformed = hk.transform(partial(imagine, model, params, policy, length=4))
    rollouts = quick_jit(transformed.apply)({}, None, frame)
    again = quick_jit(transformed.apply)({}, None, frame[100:120])
    np.testing.assert_array_equal(rollouts.frame[:, 500:600], again.frame)
    ghosts = np.asarray(FRAMES.encode(rollouts.frame.reshape(-1, *SHAPE, 3))) == GHOST
    places = np.argmax(ghosts.any(1), axis=1).reshape(4, 400, 5)
    # The ghost goes one way, whatever the first action; and it does not stay for good.
    assert np.mean(places[0] == places[0][:, :1]) > 0.97
    for t in (1, 2, 3):
        inside = (places[t - 1] > 0) & (places[t - 1] < 4)
        stays = (places[t] == places[t - 1])[inside]
        assert np.mean(stays) == pytest.approx(MOVES[0], abs=0.1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_cells_show_what_moves_as_often_as_their_probabilities_say(seed, ghosts):
    """And there are as many as these add up to; all else is the likeliest."""
    rng, chance = np.random.default_rng(seed), (2, 3)
    # Each ghost may be in any of nine cells, as one of two kinds.
    where = rng.dirichlet(np.ones(18), ghosts).sum(0).reshape(3, 3, 2)
    if where.sum(-1).max() > 0.95:
        where *= 0.95 / where.sum(-1).max()
    beneath = rng.integers(2, size=(3, 3))
    rest = 1 - where.sum(-1, keepdims=True)
    others = np.where(np.eye(2)[beneath], 0.7, 0.3) * rest
    logits = jnp.log(jnp.asarray(np.concatenate([others, where], axis=-1), jnp.float32))
    keys = jax.random.split(jax.random.key(seed), 4000)
    found = np.asarray(_draw(keys, jnp.broadcast_to(logits, (4000, *logits.shape)), chance))
    for index, kind in enumerate(chance):
        np.testing.assert_allclose(np.mean(found == kind, axis=0), where[..., index], atol=0.04)
    moving = np.isin(found, chance)
    count, total = moving.sum((1, 2)), where.sum()
    assert set(count) <= {int(total + 1e-4), int(np.ceil(total - 1e-4))}
    np.testing.assert_array_equal(found[~moving], np.broadcast_to(beneath, found.shape)[~moving])


_draw = quick_jit(draw_kinds, static_argnums=2)


def test_in_a_deterministic_game_the_likeliest_is_imagined():
    config, frames = ModelConfig(channels=4, blocks=1), plane_frames()
    model = make_model(config, board_spec("planes", size=5))
    network = model_network(config, frames, (5, 5, 4), 4)
    params = quick_jit(model.init)(jax.random.key(0))
    frame = frames.decode(np.random.default_rng(0).integers(0, 7, (32, 5, 5)))
    action = np.arange(32, dtype=np.int32) % 4
    keys = jax.random.split(jax.random.key(1), 32)
    imagined = quick_jit(model.step)(params, frame, action, keys)
    cells, reward = quick_jit(network.predict)(params, frame, action)
    np.testing.assert_array_equal(imagined.frame, frames.decode(np.argmax(cells, axis=-1)))
    rewards = np.array(frames.rewards, np.float32)
    np.testing.assert_array_equal(imagined.reward, rewards[np.argmax(reward, axis=-1)])
