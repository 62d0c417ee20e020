"""Size-preserving convolution whose gradient is fast inside `lax.scan` on every platform.

XLA's CPU backend runs the gradients of a convolution, not the convolution itself, some ten times
slower inside a rolled scan than outside one. There the gradients are written as what is fast: by
the image, a convolution with the kernel turned round; by the kernel, one matrix product.
Elsewhere it is the platform's own convolution and its own gradients.

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
      image: `[B, H, W, C]` float32 or bfloat16.
      kernel: `[KH, KW, C, F]`, of the same type.

    Returns:
      `[B, H, W, F]`, of the same type.
    """
    chex.assert_rank([image, kernel], 4)
    chex.assert_equal(image.shape[3], kernel.shape[2])
    chex.assert_equal(image.dtype, kernel.dtype)
    return _cpu_conv(image, kernel) if jax.default_backend() == "cpu" else _conv(image, kernel)


class Conv(hk.Module):
    """A convolution layer with a bias, stride 1, which keeps the size of the board.

    Its parameters are float32; it computes in the image's type.
    """

    def __init__(self, channels: int, kernel: int):
        super().__init__(name="conv")
        self._channels, self._kernel = channels, kernel

    def __call__(self, image: jax.Array) -> jax.Array:
        """`[B, H, W, C]` to `[B, H, W, channels]`."""
        shape = (self._kernel, self._kernel, image.shape[-1], self._channels)
        bias = hk.get_parameter("b", shape[-1:], init=jnp.zeros).astype(image.dtype)
        kernel = hk.get_parameter("w", shape, init=INIT).astype(image.dtype)
        return conv_same(image, kernel) + bias


def _pads(kernel: jax.Array) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros before and after: as XLA pads for SAME, the odd one out below and to the right."""
    height, width = kernel.shape[:2]
    return ((height - 1) // 2, height // 2), ((width - 1) // 2, width // 2)


def _conv(image, kernel, pads=None):
    pads = _pads(kernel) if pads is None else pads
    dimensions = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(image, kernel, (1, 1), pads, dimension_numbers=dimensions)


@jax.custom_vjp
def _cpu_conv(image: jax.Array, kernel: jax.Array) -> jax.Array:
    return _conv(image, kernel)


def _forward(image, kernel):
    return _conv(image, kernel), (image, kernel)


def _backward(residuals, gradient):
    image, kernel = residuals
    turned = jnp.flip(kernel, (0, 1)).swapaxes(2, 3)
    swapped = tuple((after, before) for before, after in _pads(kernel))
    to_image = _conv(gradient, turned, swapped)
    patches = _patches(image, kernel)
    to_kernel = patches.T @ gradient.reshape(patches.shape[0], -1)
    return to_image, to_kernel.reshape(kernel.shape)


_cpu_conv.defvjp(_forward, _backward)


def _patches(image: jax.Array, kernel: jax.Array) -> jax.Array:
    """`[B, H, W, C]` to `[B*H*W, KH*KW*C]`: for each cell, the cells under the kernel."""
    height, width, channels = image.shape[1:]
    kh, kw = kernel.shape[:2]
    padded = jnp.pad(image, ((0, 0), *_pads(kernel), (0, 0)))
    shifted = [padded[:, i : i + height, j : j + width] for i in range(kh) for j in range(kw)]
    return jnp.concatenate(shifted, axis=-1).reshape(-1, kh * kw * channels)
