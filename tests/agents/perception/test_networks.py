"""Squares of a picture, where a cell looks at first, and the shapes of the network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.perception.config import PerceptionConfig
from agents.perception.networks import glances_at_first, perception_network, squares
from tests.agents.toy import quick_jit


def test_squares_hold_their_own_pixels():
    image = np.random.default_rng(0).integers(0, 256, (2, 7, 8, 3)).astype(np.uint8)
    found = squares(image, 4)
    assert found.shape == (2, 2, 2, 48)
    expected = image[1, 0:4, 4:8].reshape(-1) / 255 - 0.5
    np.testing.assert_allclose(found[1, 0, 1], expected, atol=1e-6)
    lowest = np.asarray(found[0, 1, 0]).reshape(4, 4, 3)
    np.testing.assert_allclose(lowest[:3], image[0, 4:, :4] / 255 - 0.5, atol=1e-6)
    np.testing.assert_array_equal(lowest[3], -0.5)  # beyond the picture


@pytest.mark.parametrize("glances", [1, 4])
def test_a_cell_begins_by_looking_at_its_own_place(glances):
    weights = glances_at_first((3, 5), (12, 20), glances).reshape(3, 5, glances, 12, 20)
    np.testing.assert_allclose(weights.sum((-2, -1)), 1, rtol=1e-5)
    rows = (weights.sum(-1) * (np.arange(12) + 0.5)).sum(-1)  # the centre of each glance
    columns = (weights.sum(-2) * (np.arange(20) + 0.5)).sum(-1)
    middle = rows.mean(-1), columns.mean(-1)
    np.testing.assert_allclose(middle[0][1, 2], 6, atol=0.01)
    np.testing.assert_allclose(middle[1][1, 2], 10, atol=0.01)
    np.testing.assert_allclose(middle[0][0], 2, atol=0.2)  # at the edge it is cut off
    np.testing.assert_allclose(middle[1][:, 4], 18, atol=0.2)
    inside = weights[1, 2, :, 4:8, 8:12].sum((-2, -1))
    assert inside.min() > 0.6
    if glances == 4:  # one in each quarter
        above, left = rows[1, 2] < 6, columns[1, 2] < 10
        quarters = set(zip(above.tolist(), left.tolist(), strict=True))
        assert len(quarters) == 4


@pytest.mark.parametrize("overview", [0, 8])
def test_every_cell_has_logits_and_every_parameter_a_say(overview):
    config = PerceptionConfig(channels=4, hidden=8, layers=1, overview=overview)
    network = perception_network(config, (24, 18), (3, 2), 8)
    params = quick_jit(network.init)(jax.random.key(0))
    image = np.random.default_rng(0).integers(0, 256, (5, 24, 18, 3)).astype(np.uint8)
    logits = quick_jit(network.logits)(params, image)
    assert logits.shape == (5, 3, 2, 8)
    target = jnp.arange(8.0)
    gradient = quick_jit(jax.grad(lambda params: jnp.sum(network.logits(params, image) * target)))(
        params
    )
    assert all(np.any(np.asarray(leaf) != 0) for leaf in jax.tree.leaves(gradient))
    with jax.disable_jit():
        np.testing.assert_allclose(network.logits(params, image), logits, atol=1e-4)


def test_a_picture_of_another_size_is_refused():
    network = perception_network(PerceptionConfig(channels=4, hidden=8), (24, 24), (3, 3), 8)
    params = quick_jit(network.init)(jax.random.key(0))
    with pytest.raises(AssertionError):
        network.logits(params, np.zeros((1, 24, 20, 3), np.uint8))
