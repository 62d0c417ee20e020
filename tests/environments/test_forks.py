"""What a fork inherits works or is refused in one line: nothing waits for threads that are gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORK = """
import os
import environments
from tests.environments.cases import CASES

def load(name, **options):
    return environments.load(name, **{{**CASES[name].options, **options}})

def load_vector(name, **options):
    return environments.load_vector(name, 2, **{{**CASES[name].options, **options}})

made = {made}
{before}
child = os.fork()
if not child:
    try:
        {inside}
        print("works", flush=True)
    except Exception as error:
        print(type(error).__name__, str(error).count("\\n"), flush=True)
    finally:
        made.close()
        os._exit(0)
assert os.waitpid(child, 0)[1] == 0
{inside}  # the parent goes on
made.close()
print("ends")
"""
GNUGO = 'load("go", opponent="gnugo(level=1)", begins="agent")'
ADVISED = 'load("mujoxo", hints={"expert": "optimal"})'


@pytest.mark.parametrize(
    ("made", "before", "inside", "child"),
    [
        ('load("sokoban")', "made.reset()", "made.step(0)", "works"),
        ('load("mujoban")', "made.reset()", "made.step(made.action_spec().maximum)", "works"),
        (ADVISED, "made.reset()", "made.reset()", "UserError 0"),
        (GNUGO, "made.reset()", "made.reset(); made.step(12)", "UserError 0"),
        ('load_vector("mujoban")', "made.reset()", "made.reset()", "UserError 0"),
        ('load_vector("sokoban")', "made.reset()", "made.reset()", "UserError 0"),
    ],
    ids=["symbolic", "physics", "expert", "program", "threads", "jax"],
)
def test_a_fork_works_or_says_why_not(made, before, inside, child):
    if "gnugo" in made:
        from environments.players.gnugo import find_gnugo

        if find_gnugo() is None:
            pytest.skip("gnugo is not installed")
    program = FORK.format(made=made, before=before, inside=inside)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.splitlines() == [child, "ends"], done.stderr
