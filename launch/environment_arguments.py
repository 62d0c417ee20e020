"""`--environment NAME` on the command line: of those who play any game, the game they play."""

from environments.errors import UserError
from environments.registry import EnvironmentOptions, make_options

BASELINES = ("random", "scripted", "solver")  # who else plays, beside trained runs


def baseline_of(
    args: list[str], baselines: tuple[str, ...] = BASELINES
) -> tuple[str, EnvironmentOptions | None, list[str]]:
    """Who plays, which is the first argument, and in which environment.

    Args:
      args: of the command line.
      baselines: who plays any game that it is given.

    Returns:
      who: the first argument; "" if it is none but an option, or there is none.
      options: the defaults of the environment of a baseline, or of nobody; None for a run.
      rest: the arguments without `--environment NAME`.

    Raises:
      UserError: there is no such environment, or it is given for a run.
    """
    name, rest = _named(args)
    who = rest[0] if rest and not rest[0].startswith("-") else ""
    if who in ("", *baselines):
        return who, make_options(name or "sokoban"), rest
    if name:
        raise UserError(f"--environment is for {', '.join(baselines)}; a run knows its own")
    return who, None, rest


def _named(args: list[str]) -> tuple[str, list[str]]:
    for index, arg in enumerate(args):
        flag, equals, value = arg.partition("=")
        if flag == "--environment":
            name = value if equals else "".join(args[index + 1 : index + 2])
            if not name or name.startswith("-"):
                raise UserError("--environment needs a name: see moravec list environments")
            return name, args[:index] + args[index + (1 if equals else 2) :]
    return "", args
