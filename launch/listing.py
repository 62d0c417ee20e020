"""`moravec list`: what there is to train, play and evaluate on."""

import json
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

import agents.registry
import environments.registry
from experiments import registry
from experiments.suites import SUITES
from experiments.sweeps import SWEEPS
from launch import pretrained

Kind = Literal["environments", "agents", "experiments", "suites", "sweeps", "pretrained"]


@dataclass(frozen=True)
class Arguments:
    """List environments, agents, experiments, suites, sweeps and pretrained policies."""

    # Only these.
    kinds: tyro.conf.Positional[tuple[Kind, ...]] = ()
    # Print one JSON document.
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False


def main(args: list[str]) -> int:
    """Runs `moravec list ARGS`."""
    arguments = tyro.cli(Arguments, prog="moravec list", args=args)
    found = {
        kind: names
        for kind, names in _everything().items()
        if not arguments.kinds or kind in arguments.kinds
    }
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    for kind, names in found.items():
        print(kind)
        width = max(map(len, names), default=0) + 2
        for name, summary in names.items():
            is_default = kind == "experiments" and name == registry.DEFAULT
            default = " (the default of train)" if is_default else ""
            print(f"  {name:{width}}{summary}{default}")
    return 0


def _everything() -> dict[str, dict[str, str]]:
    """For each kind, the summary of each name."""
    return {
        "environments": {name: e.summary for name, e in environments.registry.entries().items()},
        "agents": {name: _summary(c) for name, c in agents.registry.configs().items()},
        "experiments": {name: _summary(f) for name, f in registry.experiments().items()},
        "suites": {name: f"{s.summary} ({s.levels})" for name, s in SUITES.items()},
        "sweeps": {name: sweep.summary for name, sweep in SWEEPS.items()},
        "pretrained": {name: _trained(name) for name in pretrained.names()},
    }


def _trained(name: str) -> str:
    """What a policy that comes along was trained on."""
    document = json.loads((pretrained.folder(pretrained.PREFIX + name) / "config.json").read_text())
    experiment = registry.experiments().get(document["experiment"])
    return "" if experiment is None else _summary(experiment)


def _summary(documented: object) -> str:
    """The first line of a docstring."""
    return (documented.__doc__ or "").strip().splitlines()[0]
