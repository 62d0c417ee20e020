"""Compiled code where its cache cannot be kept."""

import os
import shutil
import subprocess
import sys

from environments import errors

PLAY = """
import numpy as np
import environments, environments.players.sokoban.solver
from environments.games.sokoban import reverse_play, symmetry
print(environments.__file__, symmetry.mix(np.uint64(1)) == symmetry.mix.py_func(np.uint64(1)))
"""


def test_runs_where_nothing_can_be_written(tmp_path):
    """A folder for compiled code is a file here, for who may write everywhere."""
    package = shutil.copytree(
        os.path.dirname(errors.__file__),
        tmp_path / "environments",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for folder, _, _ in list(os.walk(package)):
        open(os.path.join(folder, "__pycache__"), "w").close()
    (tmp_path / "home").touch()
    home = str(tmp_path / "home")
    variables = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA")}
    variables |= {"HOME": home, "XDG_CACHE_HOME": home}
    ended = subprocess.run(
        [sys.executable, "-W", "always", "-c", PLAY],
        cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [str(package / "__init__.py"), "True"]
    assert ended.stderr.count("RuntimeWarning: compiled code cannot be kept") == 1
