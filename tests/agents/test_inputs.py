"""From observations to the image that a network reads."""

import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

from agents.inputs import board_image, board_keys, board_shape, zeros_like_spec
from environments.errors import UserError
from tests.agents.toy import board_spec


def test_images_side_by_side_in_the_order_of_their_names():
    spec = board_spec("planes", "pixels", size=6).observation
    assert board_keys(spec) == ("pixels", "planes")
    assert board_shape(spec) == (6, 6, 7)
    pixels = np.arange(6 * 6 * 3, dtype=np.uint8).reshape(6, 6, 3)
    planes = np.arange(6 * 6 * 4).reshape(6, 6, 4) % 3 == 0
    observation = {"planes": jnp.asarray(planes), "pixels": jnp.asarray(pixels)}
    image = board_image(observation, board_keys(spec))
    assert image.dtype == jnp.float32
    np.testing.assert_allclose(image[..., :3], pixels / 255, rtol=1e-6)
    np.testing.assert_array_equal(image[..., 3:], planes)


def test_white_is_one_and_leading_dimensions_stay():
    image = board_image({"pixels": jnp.full((2, 5, 6, 6, 3), 255, jnp.uint8)}, ("pixels",))
    np.testing.assert_array_equal(image, np.ones((2, 5, 6, 6, 3)))


def test_what_is_no_image_is_left_out():
    spec = dict(board_spec("planes").observation)
    spec["legal_actions"] = specs.Array((101,), bool)
    assert board_keys(spec) == ("planes",)


@pytest.mark.parametrize(
    "observation",
    [board_spec("planes", "sprites").observation, {"place": specs.Array((2,), np.float32)}, {}],
)
def test_images_of_two_sizes_or_none_are_refused(observation):
    with pytest.raises(UserError, match="the agent needs images of one size"):
        board_keys(observation)


def test_zeros_of_a_spec():
    zeros = zeros_like_spec(board_spec("planes", "pixels").observation, leading=(2, 3))
    assert {key: (x.shape, str(x.dtype)) for key, x in zeros.items()} == {
        "planes": ((2, 3, 10, 10, 4), "bool"),
        "pixels": ((2, 3, 10, 10, 3), "uint8"),
    }
