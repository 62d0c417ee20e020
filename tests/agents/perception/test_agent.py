"""The agent that learns to read boards: how it moves, what it learns from, and that it learns."""

from dataclasses import replace
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

from agents.base import Unroll
from agents.perception.config import PerceptionConfig
from agents.perception.head import make_head
from environments.base import EnvironmentSpec
from environments.errors import UserError
from tests.agents.perception.scenes import CAMERA, boards
from tests.agents.toy import fast_jit, quick_jit

CONFIG = PerceptionConfig(channels=16, hidden=32, layers=1, learning_rate=5e-3, hold_steps=4)
UPDATES = 400


def spec_of(**shown: tuple[int, ...]) -> EnvironmentSpec:
    """An environment with planes and cameras of these shapes."""
    observation: dict[str, specs.Array] = {
        key: specs.Array(shape, bool if key == "planes" else np.uint8, name=key)
        for key, shape in shown.items()
    }
    action = specs.BoundedArray((2,), np.float32, [-1, -3], [1, 3], name="action")
    return EnvironmentSpec(observation, action, ("solved", "unsolved"))


SMALL = spec_of(planes=(3, 3, 3), eye=(24, 24, 3))


def unroll_of(observation, steps: int, is_last: np.ndarray | None = None) -> Unroll:
    """An unroll of `steps` steps that shows the same pictures at each of them."""
    shown = {key: jnp.stack([value] * (steps + 1)) for key, value in observation.items()}
    batch = len(observation["planes"])
    none = np.zeros((steps + 1, batch), bool) if is_last is None else is_last
    zeros = jnp.zeros((steps, batch))
    return Unroll(
        shown, none, none, jnp.zeros((steps, batch, 9)), zeros, zeros, {}, jnp.zeros((batch, 9))
    )


@cache
def learnt():
    """The agent after its updates on 256 scenes, and its states before and after."""
    spec, shown = boards(256, 0)
    agent = CONFIG.make(spec, frames=UPDATES * 64)
    before = quick_jit(agent.init)(jax.random.key(0))

    @fast_jit
    def learn(state, key):
        chosen = jax.random.choice(key, 256, (64,), replace=False)
        unroll = unroll_of({name: jnp.asarray(x)[chosen] for name, x in shown.items()}, 1)
        return agent.update(state, unroll, key)[0]

    state = before
    for key in jax.random.split(jax.random.key(1), UPDATES):
        state = learn(state, key)
    return agent, before, state


def test_it_learns_to_read_scenes_and_others_like_them():
    agent, before, after = learnt()
    assess = quick_jit(agent.assess)
    seen, unseen = (unroll_of(boards(*which)[1], 1) for which in ((256, 0), (64, 1)))
    for unroll in (seen, unseen):
        first = assess(before.params, unroll)
        assert first["cell_accuracy"] < 0.7  # most cells are empty
        assert first["balanced_accuracy"] < 0.5
    assert assess(after.params, seen)["cell_accuracy"] > 0.99
    last = assess(after.params, unseen)
    assert last["cell_accuracy"] > 0.93
    assert last["balanced_accuracy"] > 0.9
    assert int(after.updates) == UPDATES


def test_what_is_read_are_planes():
    agent, _, state = learnt()
    spec, shown = boards(64, 1)
    read = quick_jit(make_head(CONFIG, spec).read)(state.params, shown[CAMERA])
    assert read.shape == (64, 3, 3, 3)
    assert read.dtype == bool
    assessed = quick_jit(agent.assess)(state.params, unroll_of(shown, 1))
    exact = np.mean(np.all(np.asarray(read) == shown["planes"], axis=-1))
    assert exact == pytest.approx(float(assessed["cell_accuracy"]), abs=1e-6)


def test_an_update_counts_frames_and_its_rate_falls():
    spec, shown = boards(64, 1)
    agent = CONFIG.make(spec, frames=1000)
    state = quick_jit(agent.init)(jax.random.key(0))
    is_last = np.zeros((3, 64), bool)
    is_last[0, :10] = True  # whose next step is the one across a reset
    state = replace(state, frames=jnp.asarray(500, jnp.uint32))
    after, metrics = quick_jit(agent.update)(state, unroll_of(shown, 2, is_last), jax.random.key(0))
    assert int(after.frames) == 500 + 2 * 64 - 10
    assert metrics["learning_rate"] == pytest.approx(5e-3 * (1 - 0.99 * 0.5))
    params = jax.device_get((state.params, after.params))
    moved = jax.tree.map(lambda x, y: bool(np.any(x != y)), *params)
    assert all(jax.tree.leaves(moved))


def test_it_holds_random_actions_within_their_bounds():
    agent = CONFIG.make(SMALL, frames=1)
    batch = 500
    observation = {"eye": np.zeros((batch, 24, 24, 3), np.uint8)}
    act = quick_jit(partial(agent.act, (), greedy=False))
    core, taken = agent.initial_core(batch), []
    for step in range(20):
        first = np.arange(batch) < (batch if step == 0 else 100 if step == 10 else 0)
        action, _, core = act(jax.random.key(step), observation, first, core)
        taken.append(np.asarray(action))
    actions = np.stack(taken)
    assert np.all(np.abs(actions) <= [1, 3])
    np.testing.assert_allclose(actions.max((0, 1)), [1, 3], rtol=0.02)
    anew = np.any(actions[1:] != actions[:-1], axis=-1)
    assert anew[9, :100].all()  # a new episode begins with a new action
    assert anew[:9].mean() == pytest.approx(1 / 4, abs=0.03)


@pytest.mark.parametrize(
    ("camera", "shown", "message"),
    [
        ("", {"planes": (3, 3, 3)}, "the environment shows none: set environment.top_camera"),
        ("eye", {"planes": (3, 3, 3), "top": (24, 24, 3)}, "one of top: not eye"),
        (
            "",
            {"planes": (3, 3, 3), "eye": (24, 24, 3), "top": (24, 24, 3)},
            "one of eye, top: there are several",
        ),
        ("", {"planes": (10, 10, 4), "eye": (40, 36, 3)}, "40x36 pixels is too small.*40x40"),
        ("", {"eye": (24, 24, 3)}, "learns from planes, which the environment does not show"),
        ("", {"planes": (3, 3, 9), "eye": (24, 24, 3)}, "at most 8 planes, not 9"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(camera, shown, message):
    with pytest.raises(UserError, match=message) as caught:
        PerceptionConfig(camera=camera).make(spec_of(**shown), frames=1)
    assert "\n" not in str(caught.value)


def test_one_of_several_cameras_is_named():
    spec = spec_of(planes=(3, 3, 3), eye=(24, 24, 3), top=(24, 24, 3))
    assert make_head(PerceptionConfig(camera="top"), spec).camera == "top"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("patch", 0),
        ("channels", 0),
        ("layers", -1),
        ("glances", 0),
        ("hidden", 0),
        ("overview", -1),
        ("hold_steps", 0),
        ("learning_rate", 0.0),
        ("clip_norm", float("inf")),
        ("final_learning_rate", 1.5),
    ],
)
def test_a_wrong_value_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=rf"agent\.{field} must be .*, not {value:g}"):
        PerceptionConfig(**{field: value})
