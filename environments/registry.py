"""Names of environments, registered by decorator with tags.

Importing this module, and the modules that register, loads neither JAX nor MuJoCo: builders
import what they need when they are called, so that listing names is instant.
"""

import dataclasses
import importlib
import operator
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from environments.errors import UserError, unknown
from environments.option_types import check_types
from environments.plugins import load_plugins

if TYPE_CHECKING:
    from environments.base import BatchedEnvironment, Environment, VectorEnvironment

# Each of these registers its environments when imported. A new game adds its line here.
_REGISTRATIONS = (
    "environments.games.sokoban.registration",
    "environments.games.board.registration",
    "environments.games.minipacman.registration",
    "environments.embedded.mujoban.registration",
    "environments.embedded.boards.registration",
)


@dataclass(frozen=True)
class EnvironmentOptions:
    """Base of every environment's options: frozen, typed, validated in `__post_init__`.

    A `__post_init__` of one's own first calls this one, which converts what users may write.
    """

    def __post_init__(self):
        check_types(self)


@dataclass(frozen=True)
class Entry:
    """One registered environment."""

    name: str
    title: str  # how it is spelt among people, in one word
    version: int  # raised whenever the golden playthrough changes
    # For example symbolic, embedded, single_player; scored, if it is played for its score.
    tags: frozenset[str]
    options: type[EnvironmentOptions]
    summary: str
    single: Callable[..., "Environment"]  # (options, seed=)
    batched: Callable[..., "BatchedEnvironment"] | None  # (options)


_entries: dict[str, Entry] = {}


def register(
    name: str,
    *,
    version: int,
    tags: tuple[str, ...],
    single: Callable[..., "Environment"],
    batched: Callable[..., "BatchedEnvironment"] | None = None,
    title: str | None = None,
) -> Callable[[type], type]:
    """Class decorator for an options dataclass: registers its environment under `name`.

    `title` is by default `name` in camel case.
    """
    spelt = title or "".join(word.capitalize() for word in name.split("_"))

    def decorate(options: type[EnvironmentOptions]) -> type[EnvironmentOptions]:
        if name in _entries:
            raise ValueError(f"environment {name!r} is registered twice")
        summary = (options.__doc__ or "").strip().splitlines()[0]
        _entries[name] = Entry(
            name, spelt, version, frozenset(tags), options, summary, single, batched
        )
        return options

    return decorate


def entries() -> dict[str, Entry]:
    """All registered environments by name, in the order of their modules above, others last.

    Raises UserError if a plug-in cannot be imported.
    """
    for module in _REGISTRATIONS:
        importlib.import_module(module)
    load_plugins()
    order = {module: number for number, module in enumerate(_REGISTRATIONS)}
    return dict(
        sorted(
            _entries.items(),
            key=lambda item: order.get(item[1].options.__module__, len(order)),
        )
    )


def entry(name: str) -> Entry:
    """The entry called `name`. Raises UserError, with the nearest match, if there is none."""
    known = entries()
    if name not in known:
        raise unknown("environment", name, known)
    return known[name]


def options_class(name: str) -> type[EnvironmentOptions]:
    """The options dataclass of the environment called `name`."""
    return entry(name).options


def name_of(options: EnvironmentOptions) -> str:
    """The registered name to which these options belong."""
    for candidate in entries().values():
        if candidate.options is type(options):
            return candidate.name
    raise ValueError(f"{type(options).__name__} belongs to no registered environment")


def make_options(name: str, **options: Any) -> EnvironmentOptions:
    """Options of `name` with the given fields. Raises UserError for an unknown field."""
    cls = options_class(name)
    fields = [field.name for field in dataclasses.fields(cls)]
    for option in options:
        if option not in fields:
            raise unknown(f"option of {name}", option, fields)
    return cls(**options)


def load(name: str, *, seed: int | None = 0, **options: Any) -> "Environment":
    """One environment; `seed` decides everything random in it, and None draws one.

    Raises UserError for an unknown name or option, a wrong value, or a negative seed.
    """
    return build(make_options(name, **options), seed=seed)


def build(options: EnvironmentOptions, *, seed: int | None = 0) -> "Environment":
    """The environment to which `options` belong."""
    environment = entry(name_of(options)).single(options, seed=_checked(seed))
    environment.options = options
    return environment


def _checked(seed: Any) -> int:
    if seed is None:
        return secrets.randbits(63)
    try:
        if isinstance(seed, bool):
            raise TypeError
        seed = operator.index(seed)
    except TypeError:
        raise UserError(f"seed must be a whole number or None, not {seed!r}") from None
    if seed < 0:
        raise UserError(f"seed must be at least 0, not {seed}")
    return seed


def load_batched(name: str, **options: Any) -> "BatchedEnvironment":
    """The environment as pure JAX functions. Raises UserError if the game has no such face."""
    return build_batched(make_options(name, **options))


def build_batched(options: EnvironmentOptions) -> "BatchedEnvironment":
    """The batched face of the environment to which `options` belong."""
    found = entry(name_of(options))
    if found.batched is None:
        raise UserError(f"{found.name} has no batched face: use runner.kind=local")
    return found.batched(options)


def load_vector(name: str, n: int, *, seed: int | None = 0, **options: Any) -> "VectorEnvironment":
    """`n` worlds in this process; `seed` decides everything random in them, and None draws one.

    World i of an environment without a batched face is `load(name, seed=world_seed(seed, i))`, bit
    for bit. The worlds of one that has it are its boards, which draw from JAX's generator: the
    same game, but other levels at the same seed.
    """
    return build_vector(make_options(name, **options), n, seed=seed)


def build_vector(
    options: EnvironmentOptions, n: int, *, seed: int | None = 0
) -> "VectorEnvironment":
    """`n` worlds of the environment to which `options` belong."""
    batched, seed = entry(name_of(options)).batched, _checked(seed)
    if batched is not None:
        from environments.vector.batched import BatchedWorlds

        return BatchedWorlds(batched(options), n, seed=seed)
    from environments.vector.seeds import world_seed
    from environments.vector.threads import ThreadedWorlds

    return ThreadedWorlds(lambda world: build(options, seed=world_seed(seed, world)), n)
