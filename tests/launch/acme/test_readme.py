"""The example of launch/acme/README.md runs as shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("reverb", reason="Acme's adders need Reverb, which has no wheel here")

ROOT = Path(__file__).parents[3]
README = (ROOT / "launch" / "acme" / "README.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_example_runs():
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(EXAMPLES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    # 20 steps an episode, and one across the reset between them: four items of ten.
    assert done.stdout == "{'episodes': 2, 'steps': 40} 4 (10, 3)\n"
