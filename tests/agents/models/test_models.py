"""Environment models: the perfect one is the environment, the copy returns what it was given."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models import sokoban
from agents.models.config import ModelConfig
from agents.models.make import make_model
from agents.models.networks import _seen, model_network
from environments.errors import UserError
from environments.games.sokoban import rules
from environments.games.sokoban.batched import BatchedSokoban
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.observations import cells, pixels
from environments.games.sokoban.registration import SokobanOptions
from tests.agents.toy import board_spec, quick_jit
from tests.environments.games.sokoban.boards import level, random_levels, real_levels

SMALL: dict[str, Any] = {"channels": 4, "blocks": 1}
SPEC = board_spec("planes", size=5)


@cache
def made(kind: Any = "learned", **changes):
    """A model of 5x5 boards, its parameters, and its step compiled."""
    model = make_model(ModelConfig(kind=kind, **SMALL | changes), SPEC)
    return model, quick_jit(model.init)(jax.random.key(0)), quick_jit(model.step)


def boards(seed: int, batch: int = 8):
    """Planes of levels drawn at random, as 5x5 boards."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 5, (batch, 5, 5))
    kinds[:, [0, -1]] = kinds[:, :, [0, -1]] = 1
    kinds[:, 2, 2] = rng.integers(5, 7, batch)
    return jnp.asarray(sokoban.plane_frames().decode(kinds))


@pytest.mark.parametrize("noop", [False, True])
def test_the_perfect_model_is_the_environment(noop):
    """Frame by frame and reward by reward, until the end of every episode."""
    small = (
        level("##########", "#@$.     #", *["#        #"] * 7, "##########"),
        level("##########", "#  $ *   #", "#  . @$. #", *["#        #"] * 6, "##########"),
    )
    levels = LevelSet.from_levels(small * 16 + real_levels()[:64], "levels")
    options = SokobanOptions(time_limit=(40, 40), noop=noop)
    environment = BatchedSokoban.from_levels(levels, options)
    model = make_model(ModelConfig(kind="perfect"), environment.spec)
    real, imagined = quick_jit(type(environment).step), quick_jit(model.step)
    state, now = environment.start(jax.random.key(0), jnp.arange(len(levels)))
    assert model.num_actions == 4 + noop
    rng, running, rewards = np.random.default_rng(0), np.ones(len(levels), bool), set()
    keys = jax.random.split(jax.random.key(0), len(levels))
    for _ in range(40):
        action = rng.integers(0, 4 + noop, len(levels)).astype(np.int32)
        expected = jax.device_get(imagined({}, now.observation["planes"], action, keys))
        state, now = real(environment, state, action)
        seen = jax.device_get(now)
        np.testing.assert_array_equal(expected.frame[running], seen.observation["planes"][running])
        np.testing.assert_array_equal(expected.reward[running], seen.reward[running])
        rewards |= {round(float(reward), 1) for reward in seen.reward[running]}
        running &= ~seen.is_last
    assert not running.any()
    # Random play has come across everything that there is to imagine.
    assert {-1.1, -0.1, 0.9, 10.9} <= rewards <= set(sokoban.REWARDS)


@settings(max_examples=60)
@given(random_levels((5, 6)), st.integers(0, 4))
def test_the_perfect_model_follows_the_rules(one, action):
    before = rules.initial_state(one)
    after = rules.apply(before, action)
    found = _rules(rules.planes(before)[None], np.array([action], np.int32))
    if rules.solved(before):
        after = before
    reward = 0.0 if rules.solved(before) else rules.reward(before, after)
    np.testing.assert_array_equal(found.frame[0], rules.planes(after))
    assert found.reward[0] == pytest.approx(reward, rel=1e-6)


_rules = quick_jit(sokoban.step)


@settings(max_examples=30)
@given(random_levels((5, 6)))
def test_what_a_cell_shows_is_what_planes_hold(one):
    planes = rules.planes(rules.initial_state(one))[None]
    frames, seen = sokoban.plane_frames(), sokoban.pixel_frames()
    kinds = frames.encode(planes)
    np.testing.assert_array_equal(kinds, cells(planes))
    np.testing.assert_array_equal(frames.decode(kinds), planes)
    np.testing.assert_array_equal(seen.decode(seen.encode(pixels(planes))), pixels(planes))


def test_rewards_are_read_as_the_nearest_there_is():
    rewards = np.array([-0.1, 10.9, 0.9, -1.1, 9.9], np.float32)
    np.testing.assert_array_equal(sokoban.plane_frames().reward_index(rewards), [1, 4, 2, 0, 3])


def test_a_copy_has_the_parameters_of_a_learned_model_and_does_nothing():
    (learned, params, step), (copy, others, copied) = made(), made("copy")
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, others)
    assert copy.loss is None
    frame, action = boards(0), jnp.arange(8, dtype=jnp.int32) % 4
    keys = jax.random.split(jax.random.key(1), 8)
    found = copied(params, frame, action, keys)
    np.testing.assert_array_equal(found.frame, frame)
    np.testing.assert_array_equal(found.reward, np.zeros(8))
    assert found.reward.dtype == jnp.float32
    other = step(params, frame, action, keys)
    assert other.frame.dtype == frame.dtype
    assert other.frame.shape == frame.shape
    assert np.any(other.frame != frame)
    assert np.all(np.isin(other.reward, np.array(sokoban.REWARDS, np.float32)))
    # The work of a learned model is done, though nothing comes of it.
    both = [quick_jit(m.step).lower(params, frame, action, keys).compile() for m in (learned, copy)]
    mine, theirs = (compiled.cost_analysis()["flops"] for compiled in both)
    assert theirs == pytest.approx(mine, rel=0.05)


def test_what_a_reward_may_depend_on():
    """Events anywhere, the change in the number of each kind, and which kinds there are after."""
    events = jnp.asarray([[[[0.5, 0.0]], [[0.25, 2.0]]]])  # one board of two cells
    before = jax.nn.one_hot(jnp.array([[[0], [1]]]), 3)
    after = jax.nn.one_hot(jnp.array([[[0], [2]]]), 3)
    np.testing.assert_array_equal(
        _seen(events, before, after), [[0.5, 2.0, 0.0, -1.0, 1.0, 1.0, 0.0, 1.0]]
    )


def test_models_differ_in_size_by_configuration():
    count = {
        blocks: sum(x.size for x in jax.tree.leaves(made(blocks=blocks)[1])) for blocks in (0, 1)
    }
    # A block: two convolutions 3x3 from 4 to 4 channels with biases, and the injection.
    assert count[1] - count[0] == 2 * (9 * 4 * 4 + 4) + 4 * 4


def test_what_happens_far_away_is_known_everywhere():
    """Pool-and-inject: beyond the reach of its convolutions, three cells, too."""
    _, params, _ = made()
    network = model_network(ModelConfig(**SMALL), sokoban.plane_frames(), (9, 9, 4), 4)
    frame = jnp.zeros((2, 9, 9, 4), bool).at[1, 0, 0, 3].set(True)
    logits = network.predict(params, frame, jnp.zeros(2, jnp.int32)).cells
    assert np.any(np.abs(logits[0, 8, 8] - logits[1, 8, 8]) > 1e-6)
    silent = jax.tree.map(lambda x: x, params)
    silent["block_0/inject"] = jax.tree.map(jnp.zeros_like, params["block_0/inject"])
    logits = network.predict(silent, frame, jnp.zeros(2, jnp.int32)).cells
    np.testing.assert_array_equal(logits[0, 8, 8], logits[1, 8, 8])


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"channels": 0}, "channels must be at least 1, not 0"),
     ({"blocks": -1}, "blocks must be at least 0, not -1")],
)  # fmt: skip
def test_a_wrong_size_is_refused_by_name(changes, said):
    with pytest.raises(UserError, match=rf"agent\.model\.{said}"):
        ModelConfig(**changes)


def test_what_the_environment_does_not_show_cannot_be_imagined():
    with pytest.raises(UserError, match="imagines planes or pixels; the environment shows sprites"):
        make_model(ModelConfig(), board_spec("sprites"))
    with pytest.raises(UserError, match="no perfect model of pixels of sokoban"):
        make_model(ModelConfig(kind="perfect"), board_spec("pixels"))
