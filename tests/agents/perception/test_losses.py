"""The loss, the accuracies and the kinds of cell, by hand, with and without jit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.perception.kinds import kinds_of, planes_of
from agents.perception.losses import accuracies, perception_loss


@pytest.fixture(params=[True, False], ids=["jit", "plain"])
def compiled(request):
    with jax.disable_jit(disable=not request.param):
        yield jax.jit if request.param else lambda function, **_: function


def test_the_loss_is_minus_the_mean_log_probability_of_what_was_there(compiled):
    probabilities = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])
    logits = jnp.log(probabilities).reshape(1, 1, 2, 3) + 7.0  # which does not matter
    kinds = jnp.array([[[1, 1]]])
    loss, metrics = compiled(perception_loss)(logits, kinds)
    assert loss == pytest.approx(-(np.log(0.25) + np.log(0.8)) / 2, rel=1e-5)
    assert metrics["cell_nll"] == loss
    assert metrics["cell_accuracy"] == 0.5  # the first is read as 0
    assert metrics["board_accuracy"] == 0.0


def test_accuracies_of_two_boards(compiled):
    kinds = jnp.array([[[0, 0], [0, 3]], [[0, 0], [0, 0]]])
    read = jnp.array([[[0, 0], [0, 1]], [[0, 0], [0, 0]]])
    found = compiled(accuracies, static_argnums=2)(read, kinds, 4)
    assert found["cell_accuracy"] == pytest.approx(7 / 8)
    assert found["board_accuracy"] == pytest.approx(1 / 2)
    # All seven of kind 0 are right, the only one of kind 3 is wrong; 1 and 2 were not there.
    assert found["balanced_accuracy"] == pytest.approx(1 / 2)


def test_the_loss_falls_only_where_the_cell_is(compiled):
    kinds = jnp.zeros((2, 3, 3), jnp.int32)
    gradient = compiled(jax.grad(lambda logits: perception_loss(logits, kinds)[0]))(
        jnp.zeros((2, 3, 3, 4))
    )
    np.testing.assert_allclose(gradient[..., 0], -0.75 / 18, rtol=1e-5)
    np.testing.assert_allclose(gradient[..., 1:], 0.25 / 18, rtol=1e-5)


@pytest.mark.parametrize("wrong", [(2, 3), (2, 3, 4), (1, 3, 3)])
def test_shapes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(AssertionError):
        perception_loss(jnp.zeros((2, 3, 3, 4)), jnp.zeros(wrong, jnp.int32))


def test_a_kind_is_a_combination_of_planes():
    planes = np.zeros((1, 2, 3, 4), bool)
    planes[0, 0, 1, 1] = planes[0, 0, 1, 3] = True  # a box on a target
    planes[0, 1, 2, 0] = True
    kinds = kinds_of(planes)
    np.testing.assert_array_equal(kinds, [[[0, 10, 0], [0, 0, 1]]])
    assert kinds.dtype == jnp.int32
    np.testing.assert_array_equal(planes_of(kinds, 4), planes)
    every = np.arange(16).reshape(1, 4, 4)
    np.testing.assert_array_equal(kinds_of(planes_of(every, 4)), every)
