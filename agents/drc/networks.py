"""The deep repeated ConvLSTM (Guez et al. 2019, section 2; figures in this folder's README).

Everything that does not depend on the recurrent state is computed for all steps at once,
outside the scan over time (`recurrence.py`): the encoding and its share of every cell's gates. A
pooled vector is the same at every cell of the board, so its convolution is one product with the
kernel summed over the taps that lie on the board. Both are exact, and halve the work in the scan.

With `precision="bfloat16"` images and gates are bfloat16, from the encoding to the hidden state;
the memory cell, and what is computed from gate to gate, is float32. Parameters are cast where
they are used, so that their gradients add up in float32 over the steps.

Shape letters: `T` time, `B` batch, `H, W` board, `C` channels, `D` cells (depth).
"""

import haiku as hk
import jax
import jax.numpy as jnp

from agents.actor_critic.network import Heads, Network, NetworkOutput
from agents.actor_critic.policies import policy_of
from agents.convolution import INIT, Conv, conv_same
from agents.drc.config import VARIANTS, DRCConfig
from agents.drc.recurrence import CellParams, CellState, unroll_ticks
from agents.encoders import join
from agents.inputs import board_image, board_keys, board_shape, network_inputs
from environments.base import EnvironmentSpec


def drc_network(config: DRCConfig, spec: EnvironmentSpec) -> Network:
    """DRC(depth, repeats) for boards of one pixel or 8x8 pixels a cell, and all beside them."""
    board, keys = board_keys(spec.observation), network_inputs(spec)
    policy = policy_of(spec)
    height, width, _ = board_shape(spec.observation)
    sprites = board == ("sprites",)
    lattice = (height // 8, width // 8) if sprites else (height, width)
    variant = VARIANTS[config.variant]

    def unroll(observation, is_first, core) -> tuple[NetworkOutput, tuple[CellState, ...]]:
        image = board_image(observation, board)
        time, batch = is_first.shape
        encoding = Encoder(config, sprites)(image.reshape(time * batch, *image.shape[2:]))
        inputs = [Cell(config, index)(encoding) for index in range(config.depth)]
        core = _with_hidden(core, config.precision)
        cells = tuple(params for params, _ in inputs)
        gates = tuple(gate.reshape(time, batch, *gate.shape[1:]) for _, gate in inputs)

        core, hidden = unroll_ticks(config.repeats, variant, core, cells, gates, is_first)
        core = _with_hidden(core, "float32")
        hidden = hidden.reshape(time * batch, *lattice, config.channels)
        if variant.readout == "add":
            hidden = hidden + encoding
        else:
            hidden = jnp.concatenate([hidden, encoding], axis=-1)
        hidden = hk.Flatten()(hidden).astype(jnp.float32)
        features = jax.nn.relu(hk.Linear(config.hidden, name="readout")(hidden))
        joined = join(features.reshape(time, batch, -1), observation, keys)
        return Heads(policy)(joined), core

    def initial_core(batch: int) -> tuple[CellState, ...]:
        zeros = jnp.zeros((batch, *lattice, config.channels), jnp.float32)
        return tuple(CellState(zeros, zeros) for _ in range(config.depth))

    return Network(unroll, initial_core)


def _with_hidden(core: tuple[CellState, ...], dtype: str) -> tuple[CellState, ...]:
    """The core with hidden states of type `dtype`."""
    return tuple(state._replace(hidden=state.hidden.astype(dtype)) for state in core)


class Encoder(hk.Module):
    """Two convolutions, to `[B, H, W, channels]` in the configuration's precision.

    From one pixel a cell, or from sprites; sprites are encoded in float32.
    """

    def __init__(self, config: DRCConfig, sprites: bool):
        super().__init__(name="encoder")
        self._config, self._sprites = config, sprites

    def __call__(self, image: jax.Array) -> jax.Array:
        config = self._config
        relu = VARIANTS[config.variant].encoder_relu
        if self._sprites:
            layers = [
                hk.Conv2D(config.channels, kernel, stride, padding=[(pad, pad)] * 2, w_init=INIT)
                for kernel, stride, pad in ((8, 4, 2), (4, 2, 1))
            ]
        else:
            layers = [Conv(config.channels, config.encoder_kernel) for _ in range(2)]
            image = image.astype(config.precision)
        for layer in layers:
            image = jax.nn.relu(layer(image)) if relu else layer(image)
        return image.astype(config.precision)


class Cell(hk.Module):
    """The parameters of one ConvLSTM cell, and what depends on the observation alone.

    As published, one 3x3 convolution reads encoding, state below, and injected vector (3C
    channels to 4C, with a bias), another the own state, a third a map with ones around the
    board (the fence: zero padding alone would not show where the border is).
    """

    def __init__(self, config: DRCConfig, index: int):
        super().__init__(name=f"cell_{index}")
        self._channels, self._variant = config.channels, VARIANTS[config.variant]

    def __call__(self, encoding: jax.Array) -> tuple[CellParams, jax.Array]:
        """From the encoding `[B, H, W, C]` to parameters and gates `[B, H, W, 4C]`."""
        channels = self._channels
        height, width = encoding.shape[1:3]
        inputs = hk.get_parameter("w_input", (3, 3, 3 * channels, 4 * channels), init=INIT)
        own = hk.get_parameter("w_state", (3, 3, channels, 4 * channels), init=INIT)
        fence = hk.get_parameter("w_fence", (3, 3, 1, 4 * channels), init=INIT)
        bias = hk.get_parameter("b", (4 * channels,), init=jnp.zeros)
        dense = self._variant.pool == "dense"
        pool = hk.get_parameter("w_pool", (2 * channels if dense else 2, channels), init=INIT)
        of_encoding, of_below, of_pooled = jnp.split(inputs, 3, axis=2)

        around = _fence(height, width, fence) + bias
        gates = conv_same(encoding, of_encoding.astype(encoding.dtype))
        gates = gates + around.astype(encoding.dtype)
        rows, columns = _taps_on_board(height), _taps_on_board(width)
        inject = jnp.einsum("hi,wj,ijcf->chwf", rows, columns, of_pooled)
        state = jnp.concatenate([of_below, own], axis=2)
        return CellParams(state, pool, inject.reshape(channels, -1)), gates


def _taps_on_board(size: int) -> jax.Array:
    """`[size, 3] float32`: 1 where a tap of a 3-wide kernel centred at a cell is on the board."""
    at = jnp.arange(size)[:, None] + jnp.arange(-1, 2)
    return ((at >= 0) & (at < size)).astype(jnp.float32)


def _fence(height: int, width: int, kernel: jax.Array) -> jax.Array:
    """The fence's share of the gates, `[H, W, 4C]`: a ring of ones around an empty board."""
    ring = jnp.ones((1, height + 2, width + 2, 1)).at[:, 1:-1, 1:-1].set(0.0)
    return jax.lax.conv_general_dilated(
        ring, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )[0]
