"""Every command that README and docs show, and every piece of Python in the README."""

import re
import shlex
from pathlib import Path

import pytest

from experiments import sweeps
from experiments.benchmarks.registry import benchmarks
from launch import cli, evaluate, train
from launch.cli import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCS = "".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
PYTHON_BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
ARGUMENTS = [
    shlex.split(shown)
    for shown in re.findall(r"uv run moravec ([^`#\n]+)", (README + DOCS).replace("\\\n", " "))
]
# A tiny agent, for what would take minutes.
TINY = [
    "--agent.channels=4",
    "--agent.hidden=16",
    "--agent.environments=4",
    "--agent.unroll-length=5",
    "--environment.levels=generated:size=6,boxes=1,count=20,seed=0",
    "--evaluation.episodes=20",
    "--runner.log-frames=100",
    "--max-frames=100",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run folder, as `moravec train` leaves it."""
    path = tmp_path_factory.mktemp("readme") / "run"
    assert cli.main(["train", *TINY, "--quiet", f"--run-dir={path}"]) == 0
    return path


def with_run(argument: str, run: Path) -> str:
    """The argument with a real run in the place of the README's."""
    return re.sub(r"^runs/(sokoban_small/[^/ ]+|sweeps/[^/ ]+|\.\.\.)", str(run), argument)


def test_there_are_commands():
    assert {arguments[0] for arguments in ARGUMENTS} == set(COMMANDS)


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
def test_arguments_are_understood(arguments, run, tmp_path, monkeypatch, capsys):
    command, *rest = (with_run(argument, run) for argument in arguments)
    monkeypatch.chdir(tmp_path)
    if "--help" in rest:
        with pytest.raises(SystemExit) as stopped:
            cli.main([command, *rest])
        assert stopped.value.code == 0
    elif command == "train":
        assert train.parse(rest)
    elif command == "evaluate" and {"mcts", "--simulations", "boxes"} & set(rest):
        assert evaluate.parse(rest)  # what these play has tests of its own
    elif command == "evaluate" and "boxoban" not in " ".join(rest):
        assert cli.main([command, *rest, "--episodes=20"]) == 0
    elif command == "evaluate":
        assert evaluate.parse(rest).suite
    elif command == "levels":
        boards = Path(__file__).parent / "data" / "boxoban"
        monkeypatch.setenv("MORAVEC_BOXOBAN", str(boards))
        generated = "generated:size=6,boxes=1,count=5,seed=0"
        cli.main(["levels", "generate", generated, "--out", "mine.levels"])
        if rest[0] == "generate":  # does not overwrite
            rest[-1] = "new.levels"
        assert cli.main([command, *rest]) == 0
    elif command == "sweep":
        assert sweeps.sweep(rest[0])
        with pytest.raises(SystemExit, match="0"):
            cli.main([command, *rest, "--help"])
    elif command == "report":
        assert cli.main([command, *rest, "--out=report"]) == 0
        assert {path.name for path in Path("report").iterdir()} >= {"curves.png", "report.json"}
    elif command == "watch":
        boards = Path(__file__).parent / "data" / "boxoban"
        monkeypatch.setenv("MORAVEC_BOXOBAN", str(boards))
        assert cli.main([command, *rest, "--seconds=1", "--size=96"]) == 0
    elif command == "list":
        assert cli.main([command, *rest]) == 0
    else:  # bench and doctor take long, and have tests of their own
        assert set(rest) <= {"NAME", *benchmarks()}
    capsys.readouterr()


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_python(block, run, capsys):
    exec(block.replace("runs/sokoban_small/DATE-TIME", str(run)), {})
    assert capsys.readouterr().out.strip() in ("solved", "unsolved", "(4, 3, 3, 3)")


def test_folders_are_there():
    root = Path(__file__).parents[1]
    folders = {path.parent.name for path in root.glob("*/__init__.py")}
    assert set(re.findall(r"^(\w+)/   +\w.*[a-z]$", README, re.MULTILINE)) >= folders
