"""What README and docs show: commands that exist, files that exist, links that lead somewhere.

Here every command is read by its own parser, and the README's cheap ones are run;
`test_tutorials.py` runs all commands of the tutorials. A comment with a word of `tutorials.MARKS`
exempts from running.
"""

import re
import shlex
from pathlib import Path

import pytest

from experiments import sweeps
from experiments.benchmarks.registry import benchmarks
from launch import cli, evaluate, train, watch
from launch.cli import COMMANDS
from tests.launch.commands import copied
from tests.launch.conftest import trained
from tests.tutorials import ROOT, marked

__all__ = ["trained"]  # a fixture

DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    + [path for root in ("agents", "environments", "experiments", "launch", "pretrained")
       for path in (ROOT / root).rglob("README.md")]
)  # fmt: skip
TEXT = {path.relative_to(ROOT).as_posix(): path.read_text() for path in DOCUMENTS}
README = TEXT["README.md"]
PYTHON_BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def shown_in(text: str) -> set[str]:
    """The arguments of every command, with its comment if that exempts it from being run."""
    text = re.sub(r"\d{4}-\d\d-\d\d_[\d-]+", "DATE-TIME", text.replace("\\\n", " "))
    lines = re.findall(r"uv run moravec ([^`\n]+)", text)
    return {line.strip() if marked(line) else line.partition(" #")[0].strip() for line in lines}


SHOWN = sorted(set.union(*map(shown_in, TEXT.values())))
RUN = shown_in(README)
# Those of the tutorials, which name what the tutorials add or what their commands before wrote.
_LATER = ("mujothree", "touch_lights", "lights_out", "sokoban_small_pooled", "mine.levels")
# Run here, with these, if the README shows them.
CHEAP = {"evaluate": ["--episodes=20"], "watch": ["--seconds=1", "--size=96"]}
_COSTLY = {"mcts", "--simulations", "boxes"}


@pytest.fixture(scope="module")
def run(trained, tmp_path_factory) -> Path:
    """A run folder, as `moravec train` leaves it."""
    return copied(trained, tmp_path_factory.mktemp("docs") / "run")


def with_run(argument: str, run: Path) -> str:
    """The argument with a real run in the place of the one that is shown."""
    return re.sub(
        r"^runs/(sweeps/\w+|\w+/(DATE-TIME|[\d_-]+)|\.\.\.|\w+)(?=/|$)", str(run), argument
    )


def test_there_are_commands():
    assert {shown.split()[0] for shown in SHOWN} == set(COMMANDS)


@pytest.mark.parametrize("shown", SHOWN)
def test_a_command_is_understood(shown, run, tmp_path, monkeypatch, capsys):
    command, *rest = shlex.split(shown, comments=True)
    rest = [with_run(argument, run) for argument in rest]
    if set(rest) & set(_LATER):
        assert command in COMMANDS  # test_tutorials.py runs it
        return
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MORAVEC_BOXOBAN", str(ROOT / "tests" / "data" / "boxoban"))
    to_run = shown in RUN and not marked(shown) and not _COSTLY & set(rest)
    if "--help" in rest:
        with pytest.raises(SystemExit) as stopped:
            cli.main([command, *rest])
        assert stopped.value.code == 0
    elif command in ("train", "evaluate", "watch"):
        parse = {"train": train.parse, "evaluate": evaluate.parse, "watch": watch.parse}[command]
        assert parse(rest)
        if command in CHEAP and to_run:
            assert cli.main([command, *rest, *CHEAP[command]]) == 0
    elif command == "sweep":
        assert sweeps.sweep(rest[0])
        with pytest.raises(SystemExit, match="0"):
            cli.main([command, *rest, "--help"])
    elif command == "report":
        if "--out" not in rest:
            rest.append("--out=report")
        assert cli.main([command, *rest]) == 0
        assert {path.name for path in Path("report").iterdir()} >= {"curves.png", "report.json"}
    elif command == "list" or (command == "levels" and not marked(shown)):
        assert cli.main([command, *rest]) == 0
    else:  # bench and doctor take long, and have tests of their own
        assert command == "levels" or set(rest) <= {"NAME", *benchmarks()}
    capsys.readouterr()


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_python(block, capsys):
    exec(block, {})
    assert capsys.readouterr().out.strip() == "(4, 3, 3, 3)"


@pytest.mark.parametrize("document", TEXT)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", TEXT[document]):
        if target and "://" not in target:
            assert ((ROOT / document).parent / target).exists(), target


@pytest.mark.parametrize("document", TEXT)
def test_links_into_a_page_meet_a_heading(document):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]*)\)", TEXT[document]):
        if "://" in target:
            continue
        page = (ROOT / document).parent / target if target else ROOT / document
        headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
        slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert anchor in slugs, f"{target}#{anchor}"


def test_folders_are_there():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(re.findall(r"^(\w+)/   +\w.*[a-z]$", README, re.MULTILINE)) >= folders


def named_in_map(folder: str) -> set[str]:
    """The files and folders in the first column of the table of a folder's README."""
    rows = re.findall(r"^\|((?: ?`[^`|]+`,?)+) \|", TEXT[f"{folder}/README.md"], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("folder", ["agents", "environments", "experiments", "launch"])
def test_a_map_names_what_is_there(folder):
    root, named = ROOT / folder, named_in_map(folder)
    assert len(named) > 5
    assert not [name for name in named if not list(root.glob(name))]
    folders = {f"{path.name}/" for path in root.iterdir() if path.is_dir() and any(path.iterdir())}
    assert folders - {"__pycache__/"} <= named
    assert len(TEXT[f"{folder}/README.md"].splitlines()) <= 70
