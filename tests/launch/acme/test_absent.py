"""Without Acme the user is told which Python has it."""

import sys

import pytest

from environments.errors import UserError
from launch.acme import compat


def test_says_which_python_has_acme(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UserError, match=r"use Python 3\.11"):
        compat.install()
