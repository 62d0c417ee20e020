"""Reports: numbers worked out by hand, from files as runs write them."""

from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import registry
from launch import cli, configuration, results
from launch.loggers import CSVLogger
from launch.report.summaries import interval
from launch.results import wilson
from launch.run_folder import create
from tests.launch.reports import (
    COLUMN,
    EXPERIMENT,
    POINTS,
    evaluated,
    keep,
    of_run,
    printed,
    report,
    write,
)


@pytest.fixture
def sweep(tmp_path) -> Path:
    """Two seeds of `imagines`, whose model took 50 + 5 frames; one run that has only just begun."""
    before = {"model": {"from": "x", "frames": 50, "prerequisite_frames": 5}}
    sweep = tmp_path / "sweep"
    for seed, last in ((0, 0.5), (1, 0.7)):
        points = [(10, 0.1), (20, 0.2), (30, last), (40, 0.9)][: 4 - seed]
        run = write(sweep / "imagines" / f"seed-{seed}", points, seed=seed, before=before)
        keep(run, "boxes_1", 20, frames=20)
        cost = {"model_steps_per_solved": 100.0 + 50 * seed, "model_steps_solved": 80.0}
        keep(run, "boxes_1", 80 + 40 * seed, frames=30, mean_return=4.0 + 2 * seed, metrics=cost)
    nested = sweep / "imagines" / "seed-0" / "prerequisites" / "model"
    write(nested, [(50, 0.9)])  # is no run of the sweep
    write(sweep / "free" / "seed-0")
    return sweep


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
    (boxes,) = report(sweep)["evaluations"]  # rates in the metrics alone are no evaluation
    assert (boxes["label"], boxes["suite"], boxes["seeds"]) == ("imagines", "boxes_1", 2)
    assert boxes["rate"] == pytest.approx(0.5)  # the newest files
    assert (boxes["frames"], boxes["episodes"]) == (30 + 55, 200)
    assert boxes["mean_return"] == pytest.approx(5.0)
    assert (boxes["lowest"], boxes["highest"]) == (pytest.approx(0.4), pytest.approx(0.6))
    assert boxes["ci95"] == pytest.approx([0.0, 1.0])  # of two seeds: 0.5 +- 12.7 * 0.1
    assert (boxes["model_steps_per_solved"], boxes["model_steps_solved"]) == (125.0, 80.0)
    out = capsys.readouterr().out
    assert out == (sweep / "report" / "report.txt").read_text()
    assert "50.0%" in out
    assert "125" in out


def test_the_newest_evaluation_counts_and_of_equally_new_ones_the_longest(tmp_path):
    run = write(tmp_path / "run")
    keep(run, "boxes_1", 150, frames=10)
    keep(run, "boxes_1", 10, frames=20, episodes=20)
    keep(run, "boxes_1", 40, frames=20, episodes=100)
    (found,) = report(run)["evaluations"]
    assert (found["frames"], found["episodes"], found["rate"]) == (20, 100, 0.4)
    assert found["ci95"] == pytest.approx(wilson(40, 100))


def test_a_curve_beside_training_is_of_the_frames_that_its_policies_had(tmp_path):
    """Rates are written into later rows, as the runners `local` and `ray` do."""
    folder = create(tmp_path / "run")
    configuration.save(EXPERIMENT, folder.config)
    logger = CSVLogger(folder.metrics, ("frames", "success_rate", COLUMN, "evaluated_frames"))
    for frames, of_frames in ((10, 0), (20, 10), (30, 20), (40, 30)):
        told = {COLUMN: of_frames / 100, "evaluated_frames": of_frames} if of_frames else {}
        logger.write({"frames": frames, "success_rate": 0.5} | told)
    logger.close()
    found = report(tmp_path / "run")
    (curve,) = found["curves"]
    assert found["column"] == COLUMN
    assert (curve["frames"], curve["mean"]) == ([10, 20, 30], pytest.approx([0.1, 0.2, 0.3]))


def test_a_run_without_results_is_named(tmp_path, capsys):
    """As runs of older versions are: their rates stand in the metrics alone."""
    run = write(tmp_path / "run", [(10, 0.1), (20, 0.2), (30, 0.3)])
    found = report(run)
    assert found["evaluations"] == []
    assert found["curves"][0]["mean"] == pytest.approx([0.1, 0.2, 0.3])
    assert f"no evaluation is kept of {run}: moravec evaluate" in capsys.readouterr().err
    assert "kept of sokoban_small:" in (run / "report" / "report.html").read_text()


def test_a_baseline_beside_runs(sweep, tmp_path):
    cost = {"model_steps_per_solved": 1e4, "model_steps_solved": 9e3}
    mcts = evaluated("mcts", "boxes_1", 190, metrics=cost, simulations=200)
    found = report(sweep, printed(tmp_path / "mcts.json", mcts))["evaluations"]
    assert [(x["label"], x["simulations"], x["rate"]) for x in found] == [
        ("imagines", 0, pytest.approx(0.5)),
        ("mcts", 200, 0.95),
    ]
    assert found[1]["ci95"] == pytest.approx(wilson(190, 200))
    table = (sweep / "report" / "report.txt").read_text()
    assert table.index("mcts, 200 simulations") < table.rindex("imagines")


def test_games_that_can_be_drawn_tell_all_their_outcomes(tmp_path):
    for seed, (win, draw) in enumerate(((150, 40), (130, 20))):
        run = write(tmp_path / "plays" / f"seed-{seed}", seed=seed)
        outcomes = {"win": win, "draw": draw, "loss": 200 - win - draw, "unfinished": 0}
        keep(run, "optimal", win, frames=20, outcomes=outcomes)
    (found,) = report(tmp_path)["evaluations"]
    assert found["outcomes"] == pytest.approx(
        {"win": 0.7, "draw": 0.15, "loss": 0.15, "unfinished": 0.0}
    )
    lines = (tmp_path / "report" / "report.txt").read_text().splitlines()
    (names,) = [line for line in lines if "label" in line]
    assert [each.strip(" ┃") for each in names.split("┃")][-4:-1] == ["draw", "loss", "unfinished"]
    (row,) = [line for line in lines if line.startswith("│ plays")]
    assert [each.strip() for each in row.split("│")][-4:-1] == ["15.0%", "15.0%", "0.0%"]


def test_the_interval_of_a_mean_as_in_tables_of_student():
    """t is 4.303 for 2 degrees of freedom."""
    low, high = interval([0.4, 0.5, 0.6], [10**6] * 3)
    half = 4.303 * 0.1 / np.sqrt(3)
    assert (low, high) == (pytest.approx(0.5 - half, abs=1e-4), pytest.approx(0.5 + half, abs=1e-4))
    assert interval([0.1, 0.99], [100, 100]) == (0.0, 1.0)


def test_seeds_that_agree_leave_the_doubt_of_their_episodes():
    assert interval([1.0, 1.0, 1.0], [200] * 3) == pytest.approx(wilson(600, 600))
    assert interval([0.9], [200]) == pytest.approx(wilson(180, 200))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_an_interval_holds_the_mean_and_all_that_wilson_has(solved):
    low, high = interval([count / 50 for count in solved], [50] * len(solved))
    narrow = wilson(sum(solved), 50 * len(solved))
    assert 0 <= low <= narrow[0] + 1e-9
    assert narrow[1] - 1e-9 <= high <= 1
    assert low - 1e-9 <= sum(solved) / 50 / len(solved) <= high + 1e-9


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


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("prerequisites.json", "{"),
        ("prerequisites.json", '{"model": {"from": "x"}}'),
        ("initial_policy.json", '{"run": "x"}'),
        ("metrics.csv", "frames\nmany\n"),
    ],
)
def test_a_damaged_record_is_said_in_one_line(file, text, tmp_path, capsys):
    run = write(tmp_path / "run", POINTS)
    if file == "initial_policy.json":
        (run / "initial_policy.npz").write_bytes(b"")
    (run / file).write_text(text)
    assert cli.main(["report", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert file in line


def test_options_without_hints_are_unhinted(tmp_path):
    """A result of a version that had none."""
    folder = create(tmp_path / "run")
    experiment = registry.load("mujoxo_unhinted")
    configuration.save(experiment, folder.config)
    result = of_run(folder, "random", {"win": 5, "draw": 0, "loss": 5})
    options = {name: result.options[name] for name in ("opponent", "task")}
    results.keep(replace(result, options=options), folder.evaluation)
    (row,) = [r for r in report(folder.path)["embodiment"] if r["game"] == "mujoxo"]
    assert set(row["cells"]) == {"unhinted", "features"}


def test_suites_of_a_family_are_played_together():
    from experiments.suites import SUITES, expand, levels_of

    assert expand(("boxes", "hard")) == (*(f"boxes_{n}" for n in range(1, 8)), "hard")
    assert len(expand(("small_boxes",))) == 6
    assert all("split=held_out" in levels_of(suite) for suite in expand(("boxes", "small_boxes")))
    assert set(expand(("boxes", "small_boxes"))) <= set(SUITES)
