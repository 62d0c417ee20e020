"""A document's files, edits and commands, carried out in a copy of this repository.

What a tutorial shows is told apart by its form:
  a Python block after a paragraph that ends in "`PATH`:" is that file, complete;
  any other Python block is a script;
  a diff block names a file after ---, then one line of it, and with + what comes after that;
  a block without a language holds commands, which a word of MARKS exempts.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.deadline import UNTIL

ROOT = Path(__file__).parents[1]
FOLDERS = ("agents", "environments", "experiments", "launch", "moravec", "tests")
# What a command may say of itself in a comment: it needs more than a laptop, or more than a moment.
MARKS = ("accelerator", "many machines", "hours", "minutes", "downloads")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./]+\.py)`:\n\n$")
_PROGRAMS = {"moravec": ["-m", "launch.cli"], "pytest": ["-m", "pytest", "-n0"], "python": []}


@dataclass(frozen=True)
class Step:
    """One thing that a reader does: writes a file, edits one, runs a script or a command."""

    kind: str  # file, diff, script, command
    text: str
    path: str = ""


def steps(document: str) -> list[Step]:
    """All that `document`, a path below the repository, tells its reader to do, in order."""
    text, found = (ROOT / document).read_text(), []
    for block in _BLOCK.finditer(text):
        language, body = block.groups()
        named = _FILE.search(text[: block.start()])
        if language == "python" and named:
            found.append(Step("file", body, named[1]))
        elif language == "python":
            found.append(Step("script", body))
        elif language == "diff":
            found.append(Step("diff", body))
        elif not language:
            found += [Step("command", line) for line in commands(body)]
    return found


def commands(body: str) -> list[str]:
    """The lines of a block that are `uv run ...`, without those that are marked."""
    lines = body.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("uv run ") and not marked(line)]


def marked(line: str) -> bool:
    """Whether a command says that it needs more than a laptop, or than a moment."""
    comment = line.partition(" # ")[2]
    return any(mark in comment for mark in MARKS)


def copy_repository(to: Path) -> Path:
    """A copy of the working tree below `to`, without what was built."""
    copy = to / "moravec"
    copy.mkdir()
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, copy)
    return copy


def follow(step: Step, copy: Path, extra: tuple[str, ...] = ()) -> str:
    """Does one step in the copy; `extra` goes to the end of a command. Returns what it printed."""
    if step.kind == "file":
        target = copy / step.path
        assert not target.exists(), f"{step.path} is there already"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(step.text)
        return ""
    if step.kind == "diff":
        edit(step.text, copy)
        return ""
    if step.kind == "script":
        return run(["-c", step.text], copy)
    _, _, program, *arguments = shlex.split(step.text, comments=True)
    return run([*_PROGRAMS[program], *arguments, *extra], copy)


def edit(diff: str, copy: Path) -> None:
    """Inserts the lines marked + after the one line before them, which must be there once."""
    header, context, *added = diff.splitlines()
    target = copy / header.removeprefix("--- ")
    lines, line = target.read_text().splitlines(), context[1:]
    assert lines.count(line) == 1, f"{target.name} has {line!r} {lines.count(line)} times"
    assert all(each.startswith("+") for each in added)
    at = lines.index(line) + 1
    lines[at:at] = [each[1:] for each in added]
    target.write_text("\n".join(lines) + "\n")


def run(arguments: list[str], copy: Path) -> str:
    """What Python printed, with these arguments, in the copy; it must end well."""
    reader = {name: text for name, text in os.environ.items() if name != UNTIL}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=reader,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
