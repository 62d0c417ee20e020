"""The worked examples of environments/README.md run as shown; the README's table is the code's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments.table import table

ROOT = Path(__file__).parents[2]
README = (ROOT / "environments" / "README.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
MAP = re.findall(r"^([a-z_<>/]+(?:\.py|/))  ", README, re.MULTILINE)


def test_worked_examples_run(tmp_path):
    script = tmp_path / "examples.py"
    script.write_text("\n\n".join(EXAMPLES))
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(5, 5, 3)\n(3,)\n"


def test_the_readme_shows_the_environments_as_they_are():
    readme = (ROOT / "README.md").read_text()
    assert table() in readme, "put the output of python -m tests.environments.table there"


@pytest.mark.parametrize("path", MAP)
def test_the_map_shows_what_is_there(path):
    shown = ROOT / "environments" / path.replace("<game>", "sokoban")
    assert shown.exists()
