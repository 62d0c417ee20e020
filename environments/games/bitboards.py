"""Boards as 32-bit words in JAX: `K` words, one bit a cell, cell 0 the lowest bit of word 0.

A step of a game on bitboards is a handful of word operations without gather or scatter; cells are
unpacked only for the observation. Shape letters: `B` boards, `K` words.
"""

import jax
import jax.numpy as jnp

WORD = 32  # bits


def bit(cell: jax.Array, words: int) -> jax.Array:
    """Boards `[..., words] uint32` with one bit set, at `cell [...]`; none if it is off the board.

    A negative cell is off the board.
    """
    word = jnp.arange(words, dtype=jnp.int32)
    ones = jnp.uint32(1) << (cell & 31).astype(jnp.uint32)
    return jnp.where((cell >> 5)[..., None] == word, ones[..., None], jnp.uint32(0))


def bits(boards: jax.Array) -> jax.Array:
    """The bits of `[B, K] uint32`, lowest first: `[B, K, 32] uint32`, 0 or 1."""
    return (boards[:, :, None] >> jnp.arange(WORD, dtype=jnp.uint32)[None, None]) & 1


def overlap(a: jax.Array, b: jax.Array) -> jax.Array:
    """Whether two boards `[B, K]` share a bit: `[B] bool`."""
    return jnp.any((a & b) != 0, axis=-1)


def count(boards: jax.Array) -> jax.Array:
    """How many bits are set: `[B, K] uint32` to `[B] int32`."""
    return jnp.sum(jax.lax.population_count(boards).astype(jnp.int32), axis=-1)
