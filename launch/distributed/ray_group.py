"""The learner processes of a run as Ray actors: the one that leads, and its followers if any."""

from typing import Any

import jax

from environments.errors import UserError
from launch import configuration
from launch.distributed.learner_group import Membership, follow, join
from launch.distributed.plan import make_plan
from launch.distributed.ray_cluster import ray
from launch.distributed.ray_handles import Failure, RayHandle, checked, spawn
from launch.distributed.ray_learner import LearnerPart
from launch.distributed.ray_parts import enter
from launch.platforms import use_platform


class FollowerPart:
    """Lends its devices to the learner."""

    def __init__(self, folder: str, document: dict[str, Any]):
        """See `ray_parts.ActorPart`."""
        self._experiment = configuration.from_json(document)
        enter(folder, self._experiment.runner.platform)

    def follow(self, address: str, number: int) -> Failure | None:
        """Follows until the leader ends.

        Args:
          address: where the group meets.
          number: this process', from 1 on.
        """
        join(Membership(address, self._experiment.runner.learners, number))
        try:
            use_platform(self._experiment.runner.platform)
            plan = make_plan(self._experiment)
            jax.block_until_ready(follow(plan.agent, plan.item))
        except UserError as error:
            return Failure.of(error)


class LearnerGroup:
    """Begins, fails and ends as one."""

    def __init__(self, arguments: tuple, places: list[dict[str, Any]]):
        """Has all processes get ready and meet; waits for nothing.

        Args:
          arguments: of `LearnerPart`.
          places: of each learner, the leader's first; see `places`.
        """
        self.leader = spawn(LearnerPart, *arguments, max_concurrency=8, **places[0])
        followers = [spawn(FollowerPart, *arguments, **place) for place in places[1:]]
        address = self.leader.meeting_point.remote() if followers else None
        # Done when the leader is ready.
        self.ready = self.leader.get_ready.remote(address)
        self._followers = [
            RayHandle(part, part.follow.remote(address, number))
            for number, part in enumerate(followers, 1)
        ]

    def death(self) -> str | None:
        """Why a follower died, if one did. Raises UserError if one cannot follow."""
        for number, handle in enumerate(self._followers, 1):
            death = handle.death()
            if death is not None:
                return f"follower {number}: {death}"
            if handle.ended():
                checked(handle.result())
        return None

    def kill(self) -> None:
        """Ends all processes."""
        ray.kill(self.leader)
        for handle in self._followers:
            handle.kill()


def places(platform: str, learners: int, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each learner asks Ray for.

    With GPUs or TPUs a node each, and as many of its devices as the others have; else nodes in
    turn, or one learner on any node.

    Args:
      platform: see `experiments.base.Runner`.
      learners: how many.
      nodes: as `ray.nodes` tells.

    Raises UserError if too few nodes have the platform.
    """
    nodes = [node for node in nodes if node["Alive"]]
    for kind in ("GPU", "TPU"):
        counts = sorted((node["Resources"].get(kind, 0) for node in nodes), reverse=True)
        having = sum(count > 0 for count in counts)
        if not having or platform not in ("default", kind.lower()):
            continue
        if having < learners:
            raise UserError(
                f"runner.learners={learners}, but the cluster's nodes with a {kind} are {having}: "
                f"give at most so many, or --runner.platform cpu"
            )
        devices = counts[learners - 1]
        asked = {"resources": {kind: devices}} if kind == "TPU" else {"num_gpus": devices}
        return [asked] * learners
    if platform in ("gpu", "tpu"):
        raise UserError(f"runner.platform={platform}, but no node of the cluster has one")
    if learners == 1:
        return [{}]
    return [_on(nodes[number % len(nodes)]["NodeID"]) for number in range(learners)]


def _on(node: str) -> dict[str, Any]:
    """Prefers a node; another will do if it is lost."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=True)}
