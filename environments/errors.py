"""What a user did wrong, with how its message is phrased; and physics that fails."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake of the user's: its message is one line that says what is wrong and what to do.

    The command line prints the line and exits with status 2; nothing else is printed.
    """


class PhysicsError(RuntimeError):
    """The engine has warned: its state is not to be trusted, and the episode cannot go on.

    The environment can be reset.
    """


def unknown(kind: str, name: str, choices: Iterable[str]) -> UserError:
    """The error for a name that is not among `choices`: the nearest match, then the choices."""
    choices = sorted(choices)
    close = difflib.get_close_matches(name, choices, n=1)
    nearest = f"; did you mean {close[0]!r}?" if close else ";"
    return UserError(f"there is no {kind} {name!r}{nearest} choose from {', '.join(choices)}")


def reason(error: OSError) -> str:
    """What the operating system says, in lower case: the part of a message that follows `: `."""
    return (error.strerror or str(error)).lower()
