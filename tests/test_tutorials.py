"""The tutorials, done as they say in a copy of this repository: files, edits, commands."""

import importlib.util
import re

import pytest

from tests.tutorials import FOLDERS, ROOT, Step, copy_repository, edit, follow, run, steps

SYMBOLIC, EMBEDDED = "docs/add_a_symbolic_game.md", "docs/add_an_embedded_game.md"
AGENT, TOUR, CLUSTER = "docs/add_an_agent.md", "docs/train_and_evaluate.md", "docs/cluster.md"
# What makes the tour's commands short: a tiny agent, few frames, few episodes.
TINY = (
    "--agent.channels=4",
    "--agent.hidden=16",
    "--agent.environments=4",
    "--agent.unroll-length=5",
    "--environment.levels=generated:size=6,boxes=1,count=50,seed=0",
    "--evaluation.episodes=20",
    "--runner.log-frames=100",
    "--max-frames=400",
)


@pytest.fixture
def copy(tmp_path):
    return copy_repository(tmp_path)


def do(document, copy, budget=lambda command: (), leave_out="\0"):
    """Follows a tutorial; returns what its commands printed, with each."""
    return [
        (step.text, follow(step, copy, budget(step.text)))
        for step in steps(document)
        if step.kind != "command" or leave_out not in step.text
    ]


def small(command):
    """What makes a command of the tour short."""
    if "moravec train" in command:
        return ("--max-frames=600",) if re.search("--(resume|config)", command) else TINY
    if "moravec evaluate" in command:
        return ("--episodes=10",)
    return ("--seconds=1", "--size=96") if "moravec watch" in command else ()


@pytest.mark.slow
def test_games_can_be_added_as_the_tutorials_say(copy):
    """The symbolic one first: the embedding imports its rules."""
    # A run of the local runner needs a replay, which there is under Python 3.11 alone.
    learnt = "\0" if importlib.util.find_spec("reverb") else "runs/lights"
    for document in (SYMBOLIC, EMBEDDED):
        printed = do(document, copy, leave_out=learnt)
        if document == SYMBOLIC:
            assert_whole(copy)
        tested = [output for command, output in printed if "uv run pytest" in command]
        assert tested
        assert all(" passed" in output for output in tested)
    traces = copy / "tests" / "environments" / "playthroughs"
    assert "reward 1.0000 discount 0.0000" in (traces / "mujothree.txt").read_text()
    videos = {"lights_out.mp4", "learnt.mp4", "hex.mp4", "three.mp4", "lights.mp4"}
    assert {path.name for path in copy.glob("*.mp4")} >= videos - {"learnt.mp4"}
    assert (copy / "runs" / "lights" / "policy.npz").exists() == (learnt == "\0")
    assert_clean(copy)


@pytest.mark.slow
def test_an_agent_can_be_added_as_the_tutorial_says(copy):
    printed = dict(do(AGENT, copy))
    tested = [output for command, output in printed.items() if "uv run pytest" in command]
    assert len(tested) == 2
    assert all(" passed" in output for output in tested)
    assert (copy / "runs" / "first" / "policy.npz").exists()
    assert_clean(copy)


@pytest.mark.slow
def test_the_tour_can_be_made(tmp_path):
    do(TOUR, tmp_path, small)
    first = tmp_path / "runs" / "first"
    # All that the table of a run folder names, but for what other runs have.
    table = re.findall(r"^\| (`.*`) \|", (ROOT / TOUR).read_text(), re.MULTILINE)
    named = [
        name for row in table[: table.index("`frames`")] for name in row.strip("`").split("`, `")
    ]
    elsewhere = {"videos/", "prerequisites/", "prerequisites.json", "replay/"}
    elsewhere |= {"companions/", "demonstrations.npz", "initial_policy.npz"}
    assert len(named) > len(elsewhere)
    assert [name for name in named if not list(first.glob(name))] == [
        name for name in named if name in elsewhere
    ]
    header = (first / "metrics.csv").read_text().partition("\n")[0].split(",")
    columns = re.findall(r"`([a-z_]+)`", " ".join(table[table.index("`frames`") :]))
    assert set(columns) <= set(header)
    assert {path.name for path in tmp_path.iterdir()} >= {"first.mp4", "report", "mine.levels"}


@pytest.mark.slow
def test_a_cluster_of_one_machine_trains(tmp_path):
    pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")

    def budget(command):
        if "evaluate" in command:
            return ("--episodes=10",)
        return TINY if "sokoban_small" in command else ("--evaluation.episodes=2",)

    do(CLUSTER, tmp_path, budget)
    for name in ("ray", "ball"):
        assert (tmp_path / "runs" / name / "policy.npz").exists()


def assert_whole(copy):
    """What goes over all environments and experiments still passes, but for what takes long."""
    environments, experiments = (f"tests/{part}" for part in ("environments", "experiments"))
    run(["-m", "pytest", "-n0", "-q", f"{environments}/test_readme.py"], copy)
    run(["-m", "pytest", "-n0", "-q", environments, "-k", "lights_out or has_a_case"], copy)
    run(["-m", "pytest", "-n0", "-q", f"{experiments}/test_registry.py"], copy)


def assert_clean(copy):
    """What the tutorials add passes the checks of this repository."""
    run(["-m", "ruff", "check", "--quiet", *FOLDERS], copy)
    run(["-m", "ruff", "format", "--check", "--quiet", *FOLDERS], copy)


def test_every_step_is_understood():
    """What cannot be carried out, because it is written in no known form, would be left out."""
    for document, kinds in (
        (SYMBOLIC, {"file": 5, "diff": 5, "command": 8, "script": 1}),
        (EMBEDDED, {"file": 4, "diff": 4, "command": 8, "script": 2}),
        (TOUR, {"file": 0, "diff": 0, "command": 19, "script": 1}),
        (CLUSTER, {"file": 0, "diff": 0, "command": 3, "script": 0}),
        (AGENT, {"file": 6, "diff": 6, "command": 6, "script": 0}),
    ):
        found = [step.kind for step in steps(document)]
        assert {kind: found.count(kind) for kind in kinds} == kinds


def test_an_edit_that_fits_nowhere_is_refused(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    edit("--- a.py\n x = 1\n+y = 2\n", tmp_path)
    assert (tmp_path / "a.py").read_text() == "x = 1\ny = 2\n"
    with pytest.raises(AssertionError, match="0 times"):
        edit("--- a.py\n z = 1\n+y = 2\n", tmp_path)


def test_a_command_that_fails_is_told(tmp_path):
    with pytest.raises(AssertionError, match="no environment 'mujothre'"):
        run(["-m", "launch.cli", "watch", "random", "--environment", "mujothre"], tmp_path)
    with pytest.raises(AssertionError, match="there already"):
        follow(Step("file", "", "a.py"), _with(tmp_path, "a.py"))


def _with(folder, name):
    (folder / name).touch()
    return folder
