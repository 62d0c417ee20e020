"""The imagination core: which rollouts there are, by which rules, and how they are drawn."""

from functools import partial

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.i2a.imagination import gumbel_noise, imagine
from agents.models.base import EnvironmentModel, Imagined
from agents.models.config import ModelConfig
from agents.models.make import make_model
from environments.games.sokoban import rules
from tests.agents.toy import board_spec, quick_jit, random_observation
from tests.environments.games.sokoban.boards import real_levels

SPEC = board_spec("planes")
MODEL = make_model(ModelConfig(kind="perfect"), SPEC)
STATES = [rules.initial_state(level) for level in real_levels()[:5]]
FRAMES = jnp.asarray(np.stack([rules.planes(state) for state in STATES]))


def rollouts(model, frame, length, favourite=None, compiled=True):
    """Imagined by a uniform rollout policy, or by one that does nothing but its favourite."""

    def policy(frames):
        logits = jnp.zeros((frames.shape[0], 4))
        return logits if favourite is None else logits.at[:, favourite].set(1e6)

    transformed = hk.transform(partial(imagine, model, {}, policy, length=length))
    if compiled:
        return quick_jit(transformed.apply)({}, None, frame)
    with jax.disable_jit():
        return transformed.apply({}, None, frame)


@pytest.mark.parametrize("compiled", [True, False])
def test_one_rollout_for_each_action_and_the_rollout_policy_goes_on(compiled):
    """Frame by frame and reward by reward as the rules have it: i, then the favourite."""
    found = rollouts(MODEL, FRAMES, length=3, favourite=2, compiled=compiled)
    assert found.frame.shape == (3, 5 * 4, 10, 10, 4)
    assert found.frame.dtype == bool
    for index, state in enumerate(STATES):
        for action in range(4):
            before = state
            for t, move in enumerate((action, 2, 2)):
                after = rules.apply(before, move)
                row = 4 * index + action
                np.testing.assert_array_equal(found.frame[t, row], rules.planes(after))
                reward = rules.reward(before, after)
                assert found.reward[t, row] == pytest.approx(reward, rel=1e-6)
                before = after
    # The levels tell the actions apart.
    assert len({found.frame[0, row].tobytes() for row in range(4)}) > 2


def test_all_rollouts_go_in_one_set_of_calls():
    """However long: one call for all first steps, and one, in a loop, for all later ones."""
    batches = []

    def step(params, frame, action, keys):
        batches.append((frame.shape[0], action.shape))
        return MODEL.step(params, frame, action, keys)

    counting = EnvironmentModel(MODEL.key, 4, MODEL.init, step)
    rollouts(counting, FRAMES, length=5)
    assert set(batches) == {(20, (20,))}
    assert len(batches) <= 3


def test_later_actions_are_drawn_from_the_rollout_policy():
    """A model whose frames tell the action taken; many different frames to imagine from."""

    def step(params, frame, action, keys):
        del params
        told = jnp.broadcast_to(action[:, None, None, None], frame.shape)
        return Imagined(told.astype(jnp.uint8), jnp.zeros(frame.shape[0]))

    model = EnvironmentModel("pixels", 4, lambda key: {}, step)
    frame = random_observation(board_spec("pixels", size=3), 0, (1000,))["pixels"]
    probabilities = np.array([0.1, 0.2, 0.3, 0.4])

    def policy(frames):
        return jnp.broadcast_to(jnp.log(probabilities), (frames.shape[0], 4))

    transformed = hk.transform(partial(imagine, model, {}, policy, length=3))
    taken = quick_jit(transformed.apply)({}, None, frame).frame[:, :, 0, 0, 0]  # [3, 4000]
    np.testing.assert_array_equal(taken[0], np.tile(np.arange(4), 1000))
    for t in (1, 2):
        frequency = np.bincount(taken[t], minlength=4) / 4000
        np.testing.assert_allclose(frequency, probabilities, atol=0.03)
    # The rollouts of a frame, and the steps of a rollout, are drawn apart from each other.
    for x, y in ((taken[1], taken[2]), (taken[1, ::4], taken[1, 1::4])):
        assert np.mean(x == y) == pytest.approx(np.sum(probabilities**2), abs=0.05)


def test_what_is_drawn_is_a_function_of_the_frame_and_of_nothing_else():
    frame = jnp.concatenate([FRAMES, FRAMES[::-1]])
    draw = quick_jit(gumbel_noise, static_argnums=(1, 2))
    noise = draw(frame, 3, 4).reshape(3, 10, 4, 4)
    np.testing.assert_array_equal(noise[:, :5], noise[:, :4:-1])
    np.testing.assert_array_equal(noise[:, 2:4].reshape(3, 8, 4), draw(frame[2:4], 3, 4))
    # A single cell makes all the difference.
    other = draw(FRAMES.at[:, 5, 5, 3].set(~FRAMES[:, 5, 5, 3]), 3, 4)
    assert not np.any(other.reshape(3, 5, 4, 4) == noise[:, :5])


def test_no_gradient_goes_through_imagination():
    """Of a model that would let one through, to its parameters and to what it begins with."""

    def step(params, frame, action, keys):
        after = frame * params["w"] + action[:, None, None, None]
        return Imagined(after, jnp.sum(after, axis=(1, 2, 3)))

    model = EnvironmentModel("planes", 4, lambda key: {}, step)

    def total(params, frame):
        found = imagine(model, params, lambda x: x[:, 0, :2, 0] @ jnp.ones((2, 4)), frame, 3)
        return jnp.sum(found.frame) + jnp.sum(found.reward)

    transformed = hk.transform(total)
    gradient = quick_jit(jax.grad(lambda *x: transformed.apply({}, None, *x), argnums=(0, 1)))
    found = gradient({"w": jnp.float32(0.5)}, jnp.ones((2, 3, 3, 1)))
    assert all(np.all(x == 0) for x in jax.tree.leaves(found))
