"""report.html: what stands in it, that it needs nothing else, and how a browser lays it out."""

import json
import re
import shutil
import subprocess
from dataclasses import asdict, replace

import numpy as np
import pytest

from environments.embedded.boards.registration import MujoxoOptions
from environments.hints.options import HintOptions
from experiments import registry
from launch import cli, clips, configuration, results, versions
from launch.clips import Clip
from launch.loggers import CSVLogger
from launch.report.curves import bootstrap, statistic_of
from launch.results import Result
from launch.run_folder import RunFolder, create
from tests.launch.reports import of_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
COLUMNS = ("frames", "seconds", "success_rate", "frames_per_second", "staleness/versions_mean")
UPDATES = (*COLUMNS, "updates")
BROAD = """<style>html {width: 400px}</style><script>
addEventListener("load", () => {
  const outside = [...document.body.querySelectorAll("*")].filter(x => !x.closest(".scroll *"));
  const right = Math.max(...outside.map(x => x.getBoundingClientRect().right));
  document.title = "right " + Math.ceil(right);
});</script></head>"""


def write(path, name="sokoban_small", *, seed=0, rate=0.5, columns=COLUMNS, **changes) -> RunFolder:
    """A run folder as training leaves it, with an evaluation."""
    folder = create(path)
    experiment = replace(registry.load(name), seed=seed, **changes)
    configuration.save(experiment, folder.config)
    logger = CSVLogger(folder.metrics, columns)
    for i in range(1, 101):
        row = (i * experiment.max_frames // 100, 3.0 * i, rate * i / 100, 1000 + i, 0.5, 40 * i)
        logger.write(dict(zip(columns, row, strict=False)))
    logger.close()
    return folder


def evaluated(folder: RunFolder, suite: str, outcomes: dict[str, int], **changes) -> Result:
    """A result after all frames of the run, kept in its folder."""
    result = of_run(folder, suite, outcomes, **changes)
    results.keep(result, folder.evaluation)
    return result


def page(*args) -> str:
    assert cli.main(["report", *map(str, args)]) == 0
    out = args[args.index("--out") + 1] if "--out" in args else args[0] / "report"
    return (out / "report.html").read_text()


@pytest.fixture
def runs(tmp_path):
    """Three runs, of which two differ in their seeds alone, with videos and evaluations."""
    found = [
        write(tmp_path / "a", seed=0),
        write(tmp_path / "b", seed=1),
        write(tmp_path / "c", "sokoban_boxoban", rate=0.2),
    ]
    for folder in found:
        for thinking in (0, 4):
            outcomes = {"solved": 50 + thinking, "unsolved": 50 - thinking}
            evaluated(folder, "small_held_out", outcomes, thinking_steps=thinking)
    videos = found[0].videos
    videos.mkdir()
    for name, successes in (("won", (True,)), ("lost", (False,))):
        (videos / f"{name}.mp4").write_bytes(b"\0" * 1000)
        clips.write(Clip(videos / f"{name}.mp4", (name,), successes, imagined=False))
    return found


def test_all_that_there_is_stands_in_one_file(runs, tmp_path):
    text = page(*(run.path for run in runs), "--out", tmp_path / "out")
    assert len(text) < 15_000_000
    sections = re.findall(r'<section id="(\w+)"', text)
    assert sections == [
        *("evaluations", "learning", "thinking", "videos"),
        *("compared", "throughput", "configuration"),
    ]
    assert "<h3>Successes</h3>" in text
    assert "<h3>Failures</h3>" in text
    assert text.count("data:video/mp4") == 2
    assert text.count("data:image/png") >= 2 * 4
    # Nothing is loaded from elsewhere, and nothing runs.
    assert not re.search(r'(src|href|srcset)="(?!data:)', text)
    assert "<script" not in text


def test_updates_are_told_of_runs_that_count_them(tmp_path):
    for name, columns, said in (("with", UPDATES, True), ("without", COLUMNS, False)):
        text = page(write(tmp_path / name, columns=columns).path)
        assert (">updates</th>" in text) == said
        assert (">4.0k</td>" in text) == said


def test_success_is_told_first_and_versions_last(runs, tmp_path):
    runs[0].versions.write_text(json.dumps(versions.collect()))
    text = page(*(run.path for run in runs), "--out", tmp_path / "out")
    sections = re.findall(r'<section id="(\w+)"', text)
    assert (sections[0], sections[-1]) == ("evaluations", "versions")


def test_what_differs_is_told_and_what_does_not_is_folded(runs, tmp_path):
    text = page(*(run.path for run in runs), "--out", tmp_path / "out")
    differing, common = text.split("<summary>Keys that all")
    assert ">environment.levels</td>" in differing
    assert ">environment.levels</td>" not in common
    assert ">seed</td>" not in text


def test_names_are_no_markup(tmp_path):
    folder = write(tmp_path / "<b>&")
    evaluated(folder, "<script>", {"solved": 1, "unsolved": 1})
    text = page(folder.path, "--out", tmp_path / "out")
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_names_are_no_formulas(tmp_path):
    """Nor are columns of games whose names hold a dollar sign."""
    for name, frames in (("a$^b$", 1000), ("$c_d_e$", 2000)):
        folder = write(tmp_path / name, max_frames=frames)
        for thinking in (0, 4):
            evaluated(folder, "$x^y^z$", {"solved": 1, "unsolved": 1}, thinking_steps=thinking)
    text = page(tmp_path, "--out", tmp_path / "out")
    assert "sokoban_small a$^b$" in text
    assert "$x^y^z$: success by thinking steps" in text


def test_videos_that_do_not_fit_are_named(tmp_path):
    folder = write(tmp_path / "run")
    folder.videos.mkdir()
    large, small = folder.videos / "large.mp4", folder.videos / "small.mp4"
    large.write_bytes(b"\0" * 12_000_000)
    small.write_bytes(b"\0" * 1000)
    text = page(folder.path)
    assert len(text) < 15_000_000
    assert text.count("data:video/mp4") == 1
    assert f"stays below 15 MB: {large}" in text


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_nothing_but_tables_is_broader_than_a_telephone(runs, tmp_path):
    text = page(*(run.path for run in runs), "--out", tmp_path / "out")
    narrow = tmp_path / "narrow.html"
    narrow.write_text(text.replace("</head>", BROAD, 1))
    done = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", narrow.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (right,) = re.findall(r"<title>right (\d+)</title>", done.stdout)
    assert 300 < int(right) <= 400


def test_the_embodiment_gap(tmp_path):
    """A hinted run that was trained, one that was not, the script, and what stays empty."""
    game = write(tmp_path / "hinted", "mujoxo_hinted")
    played = evaluated(game, "random", {"win": 60, "draw": 30, "loss": 10, "unfinished": 0})
    short = write(tmp_path / "unhinted", "mujoxo_unhinted")
    evaluated(short, "random", {"win": 10, "draw": 0, "loss": 90, "unfinished": 0}, frames=1000)
    script = tmp_path / "scripted.json"
    all_won = {"outcomes": {"win": 100}, "rate": 1.0, "ci95": (0.9, 1.0)}
    scripted = replace(played, run="scripted", frames=0, **all_won)
    script.write_text(json.dumps([asdict(scripted)]))
    page(game.path, short.path, script, "--out", tmp_path / "out")
    rows = json.loads((tmp_path / "out" / "report.json").read_text())["embodiment"]
    assert [row["game"] for row in rows] == ["mujoban", "mujoxo", "mujogo"]
    cells = rows[1]["cells"]
    assert set(cells) == {"scripted", "hinted", "features"}  # unhinted: it has only just begun
    assert cells["hinted"]["rate"] == 0.6
    assert cells["scripted"]["rate"] == 1.0
    assert "90.0% not lost" in (tmp_path / "out" / "report.txt").read_text()


def test_a_camera_makes_vision(tmp_path):
    environment = MujoxoOptions(
        opponent="random", front_camera=(64, 64), hints=HintOptions("optimal", kind="none")
    )
    folder = write(tmp_path / "run", "mujoxo_unhinted", environment=environment)
    evaluated(folder, "random", {"win": 50, "draw": 0, "loss": 50, "unfinished": 0})
    page(folder.path)
    rows = json.loads((folder.path / "report" / "report.json").read_text())["embodiment"]
    assert set(rows[1]["cells"]) == {"vision"}


def test_the_middle_of_seeds_by_hand():
    values = np.array([0.0, 0.2, 0.4, 1.0])[:, None]
    name, statistic = statistic_of(4)
    assert (name, statistic(values)[0]) == ("interquartile mean", pytest.approx(0.3))
    name, statistic = statistic_of(3)
    assert (name, statistic(values[:3])[0]) == ("mean", pytest.approx(0.2))
    low, high = bootstrap(values[:3], statistic)[:, 0]
    assert 0 <= low < 0.2 < high < 0.41
    assert np.ptp(bootstrap(values[:1], statistic)) == 0
