"""Packaging: everything is pinned, it resolves for every environment, imports go one way."""

import ast
import importlib.util
import json
import os
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

from launch import doctor_advice
from tests.offline import skip_if_offline
from tests.test_import_root import ROOTS

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


REPLAY = {"dm-acme", "dm-reverb", "tensorflow-cpu"}


def test_what_is_published_asks_for_nothing_that_only_some_can_install():
    for requirement in map(Requirement, PYPROJECT["project"]["dependencies"]):
        assert requirement.name not in REPLAY
        assert refresh.environments_of(requirement.marker) == refresh.ENVIRONMENTS.keys()


def test_a_clone_installs_replay_by_default_but_under_newer_pythons():
    assert "replay" in PYPROJECT["tool"]["uv"]["default-groups"]
    requirements = [Requirement(line) for line in PYPROJECT["dependency-groups"]["replay"]]
    assert {requirement.name for requirement in requirements} == REPLAY
    for requirement in requirements:
        assert refresh.environments_of(requirement.marker) == {"linux-old"}


def test_the_doctor_advises_the_versions_that_a_clone_installs():
    lines = [line.partition(";")[0] for line in PYPROJECT["dependency-groups"]["replay"]]
    acme, reverb, tensorflow = sorted(lines)
    assert f"`pip install {reverb} {tensorflow}`" in doctor_advice.REPLAY
    assert f"`pip install --no-deps {acme}`" in doctor_advice.ACME


def _imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_every_library_that_is_imported_is_asked_for():
    groups = PYPROJECT["dependency-groups"]
    asked = [*PYPROJECT["project"]["dependencies"], *groups["replay"], *groups["bench"]]
    asked_for = {canonicalize_name(Requirement(line).name) for line in asked}
    installed = metadata.packages_distributions()
    files = [path for root in ROOTS for path in (REPOSITORY / root).rglob("*.py")]
    imported = set().union(*map(_imported, files)) - sys.stdlib_module_names - {*ROOTS}
    assert {"jax", "reverb"} <= imported
    for name in imported & installed.keys():
        assert {canonicalize_name(owner) for owner in installed[name]} & asked_for, name


@pytest.mark.slow
@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_another_project_can_install_it(tmp_path, python):
    done = _uv(
        *("pip", "compile", "-", "--no-config", "--python-version", python, "--quiet"),
        cwd=tmp_path,  # where no pyproject.toml holds overrides or pins
        stdin=f"moravec @ {REPOSITORY.as_uri()}",
    )
    resolved = {Requirement(line).name for line in done.splitlines() if line[0] not in "# "}
    assert {"jax", "mujoco", "ray"} <= resolved


@pytest.mark.slow
def test_what_is_installed_has_all_that_its_commands_read(tmp_path):
    """Its own copy of every file, far from the clone; its dependencies are those of this Python."""
    site, place = tmp_path / "site", tmp_path / "place"
    place.mkdir()
    _uv("pip", "install", "--no-deps", "--target", site, str(REPOSITORY), cwd=tmp_path)
    tracked = {path.relative_to(REPOSITORY) for path in _tracked()}
    published = {path for path in tracked if path.parts[0] in (*ROOTS, "pretrained")}
    assert [path for path in published if not (site / path).exists()] == []

    def moravec(*arguments: object) -> str:
        command = [sys.executable, "-m", "moravec", *map(str, arguments)]
        variables = os.environ | {"PYTHONPATH": str(site)}
        done = subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    levels = "generated:size=6,boxes=1,count=20,seed=0"
    evaluated = moravec("evaluate", "pretrained:sokoban_small", "--suite", levels, "--json")
    assert json.loads(evaluated)
    (place / "evaluated.json").write_text(evaluated)
    moravec("report", "evaluated.json", "--out", "report")
    assert list((place / "report").rglob("*.html"))


def _uv(*arguments: object, cwd: Path, stdin: str = "") -> str:
    """Standard output of a uv command."""
    if shutil.which("uv") is None:
        pytest.skip("uv is not on the path")
    command = ["uv", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True)
    skip_if_offline(done.stderr)
    assert done.returncode == 0, done.stderr
    return done.stdout


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
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    options = "--all-groups --all-extras --no-hashes --no-header --no-annotate --no-emit-project"
    assert refresh.pins(_uv("export", *options.split(), cwd=tmp_path)) == PINS


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
    for root in ROOTS:
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
