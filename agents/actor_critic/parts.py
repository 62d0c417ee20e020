"""Parameters of which learning leaves some parts as they are: one pytree, split and joined."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax

from agents.base import Params

LEARNT = "agent"  # the name of what learns, where there is more than that
_SALT = 7 << 20  # keys of small numbers are those that what learns is drawn with


@dataclass(frozen=True)
class Parts:
    """`{"agent": what learns, NAME: ...}`; what learns alone if nothing is frozen."""

    frozen: Mapping[str, Callable[[jax.Array], Params]]

    def init(self, key: jax.Array) -> dict[str, Params]:
        """The frozen parts as they begin, by name."""
        return {
            name: make(jax.random.fold_in(key, _SALT + index))
            for index, (name, make) in enumerate(self.frozen.items())
        }

    def join(self, learnt: Params, frozen: Mapping[str, Params]) -> Params:
        """All parameters."""
        return {LEARNT: learnt, **frozen} if self.frozen else learnt

    def split(self, params: Params) -> tuple[Params, dict[str, Params]]:
        """What learns, and the rest by name, through which no gradient goes."""
        if not self.frozen:
            return params, {}
        frozen = {name: jax.lax.stop_gradient(params[name]) for name in self.frozen}
        return params[LEARNT], frozen
