"""A full disk costs a checkpoint of the replay, no more."""

import sys

import pytest

pytest.importorskip("reverb")

from tests.launch.test_damage import in_namespace, mounted

__all__ = ["mounted"]  # a fixture

SMALL = """
set -e
mount -t tmpfs -o size=2m none "$1"
folder=$1
cd "$2"
shift 2
exec "$@" "$folder"
"""


@pytest.mark.slow
def test_the_earlier_checkpoint_stays_and_the_next_is_written(mounted):
    done = in_namespace(SMALL, mounted, [sys.executable, "-m", "tests.launch.replay.full_disk"])
    assert done.returncode == 0, done.stderr
    assert done.stdout == "items 10\n"
