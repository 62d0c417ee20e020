"""Options as users write them in Python, checked and converted by the annotations of their fields.

A path stands for a string, one value for a pair of two alike or for a tuple of one, a list for a
tuple, a dictionary for options inside options, NumPy's numbers for Python's. All else is refused.
"""

import dataclasses
import os
import typing
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal

from environments.errors import UserError, unknown

_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "True or False"}
_PLURALS = {str: "strings", int: "whole numbers", float: "numbers"}


class _Misfit(Exception):
    """A value that is not of a type."""


def check_types(options: Any, prefix: str = "") -> None:
    """Converts the fields of a frozen dataclass in place.

    Raises UserError for a wrong type, which names the field with `prefix` before it.
    """
    for name, kind in _hints(type(options)).items():
        value = getattr(options, name)
        try:
            converted = _converted(kind, value, prefix + name)
        except _Misfit:
            described = f"{prefix}{name} must be {_described(kind)}"
            raise UserError(f"{described}, not {value!r}") from None
        object.__setattr__(options, name, converted)


@cache
def _hints(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _converted(kind: Any, value: Any, name: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        return _one_of(arguments, value, name)
    if origin is Literal:
        if any(type(value) is type(each) and value == each for each in arguments):
            return value
        if isinstance(value, str):
            raise unknown(name, value, map(str, arguments))
        raise _Misfit
    if origin is tuple:
        return _tuple(arguments, value, name)
    if dataclasses.is_dataclass(kind):
        return _options(typing.cast(type, kind), value, name)
    return _plain(kind, value)


def _one_of(kinds: tuple[Any, ...], value: Any, name: str) -> Any:
    for kind in kinds:
        if kind is NoneType and value is None:
            return None
        if kind is not NoneType:
            try:
                return _converted(kind, value, name)
            except _Misfit:
                continue
    raise _Misfit


def _tuple(kinds: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    if hasattr(value, "tolist"):  # NumPy's arrays
        value = value.tolist()
    several = kinds[-1] is Ellipsis
    if not isinstance(value, list | tuple):
        if not several and len(set(kinds)) > 1:
            raise _Misfit
        value = [value] * (1 if several else len(kinds))
    kinds = kinds[:1] * len(value) if several else kinds
    if len(kinds) != len(value):
        raise _Misfit
    converted = tuple(_converted(k, v, name) for k, v in zip(kinds, value, strict=True))
    return converted


def _options(kind: type, value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        if isinstance(value, kind):
            return value
        raise _Misfit
    names = [field.name for field in dataclasses.fields(kind)]
    for key in value:
        if key not in names:
            raise unknown(f"option of {name}", str(key), names)
    return kind(**value)


def _plain(kind: Any, value: Any) -> Any:
    if kind is str and isinstance(value, os.PathLike):
        return str(os.fspath(value))
    if kind not in _WORDS:
        if isinstance(value, kind):
            return value
        raise _Misfit
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) == 0:  # NumPy's numbers
        value = value.tolist()
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is kind or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise _Misfit


def _described(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        return " or ".join(_described(each) for each in arguments)
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if origin is tuple:
        count = "" if arguments[-1] is Ellipsis else "two " if len(arguments) == 2 else "several "
        return count + _PLURALS.get(arguments[0], "values")
    if dataclasses.is_dataclass(kind):
        return "a dictionary of options"
    return "None" if kind is NoneType else _WORDS.get(kind, str(kind))
