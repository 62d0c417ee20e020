"""A resolved experiment as plain JSON, and back: all that is needed to rebuild a run.

    {"experiment": name, "environment": {"name": .., option: ..}, "agent": {"name": .., ..},
     "runner": {..}, "evaluation": {..}, "max_frames": .., ..}

A key that is left out has its default, where there is one.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import agents.registry
import environments.registry
from environments.errors import UserError, reason, unknown
from experiments.base import Experiment
from launch import files

_Parsed = TypeVar("_Parsed")
# A field of one of these types holds whichever subclass is registered under the key `name`.
_REGISTRIES = {
    environments.registry.EnvironmentOptions: (
        environments.registry.name_of,
        environments.registry.options_class,
    ),
    agents.registry.AgentConfig: (agents.registry.name_of, agents.registry.config_class),
}


def save(experiment: Experiment, path: Path) -> None:
    """Writes the experiment to `path`. Raises UserError if that cannot be done."""
    files.atomic_write(path, json.dumps(to_json(experiment), indent=2) + "\n")


def load(path: Path) -> Experiment:
    """The experiment in the file `path`.

    Raises:
      UserError: there is no such file, it is not JSON, or not a valid experiment.
    """
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    try:
        return from_json(document)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def to_json(experiment: Experiment) -> dict[str, Any]:
    """The experiment as a JSON document, every field spelt out."""
    fields = _plain(experiment)
    return {"experiment": fields.pop("name"), **fields}


def from_json(document: Any) -> Experiment:
    """The experiment that `to_json` made the document of.

    Raises:
      UserError: naming the key whose name, type or value is wrong.
    """
    if not isinstance(document, dict) or "experiment" not in document:
        raise UserError("it has no key 'experiment': give the config.json of a run")
    fields = dict(document)
    return parse(Experiment, {"name": fields.pop("experiment"), **fields})


def parse(cls: type[_Parsed], document: Any) -> _Parsed:
    """An instance of a dataclass from a JSON object that has its fields as keys.

    Raises:
      UserError: naming the key whose name, type or value is wrong.
    """
    return _dataclass(cls, document, "")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(element) for element in value]
    if not dataclasses.is_dataclass(value):
        return value
    document = {}
    for base, (name_of, _) in _REGISTRIES.items():
        if isinstance(value, base):
            document["name"] = name_of(value)
    for field in dataclasses.fields(value):
        document[field.name] = _plain(getattr(value, field.name))
    return document


def _dataclass(cls: type, document: Any, key: str) -> Any:
    """An instance of the dataclass `cls` from the object at `key`."""
    if not isinstance(document, dict):
        raise _wrong(key or "it", "an object", document)
    document = dict(document)
    if cls in _REGISTRIES:
        name = _value(str, document.pop("name", None), f"{key}.name")
        cls = _REGISTRIES[cls][1](name)
    hints = get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]
    for name in document:
        if name not in names:
            raise unknown(f"key {key}.*" if key else "key", name, names)
    values = {}
    for field in dataclasses.fields(cls):
        path = f"{key}.{field.name}" if key else field.name
        if field.name in document:
            values[field.name] = _value(hints[field.name], document[field.name], path)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise UserError(f"{path} is missing")
    return cls(**values)


def _value(hint: Any, value: Any, key: str) -> Any:
    """The value of type `hint` that JSON's `value` stands for."""
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, value, key)  # pyright: ignore[reportArgumentType]
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise unknown(key, str(value), get_args(hint))
        return value
    if get_origin(hint) is tuple:
        return _tuple(get_args(hint), value, key)
    if get_origin(hint) is dict:
        if not isinstance(value, dict):
            raise _wrong(key, "an object", value)
        of = get_args(hint)[1]
        return {name: _value(of, element, f"{key}.{name}") for name, element in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise _wrong(key, hint.__name__, value)
    return value


def _tuple(hints: tuple, value: Any, key: str) -> tuple:
    if not isinstance(value, list):
        raise _wrong(key, "a list", value)
    if hints[-1] is Ellipsis:
        hints = (hints[0],) * len(value)
    if len(hints) != len(value):
        raise _wrong(key, f"a list of {len(hints)}", value)
    return tuple(
        _value(hint, element, f"{key}[{i}]")
        for i, (hint, element) in enumerate(zip(hints, value, strict=True))
    )


def _wrong(key: str, expected: str, value: Any) -> UserError:
    return UserError(f"{key} must be {expected}, not {json.dumps(value)[:60]}")
