"""Answers of many threads, waited for by one."""

import threading
import time

from environments.vector.inbox import Answer, Inbox


def test_answers_come_out_in_the_order_in_which_they_came():
    inbox = Inbox()
    for world in (2, 0, 1):
        inbox.put(Answer(world))
    assert inbox.wait(3, timeout=0)
    taken = [inbox.take() for _ in range(4)]
    assert [each and each.world for each in taken] == [2, 0, 1, None]


def test_a_wait_ends_when_its_time_is_up():
    inbox = Inbox()
    inbox.put(Answer(0))
    begin = time.monotonic()
    assert not inbox.wait(2, timeout=0.1)
    assert time.monotonic() - begin >= 0.1
    assert inbox.wait(1, timeout=0)
    assert inbox.wait(0, timeout=0)


def test_a_wait_ends_as_soon_as_there_are_enough():
    inbox = Inbox()
    for count in (1, 3, 1):  # what was released too often does not matter
        for i in range(count - 1):
            inbox.put(Answer(i))
        assert not inbox.wait(count, timeout=0)
        last = threading.Timer(0.05, inbox.put, [Answer(count - 1)])  # while it waits, as a rule
        last.start()
        assert inbox.wait(count, timeout=60)
        last.join()
        inbox.put(Answer(count))
        while inbox.take() is not None:
            pass


def test_no_answer_is_lost_and_no_wake_up_missed():
    inbox, workers, each = Inbox(), 8, 400

    def work(world: int) -> None:
        for i in range(each):
            inbox.put(Answer(world, i))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(workers)]
    for thread in threads:
        thread.start()
    last, count = [-1] * workers, 0
    while count < workers * each:
        assert inbox.wait(min(5, workers * each - count), timeout=10)
        while (answer := inbox.take()) is not None:
            assert answer.value == last[answer.world] + 1
            last[answer.world] = answer.value
            count += 1
    for thread in threads:
        thread.join()
    assert inbox.take() is None
