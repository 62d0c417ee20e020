"""A user's mistakes: one line that says what to do, status 2, nothing half-written."""

import socket
from pathlib import Path

import pytest

from environments.errors import UserError
from launch import cli
from tests.launch.commands import LEVELS, TINY, copied, moravec

ROOM = "#####\n#@$.#\n#   #\n#   #\n#####\n"


@pytest.fixture
def run(tmp_path):
    """Where a run would go; checks that nothing went there."""
    path = tmp_path / "run"
    yield path
    assert not path.exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["trian"], ["command 'trian'", "did you mean 'train'?"]),
        (["train", "sokoban_smal"], ["experiment 'sokoban_smal'", "mean 'sokoban_small'?"]),
        (["train", "--config"], ["--config needs a file"]),
        (["train", "--config", "/nonexistent"], ["cannot read /nonexistent: no such file"]),
        (["train", "--config", __file__], ["is not JSON"]),
        (["train", "--config", "c.json", "sokoban_small"], ["--config or the experiment"]),
        (["train", "--resume", "/nonexistent"], ["is not a run: it does not exist"]),
        (["train", "--resume", "/"], ["is not a run: it has no config.json"]),
        (["train", "--init-from", "/nonexistent"], ["is not a run"]),
        (
            ["train", "mujoxo_press", "--environment.hints.discount", "0.9"],
            ["agent.discount 0.99", "set environment.hints.discount to 0.99"],
        ),
        (["evaluate", "/nonexistent"], ["/nonexistent is neither a run folder nor one of random"]),
        (["evaluate", "random"], ["give --suite"]),
        (["evaluate", "random", "--suite", "hrad"], ["suite 'hrad'", "did you mean 'hard'?"]),
        (["evaluate", "random", "--suite", "hard", "--environment", "sokban"], ["mean 'sokoban'?"]),
        (["evaluate", "a_run", "--environment", "sokoban"], ["a run knows its own"]),
        (
            ["evaluate", "pretrained:sokoban_small", "--environment.observations", "pixels"],
            ["the policy goes by planes [6, 6, 4], but the environment shows nothing"],
        ),
        (
            [
                "watch",
                "pretrained:mujoban_tiny_hinted",
                "--environment.hints.kind=none",
                "--out=x.mp4",
            ],
            ["the policy goes by hint/target [3], but the environment shows nothing"],
        ),
        (
            ["evaluate", "pretrained:sokoban_small", "--environment.noop"],
            ["the policy has learnt other actions than the environment takes"],
        ),
        (["evaluate", "pretrained:sokoban_small", "--episodes", "-1"], ["--episodes", "-1"]),
        (
            ["evaluate", "pretrained:sokoban_small", "--thinking-steps", "0", "-2"],
            ["--thinking-steps", "-2"],
        ),
        (["evaluate", "pretrained:sokoban_small", "--thinking-steps"], ["--thinking-steps needs"]),
        (
            ["evaluate", "pretrained:sokoban_small", "--seed", str(2**64)],
            ["--seed", str(2**32 - 1)],
        ),
    ],
)
def test_wrong_arguments(mistake, tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    line = mistake(*args)
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seed", "-1"], ["seed must be at least 0, not -1"]),
        (["--seed", str(2**32)], [f"seed must be at most {2**32 - 1}"]),
        (["--max-frames", "0"], ["max_frames must be at least 1, not 0"]),
        (["--max-frames", "-7"], ["max_frames", "-7"]),
        (["--max-minutes", "-0.5"], ["max_minutes", "-0.5"]),
        (["--runner.log-frames", "0"], ["runner.log_frames", "0"]),
        (["--runner.actors", "8"], ["runner.actors is not for runner.kind=device"]),
        (["--runner.max-lag", "5"], ["runner.max_lag is not for runner.kind=device"]),
        (
            ["--runner.kind", "ray", "--runner.processes", "True"],
            ["runner.processes is for runner.kind=local"],
        ),
        (["--runner.checkpoint-minutes", "-1"], ["runner.checkpoint_minutes", "-1"]),
        (["--runner.keep-checkpoints", "0"], ["runner.keep_checkpoints", "0"]),
        (["--evaluation.episodes", "-1"], ["evaluation.episodes", "-1"]),
        (["--evaluation.suites", "small_heldout"], ["did you mean 'small_held_out'?"]),
        (["--evaluation.suites", "small_held_out"], ["6x6 do not fit a 5x5 board"]),
        (["--agent.channels", "0"], ["agent.channels", "0"]),
        (["--agent.learning-rate", "nan"], ["agent.learning_rate", "nan"]),
        (["--agent.discount", "1.5"], ["agent.discount", "1.5"]),
        (["--agent.environments", "0"], ["environments must be at least 1, not 0"]),
        (["--agent.environments", "6"], ["6 environments", "4 devices", "a multiple of 4"]),
        (["--agent.minibatches", "3"], ["4 environments", "3 equal minibatches"]),
        (["--environment.time-limit", "30", "20"], ["time_limit", "30 20"]),
        (["--environment.board", "-4", "4"], ["board", "-4 4"]),
        (["--environment.board", "4", "4"], ["5x5 do not fit a 4x4 board"]),
        (["--environment.observations"], ["observations must name at least one"]),
        (["--environment.observations", "plane"], ["did you mean 'planes'?"]),
        (["--environment.levels", ""], ["no file or folder"]),
        (["--environment.levels", "/nonexistent"], ["no file or folder"]),
        (["--environment.levels", "generated:size=5"], ["boxes is missing"]),
        (["--environment.levels", "generatd:size=5"], ["did you mean 'generated'?"]),
        (["--environment.levels", f"{LEVELS},x=1"], ["key", "'x'"]),
        (["--environment.levels", f"{LEVELS},split=heldout"], ["did you mean 'held_out'?"]),
        (["--environment.levels", LEVELS.replace("50", "-1")], ["count", "'-1'"]),
        (["--environment.levels", LEVELS.replace("boxes=1", "boxes=9")], ["9 boxes"]),
        (["--environment.levels", "boxoban:unfiltred/train"], ["mean 'unfiltered/train'?"]),
    ],
)
def test_wrong_options(mistake, run, options, words):
    line = mistake("train", *TINY, "--run-dir", run, *options)
    for word in words:
        assert word in line


@pytest.mark.parametrize("args", [["train", "--sed", "1"], ["train", "--agent.chanels", "1"]])
def test_misspelt_option(capsys, args):
    with pytest.raises(SystemExit) as end:
        cli.main(args)
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Unrecognized options" in err
    assert {"--sed": "--seed", "--agent.chanels": "--agent.channels"}[args[1]] in err


def _without(text: str, old: str, new: str) -> bytes:
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (_without(ROOM, "@", " "), ":1:1:", "no player"),
        (_without(ROOM, "#   #", "# @ #"), ":3:3:", "a second player"),
        (_without(ROOM, ".", " "), ":1:1:", "boxes and targets differ in this level: 1 and 0"),
        (_without(ROOM, "#   #", "#    "), ":3:5:", "open border"),
        (_without(ROOM, "#   #", "# x #"), ":3:3:", "unknown symbol 'x'"),
        (_without(ROOM, "#   #", "#"), ":3:5:", "open border"),
        (_without(ROOM, "@$.", "@* "), ":1:1:", "solved already"),
        (ROOM.encode()[:-3], ":5:4:", "open border"),
        (b"", ":", "is empty"),
        (bytes(range(256)), ":", "is binary"),
        (b"some words\n", ":1:1:", "there is no level here"),
    ],
)
def test_malformed_levels(mistake, run, tmp_path, data, where, what):
    path = tmp_path / "some levels.txt"
    path.write_bytes(data)
    line = mistake("train", *TINY, "--run-dir", run, "--environment.levels", path)
    assert line.startswith(f"moravec: {path}{where}")
    assert what in line


def test_folder_without_levels(mistake, run, tmp_path):
    line = mistake("train", *TINY, "--run-dir", run, "--environment.levels", tmp_path)
    assert f"{tmp_path}: this folder holds no level files" in line


def test_no_network(mistake, run, tmp_path, monkeypatch):
    monkeypatch.delenv("MORAVEC_BOXOBAN", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nobody answers
    levels = ("--environment.levels", "boxoban:unfiltered/valid")
    line = mistake("train", *TINY, "--run-dir", run, *levels)
    assert "cannot download the Boxoban levels" in line
    assert "or set MORAVEC_BOXOBAN to a folder that holds them" in line
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_run_folder_is_taken(mistake, trained, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in trained.glob("*") if path.is_file()}
    line = mistake("train", *TINY, "--run-dir", trained)
    assert "exists and is not empty" in line
    assert f"--resume {trained} continues it" in line
    assert before == {path: path.stat().st_mtime_ns for path in before}

    file = tmp_path / "file"
    file.write_text("kept")
    assert "is a file: choose another" in mistake("train", *TINY, "--run-dir", file)
    assert "not a directory" in mistake("train", *TINY, "--run-dir", file / "run")
    assert file.read_text() == "kept"


@pytest.mark.parametrize("kind", ["device", "local", "ray"])
def test_parameters_of_another_agent(mistake, trained, run, kind):
    if kind != "device":
        pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")
    options = ("--init-from", trained, "--agent.channels", "8", "--runner.kind", kind)
    assert "another network's" in mistake("train", *TINY, "--run-dir", run, *options)


@pytest.mark.parametrize("kind", ["local", "ray"])
def test_port_in_use(mistake, run, kind):
    pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        options = ("--runner.kind", kind, "--runner.port", port)
        line = mistake("train", *TINY, "--run-dir", run, *options)
    assert f"runner.port={port}" in line
    assert "in use" in line


def test_a_run_that_was_refused_before_it_began_leaves_nothing(mistake, run, monkeypatch):
    from launch.device_runner import DeviceRunner

    def refused(*_, **__):
        raise UserError("the cluster is too small")

    monkeypatch.setattr(DeviceRunner, "train", refused)
    assert "the cluster is too small" in mistake("train", *TINY, "--run-dir", run)


def test_policy_of_another_agent(mistake, trained, tmp_path):
    run = copied(trained, tmp_path / "run")
    config = run / "config.json"
    config.write_text(config.read_text().replace('"channels": 4', '"channels": 8'))
    line = mistake("evaluate", run)
    assert "policy.npz does not fit" in line
    line = mistake("train", "--resume", run)
    assert "does not fit config.json" in line


def test_levels_of_another_size_than_those_of_a_checkpoint(mistake, trained, tmp_path):
    run = copied(trained, tmp_path / "run")
    config = run / "config.json"
    config.write_text(config.read_text().replace("size=5", "size=6"))
    line = mistake("train", "--resume", run)
    assert "does not fit config.json and the levels" in line
    assert "levels of the size, with which it was written" in line


def test_checkpoint_of_another_version(mistake, trained, tmp_path, monkeypatch):
    from environments import registry

    entry = registry.entry("sokoban")
    newer = type(entry)(**{**vars(entry), "version": entry.version + 1})
    monkeypatch.setitem(registry._entries, "sokoban", newer)
    line = mistake("train", "--resume", copied(trained, tmp_path / "run"))
    assert "environment version is" in line
    assert "use the code that wrote it" in line


def test_suite_larger_than_the_board(mistake, trained):
    assert "do not fit a 5x5 board" in mistake("evaluate", trained, "--suite", "small_held_out")


def test_in_a_process(tmp_path):
    """The same from outside: status, streams, and quick."""
    done = moravec("train", "sokoban_smal", "--run-dir", tmp_path / "run")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("moravec: there is no experiment 'sokoban_smal'")
    assert done.stderr.count("\n") == 1
    done = moravec("train", *TINY, "--quiet", "--evaluation.suites", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("moravec: there is no suite 'nope'")
    assert done.stderr.count("\n") == 1
    assert not Path("runs/sokoban_small").exists()
