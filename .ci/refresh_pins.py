# /// script
# requires-python = ">=3.11"
# dependencies = ["packaging"]
# ///
"""Resolves all dependencies anew and rewrites the pins in pyproject.toml.

    uv run .ci/refresh_pins.py

The pins stand between marker comments in `[tool.uv]` as exact constraints. They take the place of
a lock file, which would name the hosts of the index that made it.
"""

import re
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
# What the `environments` of [tool.uv] look like to a marker.
_CPYTHON = {"platform_python_implementation": "CPython", "implementation_name": "cpython"}
_LINUX = {
    **_CPYTHON,
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
}
_MAC = {
    **_CPYTHON,
    "sys_platform": "darwin",
    "platform_system": "Darwin",
    "platform_machine": "arm64",
}
_OLD = {"python_version": "3.11", "python_full_version": "3.11.9"}
_NEW = {"python_version": "3.12", "python_full_version": "3.12.9"}
ENVIRONMENTS = {"linux-old": _LINUX | _OLD, "linux-new": _LINUX | _NEW, "mac-new": _MAC | _NEW}
# The marker of every set of environments that can differ from the rest.
_MARKERS = {
    frozenset({"linux-old"}): "python_version < '3.12'",
    frozenset({"linux-new"}): "python_version >= '3.12' and sys_platform == 'linux'",
    frozenset({"mac-new"}): "sys_platform == 'darwin'",
    frozenset({"linux-new", "mac-new"}): "python_version >= '3.12'",
    frozenset({"linux-old", "linux-new"}): "sys_platform == 'linux'",
    frozenset({"linux-old", "mac-new"}): "python_version < '3.12' or sys_platform == 'darwin'",
}


def environments_of(marker: Marker | None) -> frozenset[str]:
    """The names of the environments in which `marker` holds."""
    return frozenset(
        name for name, values in ENVIRONMENTS.items() if marker is None or marker.evaluate(values)
    )


def pins(export: str) -> list[str]:
    """One exact requirement for each version in the output of `uv export`.

    A package with one version needs no marker: where it is not asked for, it is not constrained.
    """
    versions: dict[str, dict[str, frozenset[str]]] = {}
    for line in export.splitlines():
        requirement = Requirement(line)
        of_package = versions.setdefault(requirement.name, {})
        version = str(requirement.specifier)
        places = of_package.get(version, frozenset()) | environments_of(requirement.marker)
        of_package[version] = places
    lines = []
    for name, of_package in sorted(versions.items()):
        for version, places in sorted(of_package.items()):
            marker = f"; {_MARKERS[places]}" if len(of_package) > 1 else ""
            lines.append(name + version + marker)
    return lines


def replace(text: str, block: str, lines: Iterable[str]) -> str:
    """`text` with the lines between the two markers of `block` replaced."""
    body = "".join(f'  "{line}",\n' for line in lines)
    pattern = rf"(  # <{block}>\n).*?(  # </{block}>\n)"
    text, count = re.subn(pattern, rf"\g<1>{body}\g<2>", text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{PYPROJECT} lacks the lines # <{block}> and # </{block}>")
    return text


def uv(*arguments: str, folder: Path, stdin: str | None = None) -> str:
    """Standard output of a uv command run in `folder`."""
    command = ["uv", *arguments]
    done = subprocess.run(command, cwd=folder, input=stdin, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)  # uv has said why
    return done.stdout


def main() -> None:
    """Resolves without the old pins, in a folder of its own, and writes the new ones."""
    text = replace(replace(PYPROJECT.read_text(), "pins", ()), "build-pins", ())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text(text)
        options = "--all-groups --all-extras --no-hashes --no-header --no-annotate"
        export = uv("export", *options.split(), "--no-emit-project", folder=folder)
        # editables: what hatchling asks for when it builds an editable wheel.
        build = [*tomllib.loads(text)["build-system"]["requires"], "editables"]
        options = "--universal --no-header --no-annotate --python-version 3.11"
        build_export = uv(
            "pip", "compile", "-", *options.split(), folder=folder, stdin="\n".join(build)
        )
    text = replace(text, "pins", pins(export))
    PYPROJECT.write_text(replace(text, "build-pins", pins(build_export)))


if __name__ == "__main__":
    main()
