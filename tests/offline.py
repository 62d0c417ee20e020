"""For tests that need a package index, which not every machine reaches."""

import re

import pytest


def skip_if_offline(said: str) -> None:
    """Skips the test if that, on a standard error of uv, tells that no index was reached."""
    if re.search("error sending request|dns error|[Cc]onnection refused", said):
        pytest.skip("no package index can be reached")
