"""The games: pure rules, batched symbolic versions, embeddings, players, hints.

`load` gives one dm_env environment, `load_vector` many worlds at once in NumPy, `load_batched` a
symbolic game as pure JAX functions over many boards; all take a registered name and the fields of
its options.
"""

from environments.registry import entries, load, load_batched, load_vector, options_class

__all__ = ["entries", "load", "load_batched", "load_vector", "options_class"]
