"""Reports: numbers worked out by hand, from files as runs write them."""

import json
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from experiments import registry
from experiments.base import Evaluation
from launch import cli, configuration
from launch.evaluation import wilson
from launch.loggers import CSVLogger
from launch.report.summaries import mean_interval
from launch.run_folder import create

EXPERIMENT = replace(
    registry.load("sokoban_small"),
    evaluation=Evaluation(suites=("small_held_out",), episodes=100, every_frames=10),
)
COLUMN = "evaluation/small_held_out"


def write(path: Path, points, *, seed=0, before=None, column=COLUMN) -> Path:
    """A run folder with rows of `frames, rate`."""
    folder = create(path)
    configuration.save(replace(EXPERIMENT, seed=seed), folder.config)
    logger = CSVLogger(folder.metrics, ("frames", "success_rate", COLUMN))
    for frames, rate in points:
        logger.write({"frames": frames, "success_rate": rate / 2, column: rate})
    logger.close()
    if before:
        (path / "prerequisites.json").write_text(json.dumps(before))
    return path


def evaluation(path: Path, rate: float, frames: int, **changes) -> dict:
    result = {
        "run": str(path),
        "frames": frames,
        "environment": "sokoban",
        "options": {"levels": "generated:size=10,boxes=1"},
        "suite": "boxes_1",
        "thinking_steps": 0,
        "episodes": 200,
        "outcomes": {"solved": round(200 * rate), "unsolved": 200 - round(200 * rate)},
        "rate": rate,
        "ci95": wilson(round(200 * rate), 200),
        "mean_return": 10 * rate,
        "metrics": {},
    } | changes
    if path.is_dir():
        (path / "evaluation").mkdir(exist_ok=True)
        name = f"{frames}_{len(list((path / 'evaluation').iterdir()))}.json"
        (path / "evaluation" / name).write_text(json.dumps(result))
    return result


@pytest.fixture
def sweep(tmp_path) -> Path:
    """Two seeds of `imagines`, whose model took 50 + 5 frames; one run that has only just begun."""
    before = {"model": {"from": "x", "frames": 50, "prerequisite_frames": 5}}
    sweep = tmp_path / "sweep"
    for seed, last in ((0, 0.5), (1, 0.7)):
        points = [(10, 0.1), (20, 0.2), (30, last), (40, 0.9)][: 4 - seed]
        run = write(sweep / "imagines" / f"seed-{seed}", points, seed=seed, before=before)
        evaluation(run, 0.1, 20)
        cost = {"model_steps_per_solved": 100.0 + 50 * seed, "model_steps_solved": 80.0}
        evaluation(run, 0.4 + 0.2 * seed, 30, metrics=cost)
    nested = sweep / "imagines" / "seed-0" / "prerequisites" / "model"
    write(nested, [(50, 0.9)])  # is no run of the sweep
    write(sweep / "free" / "seed-0", [])
    return sweep


def report(*args: object) -> dict:
    assert cli.main(["report", *map(str, args)]) == 0
    out = Path(str(args[-1])) if "--out" in args else Path(str(args[0])) / "report"
    return json.loads((out / "report.json").read_text())


def test_curves_by_hand(sweep, capsys):
    found = report(sweep)
    (curve,) = found["curves"]  # `free` has no rows yet
    assert (curve["label"], curve["seeds"]) == ("imagines", 2)
    assert curve["frames"] == [65, 75, 85]  # 55 before; as far as the slower seed has come
    assert curve["mean"] == pytest.approx([0.05, 0.1, 0.3])
    assert curve["lowest"] == pytest.approx([0.05, 0.1, 0.25])
    assert curve["highest"] == pytest.approx([0.05, 0.1, 0.35])
    assert found["column"] == "success_rate"  # `free` was not yet evaluated
    picture = matplotlib.image.imread(sweep / "report" / "curves.png")
    assert picture.shape[0] > 400
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 10
    assert "3 runs" in capsys.readouterr().err


def test_evaluations_as_training_goes_on_are_preferred(sweep):
    found = report(sweep / "imagines", "--out", sweep / "out")
    assert found["column"] == COLUMN
    assert found["curves"][0]["mean"] == pytest.approx([0.1, 0.2, 0.6])


def test_evaluations_by_hand(sweep, capsys):
    found = {each["suite"]: each for each in report(sweep)["evaluations"]}
    held_out, boxes = found["small_held_out"], found["boxes_1"]
    assert held_out["rate"] == pytest.approx((0.9 + 0.7) / 2)  # the last rows
    assert held_out["frames"] == 30 + 55
    assert boxes["rate"] == pytest.approx(0.5)  # the newest files
    assert (boxes["mean_return"], held_out["mean_return"]) == (pytest.approx(5.0), None)
    assert (boxes["lowest"], boxes["highest"]) == (pytest.approx(0.4), pytest.approx(0.6))
    assert boxes["ci95"] == pytest.approx([0.0, 1.0])  # of two seeds: 0.5 +- 12.7 * 0.1
    assert (boxes["model_steps_per_solved"], boxes["model_steps_solved"]) == (125.0, 80.0)
    out = capsys.readouterr().out
    assert out == (sweep / "report" / "report.txt").read_text()
    assert "50.0%" in out
    assert "125" in out


def test_an_evaluation_beside_training_is_of_the_frames_that_its_policy_had(tmp_path):
    """It is written into a later row, as the runners `local` and `ray` do."""
    folder = create(tmp_path / "run")
    configuration.save(EXPERIMENT, folder.config)
    logger = CSVLogger(folder.metrics, ("frames", "success_rate", COLUMN, "evaluated_frames"))
    for frames, evaluated in ((10, 0), (20, 10), (30, 20), (40, 30)):
        told = {COLUMN: evaluated / 100, "evaluated_frames": evaluated} if evaluated else {}
        logger.write({"frames": frames, "success_rate": 0.5} | told)
    logger.close()
    found = report(tmp_path / "run")
    (curve,), (summary,) = found["curves"], found["evaluations"]
    assert found["column"] == COLUMN
    assert (curve["frames"], curve["mean"]) == ([10, 20, 30], pytest.approx([0.1, 0.2, 0.3]))
    assert (summary["frames"], summary["rate"]) == (30, pytest.approx(0.3))


def test_a_baseline_beside_runs(sweep, tmp_path):
    path = tmp_path / "mcts.json"
    cost = {"model_steps_per_solved": 1e4, "model_steps_solved": 9e3, "simulations": 200}
    path.write_text(json.dumps([evaluation(Path("mcts"), 0.95, 0, metrics=cost)]))
    found = [x for x in report(sweep, path)["evaluations"] if x["suite"] == "boxes_1"]
    assert [(x["label"], x["simulations"], x["rate"]) for x in found] == [
        ("imagines", 0, pytest.approx(0.5)),
        ("mcts", 200, 0.95),
    ]
    assert found[1]["ci95"] == pytest.approx(wilson(190, 200))
    table = (sweep / "report" / "report.txt").read_text()
    assert table.index("mcts, 200 simulations") < table.rindex("imagines")


def test_games_that_can_be_drawn_tell_all_their_outcomes(tmp_path):
    for seed, (win, draw) in enumerate(((150, 40), (130, 20))):
        run = write(tmp_path / "plays" / f"seed-{seed}", [])
        outcomes = {"win": win, "draw": draw, "loss": 200 - win - draw, "unfinished": 0}
        evaluation(run, win / 200, 20, suite="optimal", outcomes=outcomes)
    (found,) = report(tmp_path)["evaluations"]
    assert found["outcomes"] == pytest.approx(
        {"win": 0.7, "draw": 0.15, "loss": 0.15, "unfinished": 0.0}
    )
    lines = (tmp_path / "report" / "report.txt").read_text().splitlines()
    (names,) = [line for line in lines if "label" in line]
    assert [each.strip(" ┃") for each in names.split("┃")][-4:-1] == ["draw", "loss", "unfinished"]
    (row,) = [line for line in lines if line.startswith("│ plays")]
    assert [each.strip() for each in row.split("│")][-4:-1] == ["15.0%", "15.0%", "0.0%"]


def test_what_another_run_began_with_is_a_part_of_it(tmp_path):
    model = write(tmp_path / "model" / "seed-0", [(10, 0.1), (20, 0.2)])
    before = {"model": {"from": str(model), "frames": 20, "prerequisite_frames": 0}}
    write(tmp_path / "agent" / "seed-0", [(5, 0.1), (15, 0.2)], before=before)
    (curve,) = report(tmp_path)["curves"]
    assert (curve["label"], curve["frames"]) == ("agent", [25, 35])


def test_runs_outside_a_sweep_are_seeds_of_one_experiment_if_nothing_else_differs(tmp_path):
    points = [(10, 0.1), (20, 0.2), (30, 0.3)]
    runs = [write(tmp_path / name, points, seed=seed) for seed, name in enumerate("ab")]
    (curve,) = report(*runs, "--out", tmp_path / "one")["curves"]
    assert (curve["label"], curve["seeds"]) == ("sokoban_small", 2)
    config = json.loads((runs[1] / "config.json").read_text())
    config["agent"]["depth"] = 2
    (runs[1] / "config.json").write_text(json.dumps(config))
    found = report(*runs, "--out", tmp_path / "two")["curves"]
    assert [curve["label"] for curve in found] == ["sokoban_small a", "sokoban_small b"]


def test_the_interval_of_a_mean_as_in_tables_of_student():
    """t is 4.303 for 2 degrees of freedom."""
    low, high = mean_interval(np.array([0.4, 0.5, 0.6]))
    half = 4.303 * 0.1 / np.sqrt(3)
    assert (low, high) == (pytest.approx(0.5 - half, abs=1e-4), pytest.approx(0.5 + half, abs=1e-4))
    assert mean_interval(np.array([0.1, 0.99])) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "say what to report on"),
        (["nowhere"], "nowhere does not exist"),
        (["."], "holds no run"),
        (["file.json", "--out", "out"], "is not what moravec evaluate --json prints"),
        (["file.json"], "give --out DIR"),
    ],
)
def test_mistakes_are_said_in_one_line(args, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("file.json").write_text('{"rate": 1}')
    assert cli.main(["report", *args]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


def test_suites_of_a_family_are_played_together():
    from experiments.suites import SUITES, expand, levels_of

    assert expand(("boxes", "hard")) == (*(f"boxes_{n}" for n in range(1, 8)), "hard")
    assert len(expand(("small_boxes",))) == 6
    assert all("split=held_out" in levels_of(suite) for suite in expand(("boxes", "small_boxes")))
    assert set(expand(("boxes", "small_boxes"))) <= set(SUITES)
