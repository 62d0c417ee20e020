"""Options that take several values, given at once or one by one."""

from dataclasses import dataclass, field

import pytest

from launch import evaluate, train
from launch.several_values import joined


@dataclass(frozen=True)
class Part:
    kinds: tuple[str, ...] = ()
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Options:
    suite: tuple[str, ...] = ()
    the_steps: tuple[int, ...] = (0,)
    seed: int = 0
    part: Part = field(default_factory=Part)


@pytest.mark.parametrize(
    ("args", "same"),
    [
        ("--suite A B", "--suite A B"),
        ("--suite A --suite B", "--suite A B"),
        ("--suite=A --suite=B", "--suite A B"),
        ("--suite A B --seed 1 --suite C", "--suite A B C --seed 1"),
        ("run --the-steps 0 --the_steps 2", "run --the-steps 0 2"),
        ("--part.kinds a --part.kinds b", "--part.kinds a b"),
        ("--seed 1 --seed 2", "--seed 1 --seed 2"),
        ("--part.size 1 2 --part.size 3 4", "--part.size 1 2 --part.size 3 4"),
        ("run -h", "run -h"),
        ("", ""),
    ],
)
def test_values_are_joined(args, same):
    assert joined(args.split(), Options()) == same.split()


@pytest.mark.parametrize("suites", ["--suite a.txt b.txt", "--suite a.txt --suite b.txt"])
def test_suites_of_evaluate(suites):
    parsed = evaluate.parse(["random", *suites.split(), "--thinking-steps=0", "--thinking-steps=2"])
    assert parsed.suite == ("a.txt", "b.txt")
    assert parsed.thinking_steps == (0, 2)


@pytest.mark.parametrize("given", ["{0} hard {1}", "{0} hard {0} {1}", "{0}=hard {0}={1}"])
def test_suites_of_train(given):
    args = given.format("--evaluation.suites", "boxes_1").split()
    parsed = train.parse(["sokoban_small", *args, "--agent.depth", "2"])
    assert isinstance(parsed, train.Arguments)
    assert parsed.experiment.evaluation.suites == ("hard", "boxes_1")
