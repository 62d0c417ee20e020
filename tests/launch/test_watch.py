"""`moravec watch`: videos that are read back, of all who play, and what is refused."""

import pytest

from environments.errors import UserError
from launch import cli, watch
from tests.launch.commands import LEVELS, moravec
from tests.launch.videos import read


def run(capsys, *args) -> str:
    """Runs `moravec watch ARGS` in this process; what it prints."""
    assert cli.main(["watch", *map(str, args)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_solver_on_sokoban(capsys, tmp_path, suffix):
    out = tmp_path / f"v.{suffix}"
    said = run(capsys, "solver", "--suite", LEVELS, "--episodes", 2, "--out", out, "--size", 100)
    lines = said.splitlines()
    steps = [int(line.split(", ")[1].split()[0]) for line in lines[:2]]
    assert [line.split(",")[0] for line in lines[:2]] == ["level 0: solved", "level 1: solved"]
    # A second of the first and the last picture of each, at 4 pictures a second.
    pictures = sum(steps) + 2 * (4 + 4)
    assert lines[2] == f"{out}: {pictures} pictures, {pictures / 4:.1f} s"
    frames, height, width, _ = read(out).shape
    assert frames == pictures
    assert width % 2 == height % 2 == 0
    assert (width, height) >= (100, 140)


@pytest.mark.usefixtures("pictures")
def test_an_embedded_game_shows_scene_and_board(capsys, tmp_path):
    out = tmp_path / "v.mp4"
    args = ("--environment", "mujoban", "--suite", LEVELS, "--out", out, "--size", 96)
    said = run(capsys, "scripted", *args, "--fps", 10)
    assert said.startswith("level 0: solved, ")
    shown = read(out)
    frames, _, width, _ = shown.shape
    steps = int(said.split(", ")[1].split()[0])
    assert frames == steps + 20
    assert width >= 96 * 4 // 3 + 96
    scene, board = shown[:, :96, :128], shown[:, :96, 136:]
    assert scene[0].std() > 20, "there is nothing to see"
    assert (scene[0] != scene[-1]).any()
    assert (board[0] != board[-1]).any()


@pytest.mark.usefixtures("pictures")
def test_an_episode_is_left_after_some_seconds(capsys, tmp_path):
    out = tmp_path / "v.mp4"
    args = ("--environment", "mujoban", "--suite", LEVELS, "--out", out, "--size", 64)
    said = run(capsys, "random", *args, "--seconds", 1, "--fps", 10)
    assert said.startswith("level 0: left after 1 s of video, 10 steps")
    assert len(read(out)) == 30


def test_the_same_seed_is_the_same_video(capsys, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        out = tmp_path / f"{name}.mp4"
        run(capsys, "random", "--suite", LEVELS, "--seed", seed, "--out", out, "--seconds", 5)
    a, b, c = ((tmp_path / f"{name}.mp4").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_options_of_the_environment(capsys, tmp_path):
    out = tmp_path / "v.mp4"
    said = run(
        capsys,
        *("random", "--environment", "sokoban", "--environment.time-limit", 3, 3),
        *("--environment.levels", LEVELS, "--out", out),
    )
    assert "3 steps" in said


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["mujoxo", "mujogo", "touch_board"])
def test_board_games(capsys, tmp_path, environment):
    out = tmp_path / "v.mp4"
    args = ("--environment", environment, "--environment.opponent", "random", "--out", out)
    said = run(capsys, "random", *args, "--seconds", 1, "--size", 96)
    assert said.startswith("game 1: ")
    assert len(read(out)) == 20 + 2 * 20


def test_a_run_lies_in_its_own_folder(trained, tmp_path):
    done = moravec("watch", trained, "--episodes", 2, "--out", tmp_path / "v.gif")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("level 0: ")
    arguments = watch.parse([str(trained)])
    assert watch._default_out(arguments).parent == trained / "videos"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "say first who plays"),
        (("nobody",), "nobody is neither a run folder nor one of random, scripted, solver"),
        (("random", "--environment", "sokobam"), "did you mean 'sokoban'"),
        (("random", "--environment"), "--environment needs a name"),
        (("random", "--out", "v.avi"), r"must end in \.mp4 or \.gif"),
        (("random", "--episodes", "0"), "--episodes must be from 1"),
        (("random", "--size", "10"), "--size must be at least 64"),
        (("random", "--fps", "0.01"), "--fps must be at least 0.1"),
        (("random", "--suite", "nonsense"), "there is no suite 'nonsense'"),
        (("solver", "--environment", "mujoban"), "the solver plays sokoban alone"),
    ],
)
def test_refusals(args, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        watch.main(list(args))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.mp4"))
