"""Names of environments, registered by decorator with tags.

Importing this module, and the modules that register, loads neither JAX nor MuJoCo: builders
import what they need when they are called, so that listing names is instant.
"""

import dataclasses
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from environments.errors import UserError, unknown

if TYPE_CHECKING:
    import dm_env

    from environments.base import BatchedEnvironment

# Each of these registers its environments when imported. A new game adds its line here.
_REGISTRATIONS = ("environments.games.sokoban.registration",)


@dataclass(frozen=True)
class EnvironmentOptions:
    """Base of every environment's options: frozen, typed, validated in `__post_init__`."""


@dataclass(frozen=True)
class Entry:
    """One registered environment."""

    name: str
    version: int  # raised whenever the golden playthrough changes
    tags: frozenset[str]  # for example symbolic, embedded, single_player
    options: type[EnvironmentOptions]
    summary: str
    single: Callable[..., "dm_env.Environment"]  # (options, seed=)
    batched: Callable[..., "BatchedEnvironment"] | None  # (options)


_entries: dict[str, Entry] = {}


def register(
    name: str,
    *,
    version: int,
    tags: tuple[str, ...],
    single: Callable[..., "dm_env.Environment"],
    batched: Callable[..., "BatchedEnvironment"] | None = None,
) -> Callable[[type], type]:
    """Class decorator for an options dataclass: registers its environment under `name`."""

    def decorate(options: type[EnvironmentOptions]) -> type[EnvironmentOptions]:
        if name in _entries:
            raise ValueError(f"environment {name!r} is registered twice")
        summary = (options.__doc__ or "").strip().splitlines()[0]
        _entries[name] = Entry(name, version, frozenset(tags), options, summary, single, batched)
        return options

    return decorate


def entries() -> dict[str, Entry]:
    """All registered environments by name."""
    for module in _REGISTRATIONS:
        importlib.import_module(module)
    return dict(_entries)


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


def load(name: str, *, seed: int = 0, **options: Any) -> "dm_env.Environment":
    """One environment as a `dm_env.Environment`; `seed` decides everything random in it."""
    found = entry(name)
    return found.single(make_options(name, **options), seed=seed)


def load_batched(name: str, **options: Any) -> "BatchedEnvironment":
    """The environment as pure JAX functions. Raises UserError if the game has no such face."""
    return build_batched(make_options(name, **options))


def build_batched(options: EnvironmentOptions) -> "BatchedEnvironment":
    """The batched face of the environment to which `options` belong."""
    found = entry(name_of(options))
    if found.batched is None:
        raise UserError(f"{found.name} has no batched face: use runner.kind=local")
    return found.batched(options)
