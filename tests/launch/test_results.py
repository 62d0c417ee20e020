"""Results of evaluations as files: what was written is read, and nothing else."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.errors import UserError
from launch import results
from tests.launch.reports import evaluated


def test_what_was_kept_is_read(tmp_path):
    result = evaluated("runs/x", "boxes_1", 70, simulations=5, model="/models/a", model_frames=9)
    results.keep(result, tmp_path / "evaluation")
    (path,) = (tmp_path / "evaluation").iterdir()
    assert json.loads(path.read_text()) == json.loads(json.dumps(dataclasses.asdict(result)))
    again = results.read(path)
    assert dataclasses.asdict(again) == dataclasses.asdict(result)


def test_the_same_evaluation_takes_the_place_of_the_one_before(tmp_path):
    for run in ("runs/x", "/moved/x"):
        results.keep(evaluated(run, "boxes_1", 70), tmp_path / "evaluation")
    (path,) = (tmp_path / "evaluation").iterdir()
    assert results.read(path).run == "/moved/x"


KINDS = st.fixed_dictionaries(
    {
        "suite": st.sampled_from(["", "a:b", "a-b", "a_b", "own", "x" * 300]),
        "frames": st.integers(0, 2),
        "seed": st.integers(0, 2),
        "thinking_steps": st.integers(0, 2),
        "simulations": st.integers(0, 2),
        "model": st.sampled_from(["", "/a/model", "/b/model"]),
        "model_frames": st.integers(0, 1),
        "environment_version": st.integers(1, 2),
    }
)


@given(KINDS, KINDS)
def test_two_evaluations_have_one_name_only_if_they_are_one(one, other):
    names = [
        results.file_name(dataclasses.replace(evaluated("x", "boxes_1", 1), **changes))
        for changes in (one, other)
    ]
    assert (names[0] == names[1]) == (one == other)
    assert all(len(name) < 200 and "/" not in name for name in names)


GOOD = dataclasses.asdict(evaluated("random", "boxes_1", 100))
BROKEN = {
    "no JSON": "{",
    "deep": "[" * 100_000,
    "a list": "[]",
    "foreign": '{"name": "notes"}',
    "a key less": json.dumps({k: v for k, v in GOOD.items() if k != "outcomes"}),
    "a text": json.dumps(GOOD | {"episodes": "many"}),
    "three ends": json.dumps(GOOD | {"ci95": [0.1, 0.5, 0.9]}),
    "no interval of it": json.dumps(GOOD | {"ci95": [0.6, 0.7]}),
    "another rate": json.dumps(GOOD | {"rate": 0.9, "ci95": [0.8, 1.0]}),
    "not a number": json.dumps(GOOD | {"rate": float("nan")}),
    "no episode": json.dumps(GOOD | {"episodes": 0, "outcomes": {}}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_holds_no_result_is_refused_in_one_line(name, tmp_path):
    path = tmp_path / "broken.json"
    path.write_text(BROKEN[name])
    with pytest.raises(UserError) as error:
        results.read(path)
    assert str(path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1
