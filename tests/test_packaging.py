"""Packaging: everything is pinned, it resolves for every environment, imports go one way."""

import importlib.util
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.offline import skip_if_offline

REPOSITORY = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
PINS = PYPROJECT["tool"]["uv"]["constraint-dependencies"]
BUILD_PINS = PYPROJECT["tool"]["uv"]["build-constraint-dependencies"]


def _load_refresh_pins():
    spec = importlib.util.spec_from_file_location("refresh", REPOSITORY / ".ci/refresh_pins.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


refresh = _load_refresh_pins()


def _pinned_here() -> dict[str, str]:
    """Name and version of every pin whose marker holds in this environment."""
    requirements = [Requirement(line) for line in PINS]
    return {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    }


def test_every_pin_is_exact_and_is_the_only_one_of_its_package_here():
    for line in [*PINS, *BUILD_PINS]:
        assert re.fullmatch(r"[a-z0-9-]+==[^=*;]+(; .+)?", line), line
    holding = [
        canonicalize_name(requirement.name)
        for requirement in map(Requirement, PINS)
        if requirement.marker is None or requirement.marker.evaluate()
    ]
    assert len(holding) == len(set(holding))


def test_everything_installed_is_installed_as_pinned():
    if (metadata.distribution("moravec").read_text("INSTALLER") or "").strip() != "uv":
        pytest.skip("this environment was not made by uv, which alone knows of the pins")
    pinned = _pinned_here()
    wrong = {
        name: (distribution.version, pinned.get(name))
        # Not those that a package imported by another test carries within itself.
        for distribution in metadata.distributions(path=[sysconfig.get_path("purelib")])
        if (name := canonicalize_name(distribution.name)) != "moravec"
        and distribution.version != pinned.get(name)
    }
    assert not wrong, f"installed version, pinned version: {wrong}; run uv sync"


def test_newer_pythons_are_spared_reverb_tensorflow_and_acme():
    for line in PYPROJECT["project"]["dependencies"]:
        requirement = Requirement(line)
        places = refresh.environments_of(requirement.marker)
        replay = requirement.name in ("dm-acme", "dm-reverb", "tensorflow-cpu")
        assert places == ({"linux-old"} if replay else refresh.ENVIRONMENTS.keys()), line


def test_one_version_needs_no_marker_and_two_are_told_apart():
    export = "\n".join(
        [
            "one==1 ; sys_platform == 'linux' and python_full_version < '3.12'",
            "two==1 ; python_full_version < '3.12' and sys_platform == 'linux'",
            "two==2 ; python_full_version >= '3.12'",
            "three==1 ; sys_platform == 'linux'",
            "three==2 ; sys_platform == 'darwin'",
        ]
    )
    assert refresh.pins(export) == [
        "one==1",
        "three==1; sys_platform == 'linux'",
        "three==2; sys_platform == 'darwin'",
        "two==1; python_version < '3.12'",
        "two==2; python_version >= '3.12'",
    ]


def test_pins_are_replaced_between_their_markers():
    text = 'a\n  # <pins>\n  "old==1",\n  # </pins>\nb\n'
    expected = 'a\n  # <pins>\n  "new==2",\n  # </pins>\nb\n'
    assert refresh.replace(text, "pins", ["new==2"]) == expected
    with pytest.raises(SystemExit, match="build-pins"):
        refresh.replace(text, "build-pins", [])


@pytest.mark.slow
def test_it_resolves_for_every_environment_to_the_pins(tmp_path):
    if shutil.which("uv") is None:
        pytest.skip("uv is not on the path")
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    options = "--all-groups --all-extras --no-hashes --no-header --no-annotate --no-emit-project"
    done = subprocess.run(
        ["uv", "export", *options.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    skip_if_offline(done.stderr)
    assert done.returncode == 0, done.stderr
    assert refresh.pins(done.stdout) == PINS


def _tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return [REPOSITORY / name for name in done.stdout.split("\0") if name]


def test_no_lock_file_and_no_index_host_is_tracked():
    files = [path for path in _tracked() if path.is_file()]
    assert REPOSITORY / "uv.lock" not in files
    host = re.compile(rb"(pypi|pythonhosted|npmjs|debian)\.(org|com|io|net)")
    assert not [path for path in files if host.search(path.read_bytes())]


VIOLATIONS = {
    "environments/planted.py": "import agents.base",
    "environments/games/planted.py": "from launch import doctor",
    "agents/planted.py": "import experiments.base",
    "experiments/planted.py": "def late():\n    import launch",
    "agents/drc/planted.py": "def late():\n    import tensorflow",
    "launch/planted.py": "from acme import specs",
    "environments/games/sokoban/planted.py": "import reverb",
}


@pytest.fixture(scope="module")
def broken_contracts(tmp_path_factory) -> str:
    """What import-linter says of a copy of the tree with every violation planted."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copy(REPOSITORY / "pyproject.toml", copy)
    for root in ("agents", "environments", "experiments", "launch"):
        shutil.copytree(
            REPOSITORY / root, copy / root, ignore=lambda _, names: {"__pycache__"} & set(names)
        )
    for path, source in VIOLATIONS.items():
        (copy / path).write_text(source + "\n")
    allowed = copy / "launch" / "replay"
    allowed.mkdir(exist_ok=True)
    (allowed / "__init__.py").touch()
    (allowed / "planted.py").write_text("import acme, reverb, tensorflow\n")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("path", VIOLATIONS)
def test_a_planted_import_against_the_rules_is_found(path, broken_contracts):
    importer = path.removesuffix(".py").replace("/", ".")
    assert f"{importer} ->" in broken_contracts


def test_replay_may_import_what_the_rest_may_not(broken_contracts):
    assert "launch.replay.planted ->" not in broken_contracts


def test_the_citation_file_has_what_its_format_asks_for():
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "type", "license"} <= citation.keys()
    assert citation["version"] == PYPROJECT["project"]["version"]
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year"} <= reference.keys()
