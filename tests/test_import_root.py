"""Our packages are import roots: no other distribution may own one of their names."""

import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOTS = ("agents", "environments", "experiments", "launch", "moravec")
REPOSITORY = Path(__file__).resolve().parents[1]


def foreign_owners(owners: dict[str, list[str]]) -> dict[str, list[str]]:
    """For each of our roots, the distributions other than moravec that install it."""
    found = {root: sorted(set(owners.get(root, ())) - {"moravec"}) for root in ROOTS}
    return {root: names for root, names in found.items() if names}


def test_no_foreign_distribution_owns_a_root():
    foreign = foreign_owners(dict(packages_distributions()))
    assert not foreign, (
        f"other distributions install packages named like ours, and a script may import theirs: "
        f"{foreign}; uninstall them, or give Moravec an environment of its own"
    )


def test_a_foreign_distribution_is_found(tmp_path, monkeypatch):
    # Real metadata on the path, as an installed openai-agents would leave it.
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").touch()
    metadata = tmp_path / "openai_agents-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: openai-agents\nVersion: 1\n")
    (metadata / "top_level.txt").write_text("agents\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert foreign_owners(dict(packages_distributions())) == {"agents": ["openai-agents"]}


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_is_the_folder_of_this_repository(root):
    module = importlib.import_module(root)
    assert module.__file__ == str(REPOSITORY / root / "__init__.py")


def test_every_folder_of_tests_is_a_package():
    # Otherwise pytest puts tests/ on the path, and tests/environments hides environments.
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]
