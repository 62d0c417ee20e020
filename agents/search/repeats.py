"""No position twice in a tree, and ends that were found are kept: what mctx leaves to its user.

In a deterministic game whose moves can be undone or exchanged, a tree without this holds mostly
copies of few positions. mctx calls `after_expansion` through its `loop_fn`.

Shape letters: `B` batch, `N` nodes of a tree, `A` actions.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

# The prior's logit of an action that is not tried any more; finite, so that a softmax stays so.
HIDDEN = -1e9
Tree = Any  # mctx.Tree, whose fields checkers of types do not see
_ROOT = 0  # its node


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Node:
    """What the tree keeps of each position; in a tree, arrays are `[B, N, ...]`."""

    frame: jax.Array  # [B, H, W, C]
    hashed: jax.Array  # [B, 2] uint32
    ended: jax.Array  # [B] bool


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Found:
    """The best way to an end that a tree holds."""

    best: jax.Array  # [B] float32, its discounted return; -inf if there is none
    action: jax.Array  # [B] int32, its first


def nothing_found(batch: int) -> Found:
    """What is known before the search."""
    return Found(jnp.full(batch, -jnp.inf), jnp.zeros(batch, jnp.int32))


def hashes(frame: jax.Array) -> jax.Array:
    """`[B, 2] uint32`: equal for equal frames `[B, ...]`, and hardly ever for others."""
    cells = frame.reshape(len(frame), -1).astype(jnp.uint32) + 1
    odd = np.random.default_rng(0).integers(0, 2**31, (2, cells.shape[1]), np.uint32) * 2 + 1
    weighed = cells[:, None] * jnp.asarray(odd)
    mixed = (weighed ^ (weighed >> 15)) * jnp.uint32(2654435761)  # else sums would be linear
    return jnp.sum(mixed, axis=-1, dtype=jnp.uint32)


def hidden(tree: Tree, node: jax.Array) -> jax.Array:
    """`[A] bool`: the actions at `node` of a tree without `B` that are not tried any more."""
    return tree.children_prior_logits[node] <= HIDDEN


def after_expansion(tree: Tree, new: jax.Array) -> Tree:
    """Looks at the node `new []` that every tree of the batch has just got.

    Its action is hidden if the position was in the tree before, or is an end, and with it every
    action on the way from the root below which nothing is left to try.
    """
    count = len(tree.parents)
    batch = jnp.arange(count)
    node: Node = tree.embeddings
    same = jnp.all(node.hashed == node.hashed[:, new][:, None], axis=-1)  # [B, N]
    repeated = jnp.any(same & (jnp.arange(same.shape[1]) < new), axis=-1)
    ended = node.ended[:, new]

    def climb(carry: Any) -> Any:
        at, hide, action, value, logits = carry
        inside = at != _ROOT
        parent = jnp.where(inside, tree.parents[batch, at], at)
        last: Any = jnp.where(inside, tree.action_from_parent[batch, at], 0)
        edge = batch, parent, last
        logits = logits.at[edge].set(jnp.where(hide & inside, HIDDEN, logits[edge]))
        hide &= jnp.all(logits[batch, parent] <= HIDDEN, axis=-1)
        ahead = tree.children_rewards[edge] + tree.children_discounts[edge] * value
        action, value = jnp.where(inside, last, action), jnp.where(inside, ahead, value)
        return parent, hide, action, value, logits

    at = jnp.full(count, new)
    action, value = jnp.zeros_like(batch), jnp.zeros(count)
    begin = at, repeated | ended, action, value, tree.children_prior_logits
    *_, action, value, logits = jax.lax.while_loop(_under_way, climb, begin)
    found: Found = tree.extra_data
    better = ended & (value > found.best)
    best: Any = jnp.where(better, value, found.best)
    first: Any = jnp.where(better, action, found.action)
    return tree.replace(children_prior_logits=logits, extra_data=Found(best, first))


def _under_way(carry: Any) -> jax.Array:
    """`[] bool`: whether a way is not yet at its root."""
    return jnp.any(carry[0] != _ROOT)
