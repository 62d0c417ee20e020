"""One actor from its plan: environments, writer, and the loop; the same under every host."""

from environments.registry import build_vector
from launch.distributed.actor import Actor, Identity
from launch.distributed.coordinator import Link
from launch.distributed.plan import Plan
from launch.distributed.seeds import actor_seeds


def act(plan: Plan, actor: int, incarnation: int, replay: str, link: Link) -> None:
    """Acts until the coordinator says to stop.

    Args:
      plan: of the run.
      actor: its number.
      incarnation: how often it was replaced before.
      replay: the address of its replay server.
      link: to the coordinator.
    """
    from launch.replay.writer import ItemWriter  # TensorFlow: seconds

    seeds = actor_seeds(plan.experiment.seed, actor, incarnation)
    identity = Identity(actor, incarnation, seeds.policy)
    link.doing(identity.name, "building its environments")
    writer = ItemWriter(replay, plan.item)
    try:
        options = plan.experiment.environment
        with build_vector(options, plan.worlds, seed=seeds.environment) as environment:
            Actor(plan.agent, environment, plan.item, plan.period, identity, link, writer).run()
    finally:
        writer.close()
    link.doing(identity.name, "ended")
