"""The command line: finds the command, and tells a user's mistake from a failure of ours."""

import importlib
import importlib.metadata
import logging
import os
import sys

from environments.errors import UserError, unknown
from launch.outcome import RunFailed

# Each command is a module with `main(args) -> exit status`, imported only when it is called.
COMMANDS = {
    "list": ("launch.listing", "environments, agents, experiments and suites"),
    "train": ("launch.train", "train an agent; alone, a small planner on Sokoban"),
    "evaluate": ("launch.evaluate", "play whole suites with a trained policy"),
    "sweep": ("launch.sweep", "train the runs of a named comparison"),
    "report": ("launch.report.command", "a page, plots and tables of runs and sweeps"),
    "watch": ("launch.watch", "a video of who is at play"),
    "levels": ("launch.levels", "generate, pack, check and solve Sokoban levels"),
    "bench": ("launch.bench", "measure speed, side by side with what there is to beat"),
    "doctor": ("launch.doctor", "check this installation piece by piece"),
}


def usage() -> str:
    """What `moravec --help` prints."""
    lines = [
        "usage: moravec COMMAND ...",
        "",
        "Reinforcement learning for physically embedded planning.",
        "",
    ]
    lines += [f"  {name:10}{summary}" for name, (_, summary) in COMMANDS.items()]
    lines += ["", "moravec COMMAND --help tells the options of a command."]
    return "\n".join(lines)


def main(args: list[str] | None = None) -> int:
    """Runs one command; returns the exit status: 2 for a user's mistake."""
    args = sys.argv[1:] if args is None else args
    if not args or args[0] in ("-h", "--help"):
        print(usage())
        return 0
    if args[0] == "--version":
        print(importlib.metadata.version("moravec"))
        return 0
    _hush_orbax()
    os.environ["JAX_ENABLE_X64"] = "0"  # specs and networks have 32 bits
    try:
        if args[0] not in COMMANDS:
            raise unknown("command", args[0], COMMANDS)
        module, _ = COMMANDS[args[0]]
        status = importlib.import_module(module).main(args[1:])
        sys.stdout.flush()  # what its reader may refuse, it refuses here
        return status
    except UserError as error:
        print(f"moravec: {error}", file=sys.stderr)
        return 2
    except RunFailed as error:
        print(f"moravec: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("moravec: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of standard output is gone: nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        from launch import platforms

        if wrong := platforms.wrong_settings(error):
            print(f"moravec: {wrong}", file=sys.stderr)
            return 2
        raise


def _hush_orbax() -> None:
    """Its tasks and threads go on to fail after a save that ended with one clear error."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    hook = sys.unraisablehook

    def unraisable(failure):
        if str(failure.exc_value) != "Event loop is closed":
            hook(failure)

    sys.unraisablehook = unraisable


if __name__ == "__main__":
    sys.exit(main())
