"""MiniPacman's frames as a model reads and draws them, and the rewards that there may be."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.models.config import ModelConfig
from agents.models.make import make_model
from agents.models.minipacman import pixel_frames
from environments.errors import UserError
from environments.games.minipacman import rules
from environments.games.minipacman.modes import MODES
from environments.games.minipacman.palette import CLASSES
from environments.games.minipacman.registration import MiniPacmanOptions
from environments.games.minipacman.spec import minipacman_spec
from environments.registry import load_batched
from tests.agents.toy import quick_jit


def test_frames_of_play_are_read_and_drawn_again():
    environment = load_batched("minipacman", observations=("pixels",), start_level=(1, 10))
    frames, rng = pixel_frames(), np.random.default_rng(0)
    step = quick_jit(type(environment).step)
    again = quick_jit(lambda frame: (frames.encode(frame), frames.decode(frames.encode(frame))))
    state, now = environment.reset(jax.random.key(0), 32)
    seen = set()
    for _ in range(30):
        state, now = step(environment, state, rng.integers(0, 5, 32).astype(np.int32))
        kinds, drawn = again(now.observation["pixels"])
        np.testing.assert_array_equal(drawn, now.observation["pixels"])
        seen |= set(np.unique(kinds).tolist())
    names = {frames.kinds[kind] for kind in seen}
    assert {"empty", "wall", "food", "pill", "player", "ghost", "edible_4"} <= names


def test_an_unknown_colour_is_read_as_empty():
    frames = pixel_frames()
    kinds = frames.encode(np.full((1, 2, 2, 3), (1, 2, 3), np.uint8))
    assert {frames.kinds[kind] for kind in np.unique(kinds)} == {"empty"}


def test_every_reward_of_every_mode_is_there():
    frames = pixel_frames()
    assert list(frames.rewards) == sorted(set(frames.rewards))
    events = [
        rules.Events(food, pill, ghost, caught, False)
        for food, pill, ghost in product((0, 1), repeat=3)
        for caught in (False, True)
    ]
    rewards = np.array([rules.reward(m, e) for m in MODES.values() for e in events], np.float32)
    nearest = np.array(frames.rewards, np.float32)[frames.reward_index(jnp.asarray(rewards))]
    np.testing.assert_allclose(nearest, rewards, atol=1e-5)


def test_ghosts_alone_move_by_chance():
    frames = pixel_frames()
    assert frames.kinds == CLASSES
    kinds = [frames.kinds[kind] for kind in frames.chance]
    assert kinds == [kind for kind in CLASSES if kind == "ghost" or kind.startswith("edible")]


def test_a_model_imagines_pixels_alone():
    spec = minipacman_spec(MiniPacmanOptions(observations=("planes", "pixels")))
    model = make_model(ModelConfig(game="minipacman", channels=2, blocks=0), spec)
    params = quick_jit(model.init)(jax.random.key(0))
    frame = jnp.zeros((2, 15, 19, 3), jnp.uint8)
    found = quick_jit(model.step)(
        params, frame, jnp.array([0, 4]), jax.random.split(jax.random.key(1), 2)
    )
    assert (model.key, model.num_actions) == ("pixels", 5)
    assert found.frame.shape == frame.shape
    assert found.frame.dtype == frame.dtype
    with pytest.raises(UserError, match="no perfect model of pixels of minipacman"):
        make_model(ModelConfig(game="minipacman", kind="perfect"), spec)
    with pytest.raises(UserError, match="minipacman imagines pixels; the environment shows planes"):
        make_model(ModelConfig(game="minipacman"), minipacman_spec(MiniPacmanOptions()))
