"""`moravec doctor`: what is installed, whether it works, and what to do where it does not."""

import argparse
import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from launch import child
from launch.doctor_advice import SYNC
from launch.doctor_checks import ALONE, CHECKS, Check, Finding, alone, parse

# Seconds: one check alone, and all of them together.
CHECK_TIMEOUT = 60.0
TOTAL_TIMEOUT = 150.0
_AGAIN = "run `moravec doctor` again: libraries are slow when first imported, and on a busy machine"
_STYLES = {"ok": "green", "missing": "yellow", "broken": "bold red"}


def examine(command: list[str], timeout: float) -> Finding:
    """Runs a check in a process of its own; a crash or a hang becomes a finding."""
    if timeout <= 0:
        return Finding("broken", "no time was left for this check", _AGAIN)
    try:
        done = subprocess.run(
            command,
            env=os.environ | {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"},  # ship no repository
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding("broken", f"no answer within {timeout:.0f} s", _AGAIN)
    if done.returncode == 0:
        return parse(done.stdout)
    if done.returncode < 0:
        reason = f"crashed with {signal.Signals(-done.returncode).name}"
    else:
        reason = f"ended with status {done.returncode}"
    last = done.stderr.strip().splitlines()[-1:]
    aborted = done.returncode == -signal.SIGABRT  # as XLA does, after some text, for wrong flags
    advice = "correct or unset XLA_FLAGS" if aborted and "XLA_FLAGS" in os.environ else SYNC
    return Finding("broken", ": ".join([reason, *last]), advice)


def examine_all() -> dict[str, Finding]:
    """The findings of all checks by name, two at a time, in the order of CHECKS."""
    end = time.monotonic() + TOTAL_TIMEOUT

    def run(name: str) -> Finding:
        command = child.command("doctor", ALONE, name)
        return examine(command, min(CHECK_TIMEOUT, end - time.monotonic()))

    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(CHECKS, pool.map(run, CHECKS), strict=True))


def failed(findings: dict[str, Finding]) -> list[str]:
    """The names of the required checks that are not ok."""
    return [
        name
        for name, finding in findings.items()
        if CHECKS[name].required and finding.status != "ok"
    ]


def _document(findings: dict[str, Finding]) -> dict:
    def row(name: str, check: Check) -> dict:
        about = {"name": name, "required": check.required, "needed_for": check.needed_for}
        return about | asdict(findings[name])

    checks = [row(name, check) for name, check in CHECKS.items()]
    return {"ok": not failed(findings), "checks": checks}


def _print_table(findings: dict[str, Finding]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "needed for", "", "found, and what to do", box=None)
    for name, check in CHECKS.items():
        finding = findings[name]
        style = _STYLES[finding.status]
        if finding.status == "missing" and check.required:
            style = _STYLES["broken"]
        about = finding.detail + (f"\n-> {finding.advice}" if finding.advice else "")
        status = f"[{style}]{finding.status}[/]"
        needed_for = check.needed_for + ("" if check.required else " (optional)")
        table.add_row(name, needed_for, status, escape(about))
    console = Console()
    console.print(table)
    wrong = failed(findings)
    if wrong:
        console.print(f"[bold red]Training will not work: see {', '.join(wrong)}.[/]")
    else:
        console.print("[green]Everything that training needs works.[/]")


def main(args: list[str]) -> int:
    """Prints the report, as a table or as JSON; 0 if all that is required works, otherwise 1.

    With `ALONE` and the name of a check, what its process prints: the finding.
    """
    parser = argparse.ArgumentParser(
        "moravec doctor", description="Checks versions and imports one by one."
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument(ALONE, dest="alone", help=argparse.SUPPRESS)
    arguments = parser.parse_args(args)
    if arguments.alone:
        print(json.dumps(asdict(alone(arguments.alone))))
        return 0
    from rich.console import Console  # after the arguments: a misspelt one is answered at once

    with Console(stderr=True).status(f"{len(CHECKS)} checks ..."):
        findings = examine_all()
    if arguments.json:
        print(json.dumps(_document(findings), indent=2))
    else:
        _print_table(findings)
    return 1 if failed(findings) else 0
