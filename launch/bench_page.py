"""The page of `moravec bench --out FILE.md`: what was measured, on which machine, with what.

The page has one part for each kind of device, and in it a section for each benchmark. Measuring
again replaces the sections of what was measured, and leaves the others.
"""

import os
import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from environments.errors import UserError
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.registry import Benchmark
from launch import files

Sections = dict[tuple[str, str], str]  # by part and name of the benchmark

_PACKAGES = ("jax", "numpy", "mujoco", "dm-control", "dm-haiku", "dm-reverb", "tensorflow")
_CPU, _ACCELERATOR = "On a CPU", "On an accelerator"
_TITLE = "# Performance"
_INTRODUCTION = """
Written by `uv run --group bench moravec bench --all --out docs/performance.md`. A baseline was
measured in the same run as the value beside it, and the ratio is value / baseline: that much holds
on other machines too. Compare within a section: sections are measured at other times, when the
same machine may be slower. Wall seconds suffer from whatever else runs, CPU seconds less. Where the
baseline is the limit (the bare engine, a matrix product), the ratio says how near it is; by nominal
arithmetic it may exceed 1, where the code has a short cut.
"""


def check(path: Path) -> None:
    """Raises UserError if the page cannot go to `path`: before hours of measuring."""
    if path.suffix != ".md":
        raise UserError(f"--out {path} must be a Markdown file: call it {path.name}.md")
    if not path.parent.is_dir():
        raise UserError(f"--out {path}: there is no folder {path.parent}")
    _read(path)


def write(
    path: Path,
    found: Iterable[Measurement],
    benchmarks: Mapping[str, Benchmark],
    versions: Mapping[str, Any],
) -> None:
    """Puts the measurements into the page at `path`, and makes it if there is none.

    Args:
      path: of the page.
      found: what was measured.
      benchmarks: all there are, by name, in the order of the page.
      versions: what `launch.versions.collect` gave.

    Raises:
      UserError: the file is another page, or cannot be written.
    """
    sections = _read(path)
    part = _CPU if versions["devices"][0]["platform"] == "cpu" else _ACCELERATOR
    rows: dict[str, list[Measurement]] = {}
    for each in found:
        rows.setdefault(each.name, []).append(each)
    for name, measured in rows.items():
        text = [_goal(benchmarks[name]), _machine(versions), _table(measured)]
        sections[part, name] = "\n\n".join(filter(None, text))
    for name, benchmark in benchmarks.items():
        if benchmark.accelerator:
            sections.setdefault((_ACCELERATOR, name), "Not measured.")
    lines = [_TITLE, _INTRODUCTION]
    for part in (_CPU, _ACCELERATOR):
        lines.append(f"## {part}\n")
        for name, benchmark in benchmarks.items():
            if (part, name) in sections:
                summary = f"### {name}: {benchmark.summary}"
                lines.append(f"{summary}\n\n{sections[part, name]}\n")
    files.atomic_write(path, "\n".join(lines))


def _read(path: Path) -> Sections:
    """The sections of the page that is there, without their headings."""
    if not path.exists():
        return {}
    with files.writing(path):
        text = path.read_text(encoding="utf-8")
    if not text.startswith(_TITLE):
        raise UserError(f"{path} is not a page of measurements: choose another --out")
    found = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        for section in re.split(r"^### ", body, flags=re.MULTILINE)[1:]:
            heading, _, rest = section.partition("\n")
            found[title, heading.split(":")[0]] = rest.strip()
    return found


def _goal(benchmark: Benchmark) -> str:
    return f"Goal: {benchmark.goal}." if benchmark.goal else ""


def _table(rows: list[Measurement]) -> str:
    head = ["| metric | value | unit | baseline | ratio |", "|---|---:|---|---:|---:|"]
    return "\n".join([*head, *(f"| {' | '.join(cells(each))} |" for each in rows)])


def cells(each: Measurement) -> tuple[str, ...]:
    """What a table tells of one figure: metric, value, unit, baseline and ratio."""
    baseline = "" if each.baseline is None else _number(each.baseline)
    ratio = "" if each.ratio is None else f"{each.ratio:.3g}"
    return each.metric, _number(each.value), each.unit, baseline, ratio


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _machine(versions: Mapping[str, Any]) -> str:
    """On what it was measured, and with what."""
    device, packages = versions["devices"][0], versions["packages"]
    machine = f"{os.cpu_count()} cores of {_processor()}"
    if device["platform"] != "cpu":
        machine = f"{device['count']} x {device['kind']}, {machine}"
    used = [f"{name} {packages[name]}" for name in _PACKAGES if name in packages]
    return f"Measured on {machine}; Python {versions['python']}, {', '.join(used)}."


def _processor() -> str:
    """The model of the CPU, as far as the machine tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
