"""Options that take several values: `--suite A B` and `--suite A --suite B` say the same."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_type_hints


def joined(args: Sequence[str], default: Any) -> list[str]:
    """The arguments, with all values of such an option behind its first occurrence.

    Args:
      args: of the command line.
      default: an instance of the dataclass whose fields, and those of its parts, are the options.
    """
    flags, values = set(_flags(default, "--")), []
    groups = [values]  # of each the option, and its values
    begun: dict[str, list[str]] = {}
    for arg in args:
        name, equals, value = arg.partition("=")
        flag = name.replace("_", "-")
        if flag in flags:
            if flag not in begun:
                begun[flag] = [flag]
                groups.append(begun[flag])
            values = begun[flag]
            if equals:
                values.append(value)
        elif arg.startswith("--"):
            values = [arg]
            groups.append(values)
        else:
            values.append(arg)
    return [arg for group in groups for arg in group]


def _flags(options: Any, prefix: str) -> Iterator[str]:
    """The options whose fields are tuples of any length."""
    hints = get_type_hints(type(options))
    for field in dataclasses.fields(options):
        name = prefix + field.name.replace("_", "-")
        value = getattr(options, field.name)
        if dataclasses.is_dataclass(value):
            yield from _flags(value, f"{name}.")
        elif get_args(hints[field.name])[1:] == (Ellipsis,):
            yield name
