"""The model's loss and its metrics, against numbers worked out by hand; and rollouts."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.base import Unroll
from agents.models.assessment import assess, rollouts, transitions_of
from agents.models.base import EnvironmentModel, Imagined, Transitions
from agents.models.frames import Frames
from agents.models.losses import model_loss
from agents.models.networks import Prediction
from tests.agents.toy import quick_jit

# Frames of one row with two cells, whose kinds are their numbers: 0, 1 or 2; 2 is a ghost.
FRAMES = Frames(
    key="row",
    kinds=("floor", "wall", "ghost"),
    encode=lambda frame: jnp.asarray(frame[..., 0], jnp.int32),
    decode=lambda kinds: kinds[..., None].astype(jnp.uint8),
    rewards=(-1.0, 0.0, 5.0),
    chance=(2,),
)


def row(*cells: int) -> np.ndarray:
    return np.array(cells, np.uint8)[None, :, None]


def logits(*chances: tuple[float, ...]) -> np.ndarray:
    """The logits of cells with these chances."""
    return np.log(np.array(chances, np.float32))


# Three steps; the third lies across a reset.
PREDICTION = Prediction(
    cells=jnp.asarray(
        np.stack(
            [
                logits((0.5, 0.25, 0.25), (0.1, 0.8, 0.1)),
                logits((0.2, 0.2, 0.6), (0.25, 0.5, 0.25)),
                logits((0.9, 0.05, 0.05), (0.9, 0.05, 0.05)),
            ]
        )[:, None]
    ),
    reward=jnp.asarray(logits((0.25, 0.5, 0.25), (0.5, 0.25, 0.25), (0.1, 0.8, 0.1))),
)
TRANSITIONS = Transitions(
    frame=jnp.asarray(np.stack([row(1, 1), row(0, 2), row(0, 0)])),
    action=jnp.zeros(3, jnp.int32),
    next_frame=jnp.asarray(np.stack([row(0, 1), row(1, 0), row(1, 1)])),
    reward=jnp.asarray([0.0, 5.0, -1.0]),
    weight=jnp.asarray([1.0, 1.0, 0.0]),
)


LOSS = quick_jit(partial(model_loss, frames=FRAMES))


@pytest.mark.parametrize("compiled", [True, False])
def test_numbers_worked_out_by_hand(compiled):
    loss = partial(model_loss, frames=FRAMES)
    value, metrics = (LOSS if compiled else loss)(PREDICTION, TRANSITIONS)
    # The first step: 1/2 and 4/5; the second: 1/5 and 1/4. Of the reward: 1/2 and 1/4.
    frame = -(math.log(0.5) + math.log(0.8) + math.log(0.2) + math.log(0.25)) / 2
    reward = -(math.log(0.5) + math.log(0.25)) / 2
    assert metrics["frame_nll"] == pytest.approx(frame, rel=1e-6)
    assert metrics["reward_nll"] == pytest.approx(reward, rel=1e-6)
    assert value == pytest.approx(frame + reward, rel=1e-6)
    # Right in every cell: the first alone; the reward: the first alone.
    assert metrics["frame_accuracy_1"] == pytest.approx(0.5)
    assert metrics["reward_accuracy"] == pytest.approx(0.5)


def test_a_step_across_a_reset_counts_for_nothing():
    gradient = quick_jit(jax.grad(lambda p, t: model_loss(p, t, FRAMES)[0]))(
        PREDICTION, TRANSITIONS
    )
    assert np.all(gradient.cells[2] == 0)
    assert np.all(gradient.reward[2] == 0)
    assert np.all(gradient.cells[:2] != 0)


@pytest.mark.parametrize(
    ("chances", "before", "after", "right"),
    [
        # The likeliest of all is a ghost, of the rest the wall that is there.
        (((0.1, 0.3, 0.6), (0.9, 0.1, 0.0001)), (0, 0), (1, 0), True),
        (((0.3, 0.1, 0.6), (0.9, 0.1, 0.0001)), (0, 0), (1, 0), False),
        # A ghost came, or went, and what is under it cannot be known.
        (((0.3, 0.1, 0.6), (0.9, 0.1, 0.0001)), (0, 0), (2, 0), True),
        (((0.3, 0.1, 0.6), (0.9, 0.1, 0.0001)), (2, 0), (1, 0), True),
        # That the other cell is wrong remains wrong.
        (((0.3, 0.1, 0.6), (0.9, 0.1, 0.0001)), (2, 0), (1, 1), False),
    ],
)
def test_all_but_what_moves_by_chance(chances, before, after, right):
    prediction = Prediction(jnp.asarray(logits(*chances))[None, None], PREDICTION.reward[:1])
    frame, seen = (jnp.asarray(row(*cells))[None] for cells in (before, after))
    one = Transitions(frame, jnp.zeros(1, jnp.int32), seen, jnp.zeros(1), jnp.ones(1))
    metrics = LOSS(prediction, one)[1]
    assert metrics["frame_accuracy_1_but_chance"] == right


def counting(*, until: int) -> EnvironmentModel:
    """Knows that the first cell counts the actions, but no further than `until`."""

    def step(params, frame, action, keys) -> Imagined:
        more = frame.at[:, 0, 0, 0].add(action.astype(jnp.uint8))
        wrong = frame[:, 0, 0, 0] >= until
        kept = jnp.where(wrong[:, None, None, None], frame, more)
        return Imagined(kept, jnp.zeros(len(frame)))

    def loss(params, transitions):
        return jnp.zeros(()), {"weight": jnp.sum(transitions.weight)}

    return EnvironmentModel("row", 2, lambda key: {}, step, loss)


def counted(length: int, reset: int | None = None) -> Unroll:
    """One environment of which the first cell counts the steps; from `reset` on, anew."""
    count = np.arange(length + 1)
    if reset is not None:
        count = np.where(count > reset, count - reset - 1, count)
    is_last = np.arange(length + 1) == (-1 if reset is None else reset)
    frames = np.zeros((length + 1, 1, 1, 2, 1), np.uint8)
    frames[:, 0, 0, 0, 0] = count
    none = jnp.zeros((length, 1))
    return Unroll(
        observation={"row": jnp.asarray(frames)},
        is_first=jnp.asarray(np.roll(is_last, 1)[:, None]),
        is_last=jnp.asarray(is_last[:, None]),
        action=jnp.ones((length, 1), jnp.int32),
        reward=none,
        discount=none + 1,
        extras={},
        core=(),
    )


def test_rollouts_follow_the_actions_on_their_own_frames():
    """A model that goes wrong at 12 is right for as many steps as lie before."""
    unroll = counted(20)
    model = counting(until=12)
    exact, valid = jax.device_get(quick_jit(lambda u: rollouts(model, {}, u, depth=15))(unroll))
    assert exact.shape == valid.shape == (15, 2)  # begun at 0 and at 5
    assert valid.all()
    np.testing.assert_array_equal(exact[:, 0], np.arange(1, 16) <= 12)
    np.testing.assert_array_equal(exact[:, 1], np.arange(6, 21) <= 12)
    metrics = quick_jit(lambda u: assess(model, {}, u))(unroll)
    assert metrics["frame_accuracy_5"] == 1.0
    assert metrics["frame_accuracy_15"] == 0.0
    assert metrics["weight"] == 20


def test_rollouts_across_a_reset_do_not_count():
    unroll = counted(20, reset=8)
    model = counting(until=99)
    exact, valid = jax.device_get(quick_jit(lambda u: rollouts(model, {}, u, depth=15))(unroll))
    # Eight steps from 0 to the LAST, three from 5; the row at 8 is the reset.
    np.testing.assert_array_equal(valid[:, 0], np.arange(1, 16) <= 8)
    np.testing.assert_array_equal(valid[:, 1], np.arange(1, 16) <= 3)
    assert np.all(exact[valid])
    assert not np.any(exact[~valid])
    metrics = quick_jit(lambda u: assess(model, {}, u))(unroll)
    assert metrics["frame_accuracy_5"] == 1.0  # of the one that counts
    assert metrics["frame_accuracy_15"] == 0.0  # of none
    assert metrics["weight"] == 19


def test_transitions_are_the_steps_of_an_unroll():
    unroll = counted(4, reset=2)
    found = transitions_of(unroll, "row")
    np.testing.assert_array_equal(found.frame[:, 0, 0, 0], [0, 1, 2, 0])
    np.testing.assert_array_equal(found.next_frame[:, 0, 0, 0], [1, 2, 0, 1])
    np.testing.assert_array_equal(found.weight, [1, 1, 0, 1])
