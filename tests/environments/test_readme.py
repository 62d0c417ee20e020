"""The example of environments/README.md runs as shown; the README's table is the code's."""

import re
from pathlib import Path

from tests.environments.table import table

ROOT = Path(__file__).parents[2]
README = (ROOT / "environments" / "README.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_examples_run(capsys):
    for example in EXAMPLES:
        exec(example, {})
    assert capsys.readouterr().out == "(3,)\n"


def test_the_readme_shows_the_environments_as_they_are():
    readme = (ROOT / "README.md").read_text()
    assert table() in readme, "put the output of python -m tests.environments.table there"
