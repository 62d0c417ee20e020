"""The one place that imports rlax: with TensorFlow hidden from it.

By way of distrax it reaches TensorFlow Probability, whose JAX substrate imports TensorFlow if it
can (some seconds), and refuses versions before 2.18, which is newer than Reverb's. Hidden, neither
occurs.
"""

import importlib
import sys
from typing import Any


def _without_tensorflow(name: str):
    def is_tensorflow(module: str) -> bool:
        return module == "tensorflow" or module.startswith("tensorflow.")

    aside = {
        module: sys.modules.pop(module) for module in list(sys.modules) if is_tensorflow(module)
    }
    modules: dict[str, Any] = sys.modules  # None is allowed, which typeshed does not know
    modules["tensorflow"] = None
    try:
        return importlib.import_module(name)
    finally:
        del sys.modules["tensorflow"]
        sys.modules.update(aside)


rlax = _without_tensorflow("rlax")

__all__ = ["rlax"]
