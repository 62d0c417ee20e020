"""The deep repeated ConvLSTM (Guez et al. 2019, section 2; figures in this folder's README).

Everything that does not depend on the recurrent state is computed for all steps at once,
outside the scan over time: the encoding and its share of every cell's gates. A pooled vector is
the same at every cell of the board, so its convolution is one product with the kernel summed
over the taps that lie on the board. Both are exact, and halve the work in the scan.

With `precision="bfloat16"` images and gates are bfloat16, from the encoding to the hidden state;
the memory cell, and what is computed from gate to gate, is float32. Parameters are cast where
they are used, so that their gradients add up in float32 over the steps.

Shape letters: `T` time, `B` batch, `H, W` board, `C` channels, `D` cells (depth), `N` ticks.
"""

from typing import NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp

from agents.actor_critic.network import Heads, Network, NetworkOutput
from agents.actor_critic.policies import policy_of
from agents.convolution import INIT, Conv, conv_same
from agents.drc.config import VARIANTS, DRCConfig, Variant
from agents.encoders import join
from agents.inputs import board_image, board_keys, board_shape, network_inputs
from environments.base import EnvironmentSpec


class CellState(NamedTuple):
    """The state of one cell; a core is a tuple of `D` of them."""

    hidden: jax.Array  # [B, H, W, C] float32; bfloat16 within an unroll of that precision
    cell: jax.Array  # [B, H, W, C] float32


class CellParams(NamedTuple):
    """What the scan needs of one cell's parameters."""

    state: jax.Array  # [3, 3, 2C, 4C], on the state below and the cell's own
    pool: jax.Array  # [2, C] or [2C, C], from maximum and mean to the injected vector
    inject: jax.Array  # [C, H*W*4C], from the injected vector to the gates


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

        def step(core, inputs):
            gates, is_first = inputs
            core = clear(core, is_first)
            core = repeat_tick(core, gates, cells, config.repeats, variant)
            return core, core[-1].hidden

        core, hidden = jax.lax.scan(step, core, (gates, is_first))
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


def clear(core: tuple[CellState, ...], is_first: jax.Array) -> tuple[CellState, ...]:
    """The core with the boards zeroed at which an episode begins (`is_first [B]`)."""
    keep = ~is_first[:, None, None, None]
    return jax.tree.map(lambda x: x * keep.astype(x.dtype), core)


def repeat_tick(core, gates, cells, repeats: int, variant: Variant) -> tuple[CellState, ...]:
    """The core after `repeats` ticks on one observation, by scan: compiled once."""

    def body(core, _):
        return tick(core, gates, cells, variant), None

    return jax.lax.scan(body, core, None, length=repeats)[0]


def tick(
    core: tuple[CellState, ...],
    gates: tuple[jax.Array, ...],
    cells: tuple[CellParams, ...],
    variant: Variant,
) -> tuple[CellState, ...]:
    """One pass through the stack; the first cell reads the last one's state of the tick before.

    Args:
      core: `D` states.
      gates: `D` arrays `[B, H, W, 4C]`, what the observation adds to the gates.
      cells: `D` sets of parameters.
      variant: whose architecture.

    Returns:
      `D` states.
    """
    below, states = core[-1].hidden, []
    for state, gate, params in zip(core, gates, cells, strict=True):
        state = cell_step(state, below, gate, params, variant)
        below = state.hidden
        states.append(state)
    return tuple(states)


def cell_step(
    state: CellState, below: jax.Array, gates: jax.Array, params: CellParams, variant: Variant
) -> CellState:
    """A ConvLSTM without peepholes, with pool-and-inject of its own state."""
    images = jnp.concatenate([below, state.hidden], axis=-1)
    kernel, pool, inject = (array.astype(images.dtype) for array in params)
    injected = _pool(state.hidden, pool, variant) @ inject
    gates = gates + conv_same(images, kernel) + injected.reshape(gates.shape)
    i, f, g, o = jnp.split(gates.astype(jnp.float32), 4, axis=-1)
    gate_o = jnp.tanh(o) if variant.output_gate == "tanh" else jax.nn.sigmoid(o)
    cell = jax.nn.sigmoid(f) * state.cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    return CellState(hidden=(gate_o * jnp.tanh(cell)).astype(images.dtype), cell=cell)


def _pool(hidden: jax.Array, weights: jax.Array, variant: Variant) -> jax.Array:
    """Spatial maximum and mean of `[B, H, W, C]`, mixed to `[B, C]`."""
    largest, mean = jnp.max(hidden, axis=(1, 2)), jnp.mean(hidden, axis=(1, 2))
    if variant.pool == "per_channel":
        return weights[0] * largest + weights[1] * mean
    return jnp.concatenate([largest, mean], axis=-1) @ weights


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
