"""Continuous actions: what passes, what is clipped, what is refused."""

import numpy as np
import pytest
from dm_env import specs

from environments.actions import checked_action

SPEC = specs.BoundedArray((3,), np.float32, [-1, -1, 0], [1, 2, 10])


@pytest.mark.parametrize(
    "action",
    [[0, 0, 0], (1.0, -1.0, 10.0), np.array([0.5, 2, 3], np.float32), np.array([-1, 1, 0])],
)
def test_actions_within_the_bounds_pass_as_they_are(action):
    np.testing.assert_array_equal(checked_action(action, SPEC), action)


def test_rounding_beyond_a_bound_is_clipped():
    checked = checked_action(np.array([1 + 1.9e-4, 2 - 1e-5, -9.9e-4]), SPEC)
    np.testing.assert_array_equal(checked, [1, 2 - 1e-5, 0])


def test_a_number_that_cannot_vary_and_actions_of_two_axes():
    spec = specs.BoundedArray((2, 2), np.float32, [[-1, 0], [3, -1]], [[1, 0], [3, 1]])
    good = np.array([[0, 0], [3, 1 + 1e-5]])
    np.testing.assert_array_equal(checked_action(good, spec), [[0, 0], [3, 1]])
    with pytest.raises(ValueError, match=r"action\[2\] must be in 3 to 3, not 3.1"):
        checked_action(np.array([[0, 0], [3.1, 0]]), spec)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ([1.0003, 0, 0], r"action\[0\] must be in -1 to 1, not 1.0003"),
        ([0, 0, -0.0011], r"action\[2\] must be in 0 to 10, not -0.0011"),
        ([0, np.nan, 0], "must be finite"),
        ([0, 0, np.inf], "must be finite"),
        ([0, 0], "shape"),
        (0.5, "shape"),
        ([[0, 0, 0]], "shape"),
        (["a", "b", "c"], "numbers"),
        ([True, False, True], "numbers"),
        (None, "numbers"),
    ],
)
def test_everything_else_is_refused(action, message):
    with pytest.raises(ValueError, match=message):
        checked_action(action, SPEC)
