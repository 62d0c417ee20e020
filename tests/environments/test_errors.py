"""What the operating system says, as a part of a message."""

import errno
import os

import pytest

from environments.errors import reason


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOENT, os.strerror(errno.ENOENT), "file"), "no such file or directory"),
        (OSError("Nothing listens"), "nothing listens"),  # has no strerror
    ],
)
def test_the_reason_of_an_error(error, said):
    assert reason(error) == said
