"""Snapshots, seeds, and play for long."""

import pickle
import resource
import warnings
from typing import Any

import numpy as np
import pytest

from environments import load
from tests.environments.cases import BOXOBAN
from tests.environments.embedded.mujoban.rooms import write_levels

ALL = ("proprioception", "planes", "pixels", "position")
ONE = ("#######", "#@ $ .#", "#######")
TWO = ("#######", "# $ . #", "# # # #", "# #@# #", "# # # #", "#.  $ #", "#######")


def make(seed: int = 0, **options) -> Any:
    options = {"levels": str(BOXOBAN), "control_step": 0.02, "observations": ALL, **options}
    return load("mujoban", seed=seed, **options)


def play(environment, steps: int, seed: int, *, reset_at: int = -1) -> list:
    """All that random play shows; a reset to a random level before step `reset_at`."""
    rng = np.random.default_rng(seed)
    shown = []
    for number in range(steps):
        if number == reset_at:
            shown.append(environment.reset().observation)
        step = environment.step(rng.uniform(-1, 1, 3).astype(np.float32))
        shown.append((step.step_type, step.reward, step.discount, step.observation))
        shown.append((environment.info, environment.simulation.state()))
    return shown


def assert_equal(one, other) -> None:
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list | tuple):
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("reset_at", [-1, 0, 20])
def test_a_snapshot_after_500_steps_restores_bit_for_bit(reset_at):
    environment = make(time_limit=8.0)
    environment.reset()
    play(environment, 500, seed=1)
    snapshot = pickle.loads(pickle.dumps(environment.snapshot()))
    shown = environment.observation()
    expected = play(environment, 60, seed=2, reset_at=reset_at)
    other = make(seed=9, time_limit=8.0)
    other.reset()
    for world in (environment, other):
        world.restore(snapshot)
        assert_equal(world.observation(), shown)
        assert_equal(play(world, 60, seed=2, reset_at=reset_at), expected)


def test_a_snapshot_restores_levels_of_other_sizes(tmp_path):
    environment = make(levels=write_levels(tmp_path, ONE, TWO))
    environment.reset_to(1)
    play(environment, 20, seed=1)
    snapshot = environment.snapshot()
    expected = play(environment, 20, seed=2)
    environment.reset_to(0)
    play(environment, 20, seed=3)
    environment.restore(snapshot)
    assert environment.level_index == 1
    assert_equal(play(environment, 20, seed=2), expected)


def test_a_snapshot_at_the_end_of_an_episode():
    environment = make(time_limit=0.1)
    environment.reset()
    play(environment, 5, seed=0)
    assert environment.outcome == "unsolved"
    snapshot = environment.snapshot()
    assert environment.step(None).first()
    environment.restore(snapshot)
    assert environment.outcome == "unsolved"
    assert environment.step(None).first()


def test_pressed_pads_are_restored_with_their_colours(tmp_path):
    environment = make(levels=write_levels(tmp_path, ("#######", "#@* $.#", "#######")))
    environment.reset()
    snapshot = environment.snapshot()
    before = environment.render("top_camera", 64, 64)
    environment.simulation.data.qpos[6] += 0.3
    assert environment.step(np.zeros(3)).reward == -1
    assert not np.array_equal(environment.render("top_camera", 64, 64), before)
    environment.restore(snapshot)
    np.testing.assert_array_equal(environment.render("top_camera", 64, 64), before)
    environment.simulation.data.qpos[6] += 0.3
    assert environment.step(np.zeros(3)).reward == -1


def test_the_seed_decides_levels_yaws_and_all_that_follows():
    def episodes(seed: int) -> list:
        environment = make(seed, time_limit=0.2)
        return [environment.reset().observation, play(environment, 40, seed=0)]

    assert_equal(episodes(4), episodes(4))
    with pytest.raises(AssertionError):
        assert_equal(episodes(4), episodes(5))


def test_a_bad_action_changes_nothing():
    environment = make()
    environment.reset()
    play(environment, 5, seed=0)
    before = environment.simulation.state()
    for action in (np.full(3, np.nan), np.full(3, 1.01), np.zeros(2)):
        with pytest.raises(ValueError, match="action"):
            environment.step(action)
    np.testing.assert_array_equal(environment.simulation.state(), before)


def endure(steps: int, control_step: float) -> None:
    """Random play across episodes: finite, without warnings, in memory that does not grow."""
    environment = make(control_step=control_step, time_limit=250 * control_step)
    environment.reset()
    rng, used, overlaps = np.random.default_rng(0), [], 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(steps):
            # Held for a while, for the walker to get about.
            if number % 10 == 0:
                action = rng.uniform(-1, 1, 3)
                action[0] = np.sign(action[0])
            step = environment.step(action)
            if not step.first():
                overlaps += int(environment.info["overlaps"])
            assert all(np.isfinite(value).all() for value in step.observation.values())
            planes = step.observation["planes"]
            assert planes[..., 2].sum() == 1
            assert planes[..., 3].sum() == planes[..., 1].sum()
            assert not (planes[..., 0] & (planes[..., 2] | planes[..., 3])).any()
            if number % max(1, steps // 10) == 0:
                used.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    assert used[-1] - used[2] < 20, f"megabytes: {used}"
    print(f"{overlaps} overlaps in {steps} steps")


def test_random_play():
    endure(3000, 0.01)


@pytest.mark.slow
def test_random_play_in_long_steps():
    endure(3000, 0.1)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_random_play_for_100_000_steps():
    endure(100_000, 0.1)
