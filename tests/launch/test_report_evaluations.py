"""Evaluations in a report: none is confused with another."""

import dataclasses
import json

from launch.run_folder import RunFolder
from tests.launch.reports import (
    POINTS,
    evaluated,
    keep,
    of_run,
    printed,
    report,
    write,
)


def spelt(found: dict) -> list[tuple]:
    names = ("label", "simulations", "model", "thinking_steps", "evaluation_seed", "rate")
    return sorted(tuple(each[name] for name in names) for each in found["evaluations"])


def test_searches_with_the_rules_and_with_models_stand_apart(tmp_path):
    """Two models that are called alike too; and what differs in simulations, thoughts, seeds."""
    run = write(tmp_path / "run")
    settings = [
        {},
        {"simulations": 50},
        {"simulations": 60},
        {"simulations": 50, "model": "/a/model"},
        {"simulations": 50, "model": "/b/model"},
        {"thinking_steps": 4},
        {"seed": 7},
    ]
    for solved, changes in enumerate(settings):
        keep(run, "boxes_1", solved, **changes)
    assert len(list((run / "evaluation").iterdir())) == len(settings)
    assert spelt(report(run)) == [
        ("sokoban_small", 0, "", 0, 0, 0.0),
        ("sokoban_small", 0, "", 0, 7, 6 / 200),
        ("sokoban_small", 0, "", 4, 0, 5 / 200),
        ("sokoban_small", 50, "", 0, 0, 1 / 200),
        ("sokoban_small", 50, "a/model", 0, 0, 3 / 200),
        ("sokoban_small", 50, "b/model", 0, 0, 4 / 200),
        ("sokoban_small", 60, "", 0, 0, 2 / 200),
    ]
    table = (run / "report" / "report.html").read_text()
    for name in ("50 simulations with the model a/model", "4 thinking", "evaluated with seed 7"):
        assert f"sokoban_small, {name}</td>" in table


def test_seeds_that_search_with_models_of_their_own_are_seeds(tmp_path):
    for seed in (0, 1):
        run = write(tmp_path / "plays" / f"seed-{seed}", seed=seed)
        keep(run, "boxes_1", 100, simulations=5, model=f"/sweep/model/seed-{seed}")
    (found,) = report(tmp_path)["evaluations"]
    assert (found["seeds"], found["model"]) == (2, "model")


def test_results_in_other_environments_are_no_seeds_of_each_other(tmp_path):
    """Of one name, on one suite: another game, or other options."""
    short = evaluated("random", "boxes_1", 10, options={"time_limit": [25, 30]})
    other = evaluated("random", "boxes_1", 30, environment="mujoban")
    plain = evaluated("random", "boxes_1", 20)
    path = printed(tmp_path / "random.json", short, plain, plain, other)
    found = report(path, path, "--out", tmp_path / "out")["evaluations"]
    assert [(x["environment"], x["label"], x["seeds"], x["rate"]) for x in found] == [
        ("mujoban", "random", 1, 0.15),
        ("sokoban", "random, time_limit [115, 120]", 1, 0.1),
        ("sokoban", "random, time_limit [25, 30]", 1, 0.05),
    ]
    assert "mujoban, boxes_1: success" in (tmp_path / "out" / "report.html").read_text()


def test_results_of_older_versions_are_read(tmp_path):
    """They told simulations among the metrics, and the model in the name of the file."""
    run = write(tmp_path / "run")
    result = dataclasses.asdict(evaluated(run, "boxes_1", 100))
    for name in ("simulations", "model", "model_frames"):
        del result[name]
    (run / "evaluation").mkdir()
    for name, metrics in (
        ("10_boxes-1_200_thinking0_seed0.json", {}),
        ("10_boxes-1_200_thinking0_seed0_simulations50.json", {"simulations": 50}),
        ("10_boxes-1_200_thinking0_seed0_simulations50_my_model.json", {"simulations": 50}),
    ):
        (run / "evaluation" / name).write_text(json.dumps(result | {"metrics": metrics}))
    assert spelt(report(run)) == [
        ("sokoban_small", 0, "", 0, 0, 0.5),
        ("sokoban_small", 50, "", 0, 0, 0.5),
        ("sokoban_small", 50, "my_model", 0, 0, 0.5),
    ]


def test_results_of_a_run_that_is_elsewhere_stand_apart_by_its_frames(tmp_path):
    """Of the same policy the evaluation of most episodes counts, as in run folders."""
    printed_ones = [
        evaluated("far/away", "boxes_1", 100, frames=1000),
        evaluated("far/away", "boxes_1", 160, frames=2000),
        evaluated("far/away", "boxes_1", 10, frames=2000, episodes=20),
    ]
    path = printed(tmp_path / "printed.json", *printed_ones)
    found = report(path, "--out", tmp_path / "out")["evaluations"]
    assert [(x["label"], x["seeds"], x["rate"]) for x in found] == [
        ("far/away, 1,000 frames", 1, 0.5),
        ("far/away, 2,000 frames", 1, 0.8),
    ]


def test_a_file_that_is_no_result_is_left_out_with_a_line(tmp_path, caplog):
    run = write(tmp_path / "run")
    keep(run, "boxes_1", 100)
    broken = [run / "evaluation" / name for name in ("broken.json", "foreign.json")]
    for path, text in zip(broken, ("{", '{"name": "notes"}'), strict=True):
        path.write_text(text)
    (found,) = report(run)["evaluations"]
    assert found["rate"] == 0.5
    assert len(caplog.messages) == 2
    for path, line in zip(broken, caplog.messages, strict=True):
        assert line.startswith("left out: ")
        assert str(path) in line
        assert len(line.splitlines()) == 1


def test_what_was_printed_of_a_run_is_of_that_run_in_its_own_environment_alone(tmp_path):
    """As of a pretrained one, into whose folder nothing is written."""
    run = write(tmp_path / "run", POINTS)
    own = of_run(RunFolder(run), "boxes_1", {"solved": 3, "unsolved": 7}, frames=20)
    other = dataclasses.replace(own, options=own.options | {"time_limit": [1, 2]})
    keep(run, "boxes_1", 10, frames=10)
    path = printed(tmp_path / "printed.json", own, other)
    found = report(run, path, "--out", tmp_path / "out")["evaluations"]
    assert [(x["label"], x["frames"], x["rate"]) for x in found] == [
        (f"{run}, time_limit [1, 2]", 20, 0.3),
        ("sokoban_small", 20, 0.3),
    ]
