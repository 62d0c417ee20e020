"""The convolution and both its gradients are the platform's own, inside a scan too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import convolution
from agents.convolution import conv_same
from tests.agents.toy import quick_jit


def same(image, kernel):
    return jax.lax.conv_general_dilated(
        image, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


SHAPES = [
    ((2, 5, 5, 3), (3, 3, 3, 4)),
    ((2, 5, 7, 3), (4, 4, 3, 2)),
    ((1, 1, 6, 2), (3, 3, 2, 2)),
    ((3, 2, 2, 2), (4, 4, 2, 5)),  # the kernel is larger than the board
    ((2, 4, 3, 2), (2, 5, 2, 3)),
    ((2, 3, 3, 2), (1, 1, 2, 2)),
]


def noise(seed, shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@pytest.mark.parametrize(("image", "kernel"), SHAPES)
def test_values_and_gradients(image, kernel):
    assert jax.default_backend() == "cpu"  # otherwise there is nothing of ours to test
    arguments = noise(0, image), noise(1, kernel)
    weights = noise(2, (*image[:3], kernel[3]))
    found, expected = (
        quick_jit(jax.value_and_grad(lambda x, k, f=f: jnp.sum(weights * f(x, k)), argnums=(0, 1)))
        for f in (conv_same, same)
    )
    np.testing.assert_allclose(conv_same(*arguments), same(*arguments), atol=1e-5)
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, atol=2e-5),
        found(*arguments),
        expected(*arguments),
    )


@pytest.mark.parametrize("size", [3, 4])
def test_gradients_through_a_scan(size):
    image, kernel = noise(0, (2, 5, 3, 4)), noise(1, (size, size, 4, 4)) / 4

    def loss(convolve, image, kernel):
        def step(x, _):
            return jnp.tanh(convolve(x, kernel)), None

        return jnp.sum(jax.lax.scan(step, image, None, length=5)[0] ** 2)

    found, expected = (
        quick_jit(jax.grad(lambda x, k, f=f: loss(f, x, k), argnums=(0, 1)))(image, kernel)
        for f in (conv_same, same)
    )
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)
        assert np.abs(x).max() > 1e-3


def test_gradients_of_gradients_are_those_of_the_patches_form():
    """The gradient by the kernel is one matrix product: no convolution is differentiated."""
    text = str(jax.make_jaxpr(jax.grad(lambda k: jnp.sum(conv_same(noise(0, (2, 5, 5, 3)), k))))(
        noise(1, (3, 3, 3, 4))
    ))  # fmt: skip
    assert "dot_general" in text
    assert text.count("conv_general_dilated") <= 2  # the value, and the gradient by the image


def test_other_platforms_have_their_own(monkeypatch):
    monkeypatch.setattr(convolution.jax, "default_backend", lambda: "gpu")
    image, kernel = noise(0, (2, 5, 5, 3)), noise(1, (4, 4, 3, 2))
    assert "custom_vjp" not in str(jax.make_jaxpr(conv_same)(image, kernel))
    np.testing.assert_array_equal(conv_same(image, kernel), same(image, kernel))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(AssertionError):
        conv_same(noise(0, (5, 5, 3)), noise(1, (3, 3, 3, 4)))
    with pytest.raises(AssertionError):
        conv_same(noise(0, (1, 5, 5, 3)), noise(1, (3, 3, 2, 4)))
