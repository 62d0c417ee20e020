"""Options as people write them in Python: what is taken, what is refused, in one line."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments import entries, load, options_class
from environments.errors import UserError
from environments.hints.options import HintOptions
from environments.option_types import check_types
from environments.registry import EnvironmentOptions
from tests.environments.cases import CASES, LEVELS

FIELDS = [
    (name, field.name)
    for name, entry in entries().items()
    for field in dataclasses.fields(entry.options)
]
SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
ANYTHING = SIMPLE | st.lists(SIMPLE, max_size=3) | st.dictionaries(SIMPLE, SIMPLE, max_size=2)
ANYTHING |= st.tuples(SIMPLE, SIMPLE) | st.just(object()) | st.just(np.ones(2))


@pytest.mark.parametrize(("name", "field"), FIELDS)
@given(value=ANYTHING)
def test_any_value_of_any_option_is_taken_or_refused_in_one_line(name, field, value):
    options: Any = options_class(name)
    refusal, taken = "", options()
    try:
        taken = options(**{field: value})
    except UserError as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert type(getattr(taken, field)) is type(getattr(options(), field))
    assert hash(taken) == hash(dataclasses.replace(taken))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sokoban", {"noop": "False"}),
        ("sokoban", {"time_limit": (50.5, 60)}),
        ("mujoban", {"time_limit": None}),
        ("mujoban", {"top_camera": (32,)}),
        ("mujoban", {"control_step": "0.1"}),
        ("mujoban", {"hints": {"expert": 3}}),
        ("mujoban", {"hints": {"expret": "solver"}}),
        ("mujoban", {"hints": "solver"}),
        ("mujogo", {"size": "7"}),
        ("go", {"size": 7.5}),
        ("go", {"begins": "nobody"}),
    ],
)
def test_wrong_types_are_refused(name, options):
    ((option, _),) = options.items()
    with pytest.raises(UserError, match=option):
        load(name, **{**CASES[name].options, **options})


def test_what_is_unambiguous_is_taken():
    taken: Any = options_class("mujoban")(
        levels=Path("a", "b.txt"),  # pyright: ignore[reportCallIssue]
        observations="planes",  # pyright: ignore[reportCallIssue]
        top_camera=32,  # pyright: ignore[reportCallIssue]
        egocentric_camera=np.array([8, 9]),  # pyright: ignore[reportCallIssue]
        time_limit=np.int64(100),  # pyright: ignore[reportCallIssue]
        scatter=np.True_,  # pyright: ignore[reportCallIssue]
        hints={"expert": "solver", "reached": 1},  # pyright: ignore[reportCallIssue]
    )
    assert (taken.levels, taken.observations) == (str(Path("a", "b.txt")), ("planes",))
    assert (taken.top_camera, taken.egocentric_camera) == ((32, 32), (8, 9))
    assert (taken.time_limit, taken.scatter) == (100.0, True)
    assert taken.hints == HintOptions("solver", reached=1.0)
    assert type(taken.time_limit) is float
    environment = load("sokoban", levels=LEVELS, time_limit=50)
    assert environment.reset().first()


@dataclass(frozen=True)
class _Optional(EnvironmentOptions):
    """Kinds of fields that no game has yet."""

    limit: int | None = None
    kind: Literal["a", 1] = "a"
    pair: tuple[int, str] = (1, "x")


def test_what_may_be_none_may_be_none():
    assert _Optional(None).limit is None
    assert _Optional(3, 1, [2, "y"]) == _Optional(3, 1, (2, "y"))  # pyright: ignore[reportArgumentType]
    wrong: dict[str, Any]
    for wrong in ({"limit": "3"}, {"kind": "b"}, {"kind": True}, {"pair": 1}, {"pair": (1, 2)}):
        with pytest.raises(UserError, match=next(iter(wrong))):
            _Optional(**wrong)
    options = _Optional()
    check_types(options)
    assert options == _Optional()
