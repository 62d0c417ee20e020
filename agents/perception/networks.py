"""The network that reads board planes from a picture.

The picture is cut into squares, convolutions tell of each what is there, and every cell of the
board takes weighted sums over all squares: where to look is learnt, and begins with the cell's
place as if the board filled the picture. This folder's README has a drawing.

Shape letters: `B` batch, `h, w` pixels, `P, Q` squares of the picture, `H, W` cells of the board,
`F` channels, `G` glances, `K` kinds of cell.
"""

from collections.abc import Callable
from typing import NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from agents.base import Params
from agents.convolution import Conv
from agents.encoders import hidden_layers
from agents.perception.config import PerceptionConfig
from environments.base import Array


class PerceptionNetwork(NamedTuple):
    """The network as pure functions."""

    init: Callable[[jax.Array], Params]  # (key) -> params
    # (params, image [B, h, w, 3] uint8) -> logits [B, H, W, K] float32
    logits: Callable[[Params, Array], jax.Array]


def perception_network(
    config: PerceptionConfig, picture: tuple[int, int], board: tuple[int, int], kinds: int
) -> PerceptionNetwork:
    """The network for pictures of `picture` (h, w) pixels of a board of `board` (H, W) cells."""

    def forward(image: Array) -> jax.Array:
        chex.assert_shape(image, (None, *picture, 3))
        x = jax.nn.relu(Conv(config.channels, 1)(squares(image, config.patch)))
        for _ in range(config.layers):
            x = jax.nn.relu(Conv(config.channels, 3)(x))
        cells = Glances(board, config.glances)(x)
        bias = hk.get_parameter("cell", (*board, config.hidden), init=jnp.zeros)
        hidden = Conv(config.hidden, 1)(cells) + bias
        if config.overview:
            hidden += _overview(x, config.overview, hidden.shape[1:])
        return Conv(kinds, 1)(jax.nn.relu(hidden))

    transformed = hk.without_apply_rng(hk.transform(forward))

    def init(key: jax.Array) -> Params:
        return transformed.init(key, jnp.zeros((1, *picture, 3), jnp.uint8))

    return PerceptionNetwork(init, transformed.apply)


def squares(image: Array, side: int) -> jax.Array:
    """Squares of `side` pixels: `[B, h, w, 3] uint8` to `[B, P, Q, 3 * side^2]` float32.

    Within -0.5 to 0.5; where the picture does not come out even, its right and lower edges are
    filled up with black.
    """
    batch, height, width, colours = image.shape
    rows, columns = -(-height // side), -(-width // side)
    edges = ((0, 0), (0, rows * side - height), (0, columns * side - width), (0, 0))
    x = jnp.pad(image, edges).astype(jnp.float32) / 255.0 - 0.5
    x = x.reshape(batch, rows, side, columns, side, colours).swapaxes(2, 3)
    return x.reshape(batch, rows, columns, side * side * colours)


class Glances(hk.Module):
    """For every cell of the board, weighted sums over the picture; the weights are learnt."""

    def __init__(self, board: tuple[int, int], glances: int):
        super().__init__(name="glances")
        self._board, self._glances = board, glances

    def __call__(self, x: jax.Array) -> jax.Array:
        """`[B, P, Q, F]` to `[B, H, W, G * F]`."""
        first = glances_at_first(self._board, (x.shape[1], x.shape[2]), self._glances)
        weights = hk.get_parameter("w", first.shape, init=hk.initializers.Constant(first))
        seen = jnp.einsum("cp,bpf->bcf", weights, x.reshape(len(x), -1, x.shape[-1]))
        return seen.reshape(len(x), *self._board, -1)


def glances_at_first(board: tuple[int, int], size: tuple[int, int], glances: int) -> np.ndarray:
    """The weights to begin with, `[H * W * G, P * Q]` float32; each row's sum is 1.

    Bells about the cell's place as if the board filled the picture, half a cell wide; the glances
    of a cell lie on a circle of a quarter cell about its middle, a single one in it.
    """
    angles = 2 * np.pi * (np.arange(glances) + 0.5) / glances
    reach = 0.0 if glances == 1 else 0.25 * np.sqrt(2)
    weights = []
    for axis, offsets in enumerate((np.sin(angles), np.cos(angles))):
        cells, squares = board[axis], size[axis]
        middles = (np.arange(cells)[:, None] + 0.5 + reach * offsets) / cells  # [H or W, G]
        places = (np.arange(squares) + 0.5) / squares
        distance = (places - middles[..., None]) * cells  # in cells
        weights.append(np.exp(-0.5 * (distance / 0.25) ** 2))
    rows, columns = weights  # [H, G, P] and [W, G, Q]
    product = np.einsum("hgp,wgq->hwgpq", rows, columns)
    flat = product.reshape(-1, size[0] * size[1]) + 1e-12
    return (flat / flat.sum(axis=1, keepdims=True)).astype(np.float32)


def _overview(x: jax.Array, units: int, shape: tuple[int, ...]) -> jax.Array:
    """What a layer on the whole picture `[B, P, Q, F]` tells of each cell, `[B, H, W, hidden]`."""
    told = hidden_layers(x.reshape(len(x), -1), (units,), "overview")
    flat = hk.Linear(int(np.prod(shape)), with_bias=False, name="told")(told)
    return flat.reshape(len(x), *shape)
