"""Size-preserving convolution that is fast inside `lax.scan` on every platform.

XLA's CPU backend runs the gradient of a convolution inside a rolled scan an order of magnitude
slower than outside one. There the convolution is a matrix product of shifted copies of the
image, which its backward pass makes anew rather than store: the copies are the kernel's size
times as large as the image. Elsewhere it is the platform's own convolution.

Shape letters: `B` batch, `H, W` board, `C` input and `F` output channels.
"""

import chex
import haiku as hk
import jax
import jax.numpy as jnp

# LeCun-normal, cut off at two standard deviations.
INIT = hk.initializers.VarianceScaling(1.0, "fan_in", "truncated_normal")


def conv_same(image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolves with stride 1 and zero padding that keeps the size, as `padding="SAME"` does.

    Args:
      image: `[B, H, W, C]` float32.
      kernel: `[KH, KW, C, F]` float32.

    Returns:
      `[B, H, W, F]` float32.
    """
    chex.assert_rank([image, kernel], 4)
    chex.assert_equal(image.shape[3], kernel.shape[2])
    if jax.default_backend() == "cpu":
        return _matmul_conv(image, kernel)
    return jax.lax.conv_general_dilated(
        image, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


class Conv(hk.Module):
    """A convolution layer with a bias, stride 1, which keeps the size of the board."""

    def __init__(self, channels: int, kernel: int):
        super().__init__(name="conv")
        self._channels, self._kernel = channels, kernel

    def __call__(self, image: jax.Array) -> jax.Array:
        """`[B, H, W, C]` to `[B, H, W, channels]`."""
        shape = (self._kernel, self._kernel, image.shape[-1], self._channels)
        bias = hk.get_parameter("b", shape[-1:], init=jnp.zeros)
        return conv_same(image, hk.get_parameter("w", shape, init=INIT)) + bias


def _patches(image: jax.Array, size: tuple[int, int]) -> jax.Array:
    """`[B, H, W, C]` to `[B*H*W, KH*KW*C]`: beside each cell, the cells under the kernel."""
    batch, height, width, channels = image.shape
    kh, kw = size
    # As XLA pads for SAME: the odd one out goes below and to the right.
    pads = ((0, 0), ((kh - 1) // 2, kh // 2), ((kw - 1) // 2, kw // 2), (0, 0))
    padded = jnp.pad(image, pads)
    shifted = [padded[:, i : i + height, j : j + width] for i in range(kh) for j in range(kw)]
    return jnp.concatenate(shifted, axis=-1).reshape(-1, kh * kw * channels)


@jax.custom_vjp
def _matmul_conv(image: jax.Array, kernel: jax.Array) -> jax.Array:
    size, features = kernel.shape[:2], kernel.shape[3]
    product = _patches(image, size) @ kernel.reshape(-1, features)
    return product.reshape(*image.shape[:3], features)


def _forward(image, kernel):
    return _matmul_conv(image, kernel), (image, kernel)


def _backward(residuals, gradient):
    image, kernel = residuals
    patches, from_patches = jax.vjp(lambda x: _patches(x, kernel.shape[:2]), image)
    gradient = gradient.reshape(-1, kernel.shape[3])
    (to_image,) = from_patches(gradient @ kernel.reshape(-1, kernel.shape[3]).T)
    return to_image, (patches.T @ gradient).reshape(kernel.shape)


_matmul_conv.defvjp(_forward, _backward)
