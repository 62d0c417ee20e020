"""What follows from an experiment for all parts of a distributed run, checked once."""

import math
from dataclasses import dataclass
from typing import Any

from agents.base import Agent, OnPolicy
from environments.base import EnvironmentSpec
from environments.errors import UserError
from environments.registry import EnvironmentOptions, build_batched, entry, name_of
from experiments.base import Experiment
from launch.distributed.base import Item, item_spec
from launch.distributed.learner import check_split, round_items
from launch.published import InitialParams


@dataclass(frozen=True)
class Plan:
    """Sizes and specifications that actors, replay and learner agree on."""

    experiment: Experiment
    spec: EnvironmentSpec
    agent: Agent
    item: Item  # its specification
    period: int  # steps from the beginning of an item to that of the world's next
    round_items: int  # items for one version
    worlds: int  # of each actor
    max_lag: int | None  # versions; None if items are drawn from a replay of any age
    capacity: int  # items that one replay server holds

    @property
    def together(self) -> int:
        """Items of which both an actor writes and the learner takes a whole multiple at once."""
        return math.gcd(self.worlds, self.round_items)


def make_plan(experiment: Experiment) -> Plan:
    """Raises UserError if the runner cannot run the experiment."""
    runner = experiment.runner
    spec = environment_spec(experiment.environment)
    agent = experiment.agent.make(spec, experiment.max_frames)
    check_split(agent, runner.learners)  # each has one device at least
    data, items = agent.data, round_items(agent)
    on_policy = isinstance(data, OnPolicy)
    length = data.unroll_length if on_policy else data.sequence_length
    worlds = runner.worlds or max(1, items // runner.actors)
    max_lag = runner.lag if on_policy else None
    if max_lag is not None and worlds > items * (max_lag + 1):
        raise UserError(
            f"runner.worlds must be at most {items * (max_lag + 1)}, not {worlds}: an update "
            f"takes {items} unrolls, and runner.max_lag of {max_lag} allows no more in advance"
        )
    if max_lag == 0 and items % worlds:
        raise UserError(
            f"with runner.max_lag 0, runner.worlds must divide the {items} unrolls of an update "
            f"without rest; {worlds} does not"
        )
    # What may be on its way at once, and what is written as the learner takes the rest.
    queued = items * ((max_lag or 0) + 1) + worlds * runner.actors
    return Plan(
        experiment=experiment,
        spec=spec,
        agent=agent,
        item=item_spec(agent, spec, length),
        period=length if on_policy else data.period,
        round_items=items,
        worlds=worlds,
        max_lag=max_lag,
        capacity=queued if on_policy else -(-data.capacity // runner.replay_shards),
    )


def check_params(plan: Plan, initial_params: InitialParams | None) -> None:
    """Raises UserError if parameters to begin with are another network's."""
    if initial_params is not None:
        initial_params.check(plan.agent)


def environment_spec(options: EnvironmentOptions) -> EnvironmentSpec:
    """The specification of an environment with these options."""
    found = entry(name_of(options))
    if found.batched is not None:
        return build_batched(options).spec
    environment: Any = found.single(options, seed=0)
    try:
        return environment.spec
    finally:
        environment.close()
