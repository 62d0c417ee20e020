"""Who plays, and in which environment: what the command lines of evaluate and watch begin with."""

from pathlib import Path

from environments.errors import UserError
from environments.registry import EnvironmentOptions, make_options
from launch.pretrained import folder

BASELINES = ("random", "scripted", "solver")  # who else plays, beside trained runs


def player_of(
    args: list[str], baselines: tuple[str, ...] = BASELINES
) -> tuple[str, EnvironmentOptions, list[str]]:
    """Who plays, which is the first argument, and the environment, as it is unless options say so.

    Args:
      args: of the command line.
      baselines: who plays any game that it is given.

    Returns:
      who: the first argument; "random" where there is none and help is asked for.
      options: of the environment: a run's own, else the defaults of `--environment NAME`.
      rest: the arguments without `--environment NAME`.

    Raises:
      UserError: there is no such player or environment, or a run is given one by name.
    """
    name, rest = _named(args)
    who = rest[0] if rest and not rest[0].startswith("-") else ""
    if not who and not {"-h", "--help"} & set(rest):
        raise UserError(f"say first who plays: a run folder, or one of {', '.join(baselines)}")
    if who in ("", *baselines):
        return who or "random", make_options(name or "sokoban"), rest
    if name:
        raise UserError(f"--environment is for {', '.join(baselines)}; a run knows its own")
    if not folder(who).exists():
        raise UserError(f"{who} is neither a run folder nor one of {', '.join(baselines)}")
    return who, own_environment(who), rest


def own_environment(run: str) -> EnvironmentOptions:
    """The environment of the run in the folder `run`. Raises UserError if it is no run."""
    from launch import companions, configuration, run_folder

    opened = run_folder.open_run(Path(run))
    return companions.resolved(configuration.load(opened.config), opened).environment


def _named(args: list[str]) -> tuple[str, list[str]]:
    for index, arg in enumerate(args):
        flag, equals, value = arg.partition("=")
        if flag == "--environment":
            name = value if equals else "".join(args[index + 1 : index + 2])
            if not name or name.startswith("-"):
                raise UserError("--environment needs a name: see moravec list environments")
            return name, args[:index] + args[index + (1 if equals else 2) :]
    return "", args
