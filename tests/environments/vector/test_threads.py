"""Worlds in threads: the same play as one by one, nobody waits for the slow, errors, ends."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.base import VectorEnvironment
from environments.errors import UserError
from environments.vector import WorldError, world_seed
from environments.vector.threads import ThreadedWorlds
from tests.environments.pendulum import LEVELS, pendulum
from tests.environments.vector.worlds import assert_row, assert_same, draws, pendulums, threads

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    if threads():  # collecting takes long where much is loaded
        gc.collect()
    assert not threads()


def of(worlds: ThreadedWorlds, world: int) -> Any:
    """The embedding of a world, to tamper with while it is idle."""
    found: list[Any] = []
    worlds._worlds[world].tell(lambda inhabitant: found.append(inhabitant.environment))
    assert worlds._inbox.wait(1, 10)
    worlds._inbox.take()
    return found[0].embedding


def test_each_world_plays_as_it_does_alone():
    singles = [pendulum(world_seed(3, i), picture=True) for i in range(3)]
    with pendulums(3, seed=3, picture=True) as worlds:
        assert isinstance(worlds, VectorEnvironment)
        assert (worlds.num_environments, worlds.num_levels) == (3, LEVELS)
        assert worlds.spec == singles[0].spec
        draw, shown, ends = draws(3), worlds.reset(), 0
        for i, single in enumerate(singles):
            assert_row(shown, i, single.reset(), single.info)
        for _ in range(80):
            actions = draw()
            shown = worlds.step(actions)
            ends += int(shown.is_last.sum())
            for i, single in enumerate(singles):
                assert_row(shown, i, single.step(actions[i]), single.info)
    assert ends > 4
    for single in singles:
        single.close()


def test_time_steps_follow_the_convention():
    with pendulums(4) as worlds:
        draw, before = draws(4), worlds.step(np.zeros((4, 1)))
        assert before.is_first.all()  # nothing had begun
        for _ in range(60):
            after = worlds.step(draw())
            np.testing.assert_array_equal(after.is_first, before.is_last)
            assert (after.reward[after.is_first] == 0).all()
            assert (after.discount[~after.is_last] == 1).all()
            assert (after.info["outcome"][~after.is_last] == -1).all()
            np.testing.assert_array_equal(
                after.info["outcome"][after.is_last], after.discount[after.is_last].astype(int)
            )  # up is 0 and ends, unfinished is 1 and is cut off
            for value in (after.reward, after.discount):
                assert value.dtype == np.float32
            before = after


def test_time_steps_belong_to_the_caller():
    with pendulums(2, picture=True) as worlds, pendulums(2, picture=True) as others:
        draw, same, seen = draws(2), draws(2), []
        for _ in range(40):
            shown = worlds.step(draw())
            assert_same(shown, others.step(same()))
            seen += jax.tree.leaves(shown)
            for array in jax.tree.leaves(shown):
                array[...] = array.dtype.type(1)
        for i, array in enumerate(seen):
            assert not any(np.may_share_memory(array, other) for other in seen[i + 1 :])


def test_actions_may_be_overwritten_once_sent():
    with pendulums(2) as worlds, pendulums(2) as others:
        worlds.reset()
        others.reset()
        actions = np.array([[0.5], [-0.5]], np.float32)
        expected = others.step(actions.copy())
        worlds.send(actions)
        actions[...] = 0
        assert_same(_ordered(*worlds.recv(2)), expected)


def _ordered(ids, shown):
    return jax.tree.map(lambda rows: rows[np.argsort(ids)], shown)


def test_sending_and_receiving_is_stepping():
    with pendulums(5) as worlds, pendulums(5) as others:
        draw = draws(5)
        for _ in range(40):
            actions = draw()
            expected = others.step(actions)
            worlds.send(actions[[3, 0]], [3, 0])
            worlds.send(actions[[1, 2, 4]], np.array([1, 2, 4]))
            for count in (1, 4):
                ids, shown = worlds.recv(count)
                assert len(ids) == len(shown.reward) == count
                assert_same(shown, jax.tree.map(lambda rows, at=ids: rows[at], expected))


@given(data=st.data())
@settings(max_examples=15)
def test_any_order_of_sending_and_receiving_gives_each_world_its_own_play(data):
    singles = [pendulum(world_seed(0, i)) for i in range(4)]
    idle, busy, draw = set(range(4)), {}, draws(4)
    with pendulums(4) as worlds:
        for _ in range(25):
            if idle and (not busy or data.draw(st.booleans())):
                chosen = data.draw(st.lists(st.sampled_from(sorted(idle)), min_size=1, unique=True))
                actions = draw()[chosen]
                worlds.send(actions, chosen)
                busy |= dict(zip(chosen, actions, strict=True))
                idle -= set(chosen)
            else:
                ids, shown = worlds.recv(data.draw(st.integers(1, len(busy))))
                for row, world in enumerate(ids.tolist()):
                    step = singles[world].step(busy.pop(world))
                    assert_row(shown, row, step, singles[world].info)
                    idle.add(world)


def test_a_slow_opponent_holds_up_no_other_world():
    with pendulums(4) as worlds:
        worlds.reset()
        may_answer = of(worlds, 2).may_answer
        may_answer.clear()
        worlds.send(np.zeros((4, 1)))
        steps = np.zeros(4, int)
        while steps.sum() < 300:
            ids, _ = worlds.recv(2)
            steps[ids] += 1
            worlds.send(np.zeros((2, 1)), ids)
        assert steps[2] == 0
        worlds.recv(3)
        with pytest.raises(TimeoutError, match=r"^world 2 did not answer within 0\.01 s$"):
            worlds.recv(1, timeout=0.01)
        may_answer.set()
        of_slow, shown = worlds.recv(1)
        assert of_slow.tolist() == [2]
        assert shown.info["swings"].tolist() == [1]


def test_answers_that_came_before_a_timeout_are_kept():
    with pendulums(3) as worlds:
        worlds.reset()
        slow = [of(worlds, world).may_answer for world in (0, 1)]
        for may_answer in slow:
            may_answer.clear()
        worlds.send(np.zeros((3, 1)))
        assert worlds._inbox.wait(1, 10)  # of world 2
        with pytest.raises(TimeoutError, match=r"^worlds 0, 1 did not answer"):
            worlds.recv(3, timeout=0.01)
        assert worlds.recv(1, timeout=0.0)[0].tolist() == [2]
        for may_answer in slow:
            may_answer.set()
        assert sorted(worlds.recv(2)[0]) == [0, 1]


def test_an_error_reaches_the_caller_once_and_spares_the_others():
    with pendulums(3) as worlds:
        worlds.reset()
        of(worlds, 1).fault = ZeroDivisionError("boom")
        with pytest.raises(WorldError, match=r"^world 1: ZeroDivisionError: boom$") as caught:
            worlds.step(np.zeros((3, 1)))
        assert caught.value.world == 1
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        ids, shown = worlds.recv(2)
        assert sorted(ids) == [0, 2]
        assert shown.info["swings"].tolist() == [1, 1]
        again = worlds.step(np.zeros((3, 1)))
        assert again.is_first.tolist() == [False, True, False]
        assert again.info["swings"].tolist() == [2, 0, 2]


def test_after_an_error_all_can_be_reset():
    with pendulums(3) as worlds:
        worlds.reset()
        for world in (0, 2):
            of(worlds, world).fault = ZeroDivisionError("boom")
        with pytest.raises(WorldError, match=r"world [02]:"):
            worlds.step(np.zeros((3, 1)))
        with pytest.raises(RuntimeError, match="receive the answer"):
            worlds.step(np.zeros((3, 1)))
        assert worlds.reset().is_first.all()
        assert worlds.step(np.zeros((3, 1))).info["swings"].tolist() == [1, 1, 1]


def test_a_users_mistake_inside_a_world_stays_one():
    with pendulums(2) as worlds:
        of(worlds, 1).fault = UserError("install gnugo")
        worlds.reset()
        with pytest.raises(UserError, match=r"^world 1: install gnugo$"):
            worlds.step(np.zeros((2, 1)))


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros((3, 1)), r"shape \(2, 1\).* not \(3, 1\)"),
        (np.zeros(2), r"shape \(2, 1\).* not \(2,\)"),
        ([[0.0], [np.nan]], "world 1: action must be finite"),
        ([[0.0], [np.inf]], "world 1: action must be finite"),
        ([[0.0], [1.001]], r"world 1: action\[0\] must be in -1 to 1"),
        (np.array([["a"], ["b"]]), "world 0: action must be"),
        ([[False], [True]], "world 0: action must be"),
    ],
)
def test_a_bad_action_changes_nothing(actions, message):
    with pendulums(2) as worlds, pendulums(2) as others:
        worlds.reset()
        others.reset()
        with pytest.raises(ValueError, match=message):
            worlds.step(actions)
        with pytest.raises(ValueError, match=message):
            worlds.send(actions)
        assert_same(worlds.step(np.ones((2, 1))), others.step(np.ones((2, 1)) * 1.0001))


@pytest.mark.parametrize("ids", [[0, 0], [2], [-1], [], [[0]], [0.0], 1])
def test_worlds_that_there_are_not_are_refused(ids):
    with pendulums(2) as worlds, pytest.raises(ValueError, match="ids must be"):
        worlds.send(np.zeros((1, 1)), ids)


def test_no_world_is_sent_to_twice_and_none_waited_for_in_vain():
    with pendulums(3) as worlds:
        worlds.send(np.zeros((2, 1)), [0, 2])
        with pytest.raises(RuntimeError, match=r"^worlds 0, 2: receive the answer before"):
            worlds.send(np.zeros((3, 1)))
        with pytest.raises(RuntimeError, match="receive the answer before"):
            worlds.snapshot()
        for count in (0, 3):
            with pytest.raises(ValueError, match="count must be 1 to 2"):
                worlds.recv(count)
        assert sorted(worlds.recv(2)[0]) == [0, 2]


def test_levels_can_be_chosen():
    with pendulums(3) as worlds:
        shown = worlds.start([6, 0, 3])
        assert shown.is_first.all()
        np.testing.assert_allclose(
            shown.observation["joints_pos"][:, 0], [6 / 7, 0, 3 / 7], atol=0.5
        )
        for levels, error in (
            ([0, 0], ValueError),
            ([0, 1, 7], IndexError),
            ([-1, 0, 0], IndexError),
        ):
            with pytest.raises(error, match="levels must be"):
                worlds.start(levels)


def test_a_snapshot_brings_everything_back():
    draw = draws(3)
    actions = [draw() for _ in range(60)]
    with pendulums(3, seed=1) as worlds, pendulums(3, seed=2) as others:
        for each in actions[:13]:
            worlds.step(each)
        snapshot = worlds.snapshot()
        expected = [worlds.step(each) for each in actions]
        worlds.restore(snapshot)
        others.step(actions[0])
        others.restore(pickle.loads(pickle.dumps(snapshot)))
        for each, shown in zip(actions, expected, strict=True):
            assert_same(worlds.step(each), shown)
            assert_same(others.step(each), shown)
        with pytest.raises(ValueError, match="of 2 worlds, not of 3"):
            worlds.restore(snapshot[:2])


def test_after_a_snapshot_that_does_not_fit_worlds_go_on():
    with pendulums(3) as worlds:
        worlds.reset()
        snapshot = worlds.snapshot()
        expected = worlds.step(np.zeros((3, 1)))
        with pytest.raises(WorldError, match="world 1"):
            worlds.restore((snapshot[0], (None, False), snapshot[2]))
        with pytest.raises(ValueError, match="count"):
            worlds.recv(1)
        assert worlds.step(np.zeros((3, 1))).is_first.tolist() == [False, True, False]
        worlds.restore(snapshot)
        assert_same(worlds.step(np.zeros((3, 1))), expected)


def test_a_snapshot_knows_that_a_world_has_failed():
    with pendulums(2) as worlds:
        worlds.reset()
        of(worlds, 1).fault = ZeroDivisionError("boom")
        with pytest.raises(WorldError):
            worlds.step(np.zeros((2, 1)))
        worlds.recv(1)
        snapshot = worlds.snapshot()
        worlds.reset()
        worlds.restore(snapshot)
        assert worlds.step(np.zeros((2, 1))).is_first.tolist() == [False, True]


def test_a_world_is_built_used_and_closed_by_one_thread():
    used: dict[int, set[str]] = {0: set(), 1: set()}

    def build(world: int):
        made = pendulum(world_seed(0, world), picture=True)
        for name in ("reset", "step", "snapshot", "restore", "render", "close"):
            inner = getattr(made, name)

            def noted(*args, inner=inner):
                used[world].add(threading.current_thread().name)
                return inner(*args)

            setattr(made, name, noted)
        used[world].add(threading.current_thread().name)
        return made

    with ThreadedWorlds(build, 2) as worlds:
        worlds.reset()
        worlds.step(np.zeros((2, 1)))
        worlds.restore(worlds.snapshot())
    assert used == {0: {"world-0"}, 1: {"world-1"}}


def test_closing_ends_all_and_can_be_repeated():
    worlds = pendulums(3, picture=True)
    worlds.reset()
    embeddings = [of(worlds, i) for i in range(3)]
    assert len(threads()) == 3
    worlds.send(np.zeros((3, 1)))
    worlds.close()
    worlds.close()
    assert not threads()
    assert all(each.closed for each in embeddings)
    for call in (worlds.reset, worlds.snapshot, lambda: worlds.step(np.zeros((3, 1)))):
        with pytest.raises(RuntimeError, match="closed"):
            call()


def test_worlds_that_nobody_holds_end():
    worlds = pendulums(2)
    worlds.reset()
    assert len(threads()) == 2
    del worlds
    gc.collect()
    assert not threads()


@pytest.mark.parametrize("broken", [0, 2])
@pytest.mark.parametrize("error", [UserError("no such levels"), OSError("disk")])
def test_an_error_while_building_is_the_callers(broken, error):
    def build(world: int):
        if world == broken:
            raise error
        return pendulum(world)

    with pytest.raises(type(error), match=str(error)) as caught:
        ThreadedWorlds(build, 4)
    assert "world" not in str(caught.value)
    assert not threads()


def test_no_world_at_all_is_refused():
    with pytest.raises(UserError, match="at least one world, not 0"):
        pendulums(0)


def test_an_interrupt_ends_a_wait_at_once():
    with pendulums(2) as worlds:
        worlds.reset()
        may_answer = of(worlds, 0).may_answer
        may_answer.clear()
        worlds.send(np.zeros((2, 1)))
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        try:
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                worlds.recv(2)
        finally:
            signal.signal(signal.SIGINT, before)
        may_answer.set()
        assert sorted(worlds.recv(2)[0]) == [0, 1]  # and nothing was lost


def test_an_interrupt_within_a_context_waits_for_no_slow_world():
    slow = []

    def interrupted():
        with pendulums(2) as worlds:
            worlds.reset()
            slow.append(of(worlds, 0).may_answer)
            slow[0].clear()
            worlds.send(np.zeros((2, 1)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    slow[0].set()
    end = time.monotonic() + 60
    while threads():  # it ends by itself
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("event", ["set", "clear"])
@pytest.mark.usefixtures("pictures")
def test_an_interpreter_ends_without_close(event):
    program = f"""
import numpy as np
from tests.environments.vector.worlds import pendulums
worlds = pendulums(3, picture=True)
worlds.step(np.zeros((3, 1)))
worlds._worlds[0].tell(lambda i: i.environment.embedding.may_answer.{event}())
worlds._inbox.wait(1, 10)
worlds._inbox.take()
worlds.send(np.zeros((3, 1)))
print("ends")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True, text=True, cwd=ROOT, timeout=50,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "ends\n", "")
