"""What the coordinator grants, and what it counts, when parts die and calls are repeated."""

from concurrent.futures import ThreadPoolExecutor

from launch.distributed import coordinator
from launch.distributed.base import Weights
from launch.distributed.coordinator import ActorReport, Coordinator

LONG = 30.0  # s


def begun() -> tuple[Coordinator, list[int]]:
    """Rounds of 4 items, 2 ahead; two actors, and their incarnations."""
    link = Coordinator(4, 1)
    link.publish(Weights(0, {}))
    return link, [link.start(0), link.start(1)]


def fill(link: Coordinator, actor: int, incarnation: int, version: int) -> int:
    """Begins pairs of items while it may, up to two rounds; how many items."""
    count = 0
    while count < 8 and link.begin(actor, incarnation, 2, version, 0):
        count += 2
    return count


def test_a_dead_incarnation_is_granted_nothing():
    """Its call still waits when its successor starts, which makes room."""
    link, (first, other) = begun()
    assert fill(link, 0, first, 0) == 8
    link.receive([(0, first)] * 4)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(link.begin, 0, first, 2, 0, LONG)
        successor = link.start(0)
        assert not waiting.result(LONG)
    assert not link.begin(0, first, 2, 0, 0)
    # 4 of 8 were received, the other 4 given up: there is room for as many.
    assert fill(link, 1, other, 0) == 4
    link.give_up(1, other)
    assert fill(link, 0, successor, 0) == 4


def test_the_run_goes_on_after_many_deaths():
    """Nothing is lost in the accounts: each time, as many items may be begun as at first."""
    link, (dead, _) = begun()
    for version in range(20):
        assert fill(link, 0, dead, version) == 8
        link.receive([(0, dead)] * 4)
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(link.begin, 0, dead, 2, version, LONG)
            dead = link.start(0)
            assert not waiting.result(LONG)
        link.publish(Weights(version + 1, {}), 4)


def test_incarnations_go_on_where_a_run_resumes():
    link = Coordinator(4, 1)
    link.publish(Weights(0, {}))
    link.resume(7)
    assert link.start(0) == 7
    assert link.begin(0, 7, 2, 0, 0)
    assert link.start(0) == 8
    assert not link.begin(0, 7, 2, 0, 0)
    assert link.begin(0, 8, 2, 0, 0)


def test_a_repeated_call_counts_once():
    link, (first, _) = begun()

    def twice(caller, number, name, *arguments):
        result = link.once(caller, number, name, *arguments)
        assert link.once(caller, number, name, *arguments) == result
        return result

    assert twice("actor", 0, "begin", 0, first, 4, 0, 0.0)
    twice("actor", 1, "report", 0, ActorReport(frames=80, unrolls=1))
    twice("learner", 0, "receive", [(0, first)] * 4)
    twice("learner", 1, "publish", Weights(1, {}), 4)
    assert twice("driver", 0, "take_report").frames == 80
    assert twice("driver", 1, "start", 0) == first + 1
    assert link.finished_unrolls(0) == 1
    assert link.replaced() == 1
    assert fill(link, 0, first + 1, 1) == 8
    link.once("actor", 0, "give_up", 0, first + 1)  # late: nobody waits for it any more
    assert fill(link, 0, first + 1, 1) == 0


def test_a_repeat_waits_for_the_first():
    link = Coordinator(4, 1)
    link.publish(Weights(0, {}))
    incarnation = link.start(0)
    assert fill(link, 0, incarnation, 0) == 8
    with ThreadPoolExecutor() as pool:
        calls = [
            pool.submit(link.once, "actor", 0, "begin", 0, incarnation, 2, 0, LONG)
            for _ in range(2)
        ]
        link.give_up(0, incarnation, 4)
        assert [call.result(LONG) for call in calls] == [True, True]
    assert fill(link, 0, incarnation, 0) == 2


def test_callers_are_not_remembered_for_ever(monkeypatch):
    monkeypatch.setattr(coordinator, "_CALLERS", 3)
    link = Coordinator(4, 1)
    for caller in "abcd":
        link.once(caller, 0, "start", 0)
        link.once("d", 0, "start", 0)
    assert len(link._callers) == 3
    assert link.once("c", 0, "start", 0) == link.once("c", 0, "start", 0)
