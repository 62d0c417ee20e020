"""Names of agents, registered by their configurations; importing this loads no JAX."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from environments.errors import unknown
from environments.plugins import load_plugins

if TYPE_CHECKING:
    from agents.base import Agent
    from environments.base import EnvironmentSpec

# Each of these registers an agent when imported. A new agent adds its line here.
_REGISTRATIONS = (
    "agents.drc.config",
    "agents.resnet.config",
    "agents.cnn.config",
    "agents.mlp.config",
    "agents.mpo.config",
    "agents.models.config",
    "agents.i2a.config",
    "agents.perception.config",
)


@dataclass(frozen=True)
class AgentConfig(ABC):
    """Base of every agent's configuration: frozen, typed, validated in `__post_init__`."""

    @abstractmethod
    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        """The agent for environments of this spec; its schedules end after `frames` frames."""


_configs: dict[str, type[AgentConfig]] = {}


def register(name: str) -> Callable[[type], type]:
    """Class decorator for a configuration: registers its agent under `name`."""

    def decorate(config: type[AgentConfig]) -> type[AgentConfig]:
        if name in _configs:
            raise ValueError(f"agent {name!r} is registered twice")
        _configs[name] = config
        return config

    return decorate


def configs() -> dict[str, type[AgentConfig]]:
    """All registered configurations by agent name. Raises UserError if a plug-in fails."""
    for module in _REGISTRATIONS:
        importlib.import_module(module)
    load_plugins()
    return dict(_configs)


def config_class(name: str) -> type[AgentConfig]:
    """The configuration of the agent called `name`; UserError, with choices, if there is none."""
    known = configs()
    if name not in known:
        raise unknown("agent", name, known)
    return known[name]


def name_of(config: AgentConfig) -> str:
    """The registered name of the agent to which this configuration belongs."""
    for name, candidate in configs().items():
        if candidate is type(config):
            return name
    raise ValueError(f"{type(config).__name__} belongs to no registered agent")
