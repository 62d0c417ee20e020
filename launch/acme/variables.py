"""Parameters as Acme's variables: `policy`, a pytree of NumPy arrays, and its `version`."""

from collections.abc import Sequence
from typing import Any

from launch.acme.symbols import VariableSource
from launch.distributed.base import Weights

POLICY, VERSION = "policy", "version"


def select(weights: Weights, names: Sequence[str]) -> list[Any]:
    """The named parts of `weights`. Raises ValueError for a name that there is not."""
    parts = {POLICY: weights.params, VERSION: weights.version}
    unknown = [name for name in names if name not in parts]
    if unknown:
        raise ValueError(f"no variables {unknown}; there are {', '.join(parts)}")
    return [parts[name] for name in names]


class AgentVariableSource(VariableSource):
    """The weights published last; one thread may publish while others read."""

    def __init__(self, weights: Weights):
        self._weights = weights

    def publish(self, weights: Weights) -> None:
        """Replaces the weights; raises ValueError if they are older."""
        if weights.version < self._weights.version:
            raise ValueError(f"version {weights.version} is older than {self._weights.version}")
        self._weights = weights

    def get_variables(self, names: Sequence[str]) -> list[Any]:
        """Those of `policy` and `version` that are named, of one and the same weights."""
        return select(self._weights, names)
