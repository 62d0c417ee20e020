"""The games: pure rules, batched symbolic versions, embeddings, players, hints.

`load` gives one dm_env environment, `load_batched` the same game as pure JAX functions over
many boards; both take a registered name and the fields of its options.
"""

from environments.registry import entries, load, load_batched, options_class

__all__ = ["entries", "load", "load_batched", "options_class"]
