"""The recurrence of DRC: ticks of a stack of ConvLSTM cells, by one scan over all of them.

Backwards in time only what depends on the next tick is computed tick by tick: the gradient by
states. That by the parameters is a sum over ticks, of products which a board's small size makes
slow one by one. It is computed for all ticks at once, after the scan, from what each cell read
and from the gradient by its gates.

Shape letters: `T` time, `B` batch, `H, W` board, `C` channels, `D` cells (depth), `N` ticks.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from agents.convolution import conv_same
from agents.drc.config import Variant


class CellState(NamedTuple):
    """The state of one cell; a core is a tuple of `D` of them."""

    hidden: jax.Array  # [B, H, W, C] float32; bfloat16 within an unroll of that precision
    cell: jax.Array  # [B, H, W, C] float32


class CellParams(NamedTuple):
    """What the scan needs of one cell's parameters."""

    state: jax.Array  # [3, 3, 2C, 4C], on the state below and the cell's own
    pool: jax.Array  # [2, C] or [2C, C], from maximum and mean to the injected vector
    inject: jax.Array  # [C, H*W*4C], from the injected vector to the gates


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def unroll_ticks(
    repeats: int,
    variant: Variant,
    core: tuple[CellState, ...],
    cells: tuple[CellParams, ...],
    gates: tuple[jax.Array, ...],
    is_first: jax.Array,
) -> tuple[tuple[CellState, ...], jax.Array]:
    """All ticks of an unroll.

    Args:
      repeats: `N`, ticks for each step.
      variant: whose architecture.
      core: `D` states.
      cells: `D` sets of parameters.
      gates: `D` arrays `[T, B, H, W, 4C]`, what each step's observation adds to the gates.
      is_first: `[T, B] bool`, where an episode begins, from a state of zeros.

    Returns:
      The core after the last step, and the last cell's hidden state after each step,
      `[T, B, H, W, C]`.
    """
    (core, hidden), _ = _scan(repeats, variant, core, None, cells, gates, is_first)
    return core, hidden


def _scan(repeats, variant, core, beside, cells, gates, is_first):
    """As `unroll_ticks`; with it what each cell read, `D` arrays `[T * N, B, H, W, 2C]`.

    `beside` is None or what else is added to the gates of each tick, `D` arrays
    `[T * N, B, H, W, 4C]`.
    """
    time = is_first.shape[0]
    begins = jnp.zeros((time, repeats, is_first.shape[1]), bool).at[:, 0].set(is_first)
    begins = begins.reshape(time * repeats, -1)

    def step(core, inputs):
        index, begins, beside = inputs
        now = tuple(jax.lax.dynamic_index_in_dim(gate, index, keepdims=False) for gate in gates)
        if beside is not None:
            now = tuple(gate + more for gate, more in zip(now, beside, strict=True))
        core, read = tick(clear(core, begins), now, cells, variant)
        return core, (core[-1].hidden, read)

    steps = jnp.repeat(jnp.arange(time), repeats)
    core, (hidden, read) = jax.lax.scan(step, core, (steps, begins, beside), unroll=repeats)
    return (core, hidden[repeats - 1 :: repeats]), read


def _forward(repeats, variant, core, cells, gates, is_first):
    def run(core, beside):
        return _scan(repeats, variant, core, beside, cells, gates, is_first)

    ticks = is_first.shape[0] * repeats
    nothing = tuple(jnp.zeros((ticks, *gate.shape[1:]), gate.dtype) for gate in gates)
    out, pull_back, read = jax.vjp(run, core, nothing, has_aux=True)
    return out, (pull_back, read, cells)


def _backward(repeats, variant, residuals, gradient):
    pull_back, read, cells = residuals
    to_core, by_tick = pull_back(gradient)
    read, by_tick = jax.tree.map(lambda x: x.reshape(-1, repeats, *x.shape[1:]), (read, by_tick))

    def step(to_cells, inputs):
        for_step = [
            jax.vjp(partial(from_state, variant, _merge(images)), params)[1](_merge(to_gates))[0]
            for params, images, to_gates in zip(cells, *inputs, strict=True)
        ]
        return jax.tree.map(jnp.add, to_cells, tuple(for_step)), None

    to_cells, _ = jax.lax.scan(step, jax.tree.map(jnp.zeros_like, cells), (read, by_tick))
    to_gates = jax.tree.map(lambda x: jnp.sum(x, axis=1, dtype=x.dtype), by_tick)
    return to_core, to_cells, to_gates, None


def _merge(x: jax.Array) -> jax.Array:
    """The first two axes in one."""
    return x.reshape(-1, *x.shape[2:])


unroll_ticks.defvjp(_forward, _backward)


def clear(core: tuple[CellState, ...], is_first: jax.Array) -> tuple[CellState, ...]:
    """The core with the boards zeroed at which an episode begins (`is_first [B]`)."""
    keep = ~is_first[:, None, None, None]
    return jax.tree.map(lambda x: x * keep.astype(x.dtype), core)


def tick(
    core: tuple[CellState, ...],
    gates: tuple[jax.Array, ...],
    cells: tuple[CellParams, ...],
    variant: Variant,
) -> tuple[tuple[CellState, ...], tuple[jax.Array, ...]]:
    """One pass through the stack; the first cell reads the last one's state of the tick before.

    Args:
      core: `D` states.
      gates: `D` arrays `[B, H, W, 4C]`, what the observation adds to the gates.
      cells: `D` sets of parameters.
      variant: whose architecture.

    Returns:
      `D` states, and what each cell read, `D` arrays `[B, H, W, 2C]`.
    """
    below, states, read = core[-1].hidden, [], []
    for state, gate, params in zip(core, gates, cells, strict=True):
        read.append(jnp.concatenate([below, state.hidden], axis=-1))
        gate = gate + from_state(variant, read[-1], params)
        states.append(cell_step(state, gate, variant))
        below = states[-1].hidden
    return tuple(states), tuple(read)


def from_state(variant: Variant, images: jax.Array, params: CellParams) -> jax.Array:
    """What states add to a cell's gates `[B, H, W, 4C]`: by convolution, and pool-and-inject.

    Args:
      variant: whose architecture.
      images: `[B, H, W, 2C]`, the hidden state below, and the cell's own.
      params: the cell's.
    """
    kernel, pool, inject = (array.astype(images.dtype) for array in params)
    own = images[..., images.shape[-1] // 2 :]
    largest, mean = jnp.max(own, axis=(1, 2)), jnp.mean(own, axis=(1, 2))
    if variant.pool == "per_channel":
        pooled = pool[0] * largest + pool[1] * mean
    else:
        pooled = jnp.concatenate([largest, mean], axis=-1) @ pool
    gates = conv_same(images, kernel)
    return gates + (pooled @ inject).reshape(gates.shape)


def cell_step(state: CellState, gates: jax.Array, variant: Variant) -> CellState:
    """An LSTM without peepholes at every cell of the board; `gates [B, H, W, 4C]`."""
    i, f, g, o = jnp.split(gates.astype(jnp.float32), 4, axis=-1)
    gate_o = jnp.tanh(o) if variant.output_gate == "tanh" else jax.nn.sigmoid(o)
    cell = jax.nn.sigmoid(f) * state.cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    return CellState(hidden=(gate_o * jnp.tanh(cell)).astype(state.hidden.dtype), cell=cell)
