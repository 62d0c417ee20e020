"""Which runs a report is about, and which of them are seeds of one thing."""

import json

from tests.launch.reports import COLUMN, POINTS, report, write


def labels(*args: object) -> list[tuple[str, int]]:
    return [(curve["label"], curve["seeds"]) for curve in report(*args)["curves"]]


def test_what_another_run_began_with_is_a_part_of_it(tmp_path):
    model = write(tmp_path / "model" / "seed-0", [(10, 0.1), (20, 0.2)])
    before = {"model": {"from": str(model), "frames": 20, "prerequisite_frames": 0}}
    write(tmp_path / "agent" / "seed-0", [(5, 0.1), (15, 0.2)], before=before)
    (curve,) = report(tmp_path)["curves"]
    assert (curve["label"], curve["frames"]) == ("agent", [25, 35])


def test_what_lies_in_a_run_folder_is_no_run_of_its_own(tmp_path):
    """Companions have a configuration too, but no rows, and are no seeds of anything."""
    for seed in (0, 1):
        run = write(tmp_path / f"run-{seed}", POINTS, seed=seed)
        (run / "companions" / "expert").mkdir(parents=True)
        (run / "companions" / "expert" / "config.json").write_text(
            (run / "config.json").read_text()
        )
        write(run / "somewhere" / "below", POINTS, seed=9)
    found = report(tmp_path)
    assert [(curve["label"], curve["seeds"]) for curve in found["curves"]] == [("sokoban_small", 2)]
    assert found["column"] == COLUMN


def test_one_folder_spelt_in_several_ways_is_one_run(tmp_path, monkeypatch):
    write(tmp_path / "run", POINTS)
    (tmp_path / "link").symlink_to("run")
    (tmp_path / "round").symlink_to(".")
    monkeypatch.chdir(tmp_path)
    spelt = ("run", tmp_path / "run", "link", tmp_path, "run/../run", "round")
    assert labels(*spelt, "--out", tmp_path / "out") == [("sokoban_small", 1)]
    assert labels(tmp_path / "link", "--out", tmp_path / "out") == [("sokoban_small", 1)]


def test_runs_outside_a_sweep_are_seeds_of_one_experiment_if_nothing_else_differs(tmp_path):
    runs = [write(tmp_path / name, POINTS, seed=seed) for seed, name in enumerate("ab")]
    assert labels(*runs, "--out", tmp_path / "one") == [("sokoban_small", 2)]
    config = json.loads((runs[1] / "config.json").read_text())
    config["agent"]["depth"] = 2
    (runs[1] / "config.json").write_text(json.dumps(config))
    apart = [("sokoban_small a", 1), ("sokoban_small b", 1)]
    assert labels(*runs, "--out", tmp_path / "two") == apart


def test_one_seed_twice_is_not_two_seeds(tmp_path):
    for name in ("x/run", "y/run"):
        write(tmp_path / name, POINTS)
    assert labels(tmp_path) == [("sokoban_small x/run", 1), ("sokoban_small y/run", 1)]


def test_a_run_that_was_given_a_policy_is_no_seed_of_one_that_was_not(tmp_path):
    origin = {"run": "/some/run", "frames": 1000, "frames_before": 50}
    begun = write(tmp_path / "begun", POINTS, seed=1)
    (begun / "initial_policy.npz").write_bytes(b"")
    (begun / "initial_policy.json").write_text(json.dumps(origin))
    write(tmp_path / "fresh", POINTS)
    fresh, begun = sorted(report(tmp_path)["curves"], key=lambda curve: curve["frames"])
    assert (fresh["label"], fresh["frames"]) == ("sokoban_small fresh", [10, 20, 30])
    assert (begun["label"], begun["frames"]) == ("sokoban_small begun", [1060, 1070, 1080])


def test_variants_of_one_name_in_two_sweeps_are_two(tmp_path):
    for name, frames in (("first", 1000), ("second", 2000)):
        for seed in (0, 1):
            folder = tmp_path / name / "drc" / f"seed-{seed}"
            write(folder, POINTS, seed=seed, max_frames=frames)
    assert labels(tmp_path / "first") == [("drc", 2)]
    assert labels(tmp_path) == [("first/drc", 2), ("second/drc", 2)]
