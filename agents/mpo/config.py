"""Configuration of MPO, with the sources of its defaults."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.checks import above_zero, at_least, between
from agents.registry import AgentConfig, register
from environments.errors import UserError

if TYPE_CHECKING:
    from agents.base import Agent
    from environments.base import EnvironmentSpec


@register("mpo")
@dataclass(frozen=True)
class MPOConfig(AgentConfig):
    """MPO with a perceptron: continuous actions, learnt off-policy; defaults for two cores."""

    # Units of the hidden layers of policy and critic, each.
    hidden: tuple[int, ...] = (256, 256)
    # Steps in a sequence.
    sequence_length: int = 10
    # Steps from the beginning of a sequence to that of the next.
    period: int = 10
    # Sequences for each update.
    batch: int = 32
    # Sequences that the replay keeps; the oldest go first. Returns of several steps are of the play
    # that is kept: with five times as much, what was learnt is lost for a while.
    capacity: int = 10_000
    # Sequences there must be before the first update.
    min_size: int = 500
    # Environments that act at once explore each with its own part of the policy's deviation, from
    # this to all of it (a ladder as in Ape-X, Horgan et al. 2018): what a greedy policy gets stuck
    # in must be seen to be learnt.
    least_exploration: float = 0.1
    # How often a sequence is learnt from, on average.
    samples_per_insert: float = 8.0
    # Steps of a return before the critic's estimate takes over.
    n_step: int = 5
    # Discount of future rewards for each step.
    discount: float = 0.99
    # Actions that are drawn in every state to improve the policy by.
    action_samples: int = 16
    # Bounds on how far an improved policy may be from the last: of the weights of samples, and,
    # for each number of an action, of its mean and of its deviation (Acme's MPO).
    epsilon: float = 0.1
    epsilon_mean: float = 2.5e-3
    epsilon_std: float = 1e-5
    # Updates after which the target networks become what the networks are.
    target_period: int = 100
    # Adam's rate for policy and critic.
    learning_rate: float = 3e-4
    # Adam's rate for the temperature and the multipliers of the bounds.
    dual_learning_rate: float = 1e-2
    # Largest global norm of the gradients of policy and critic.
    clip_norm: float = 40.0
    # Weight of the squared distance to what demonstrations do, where there are any.
    cloning_cost: float = 1.0

    def __post_init__(self):
        if not self.hidden or min(self.hidden) < 1:
            raise UserError(f"agent.hidden must be layer sizes of at least 1, not {self.hidden}")
        at_least(self, 1, "n_step", "target_period")
        at_least(self, 2, "action_samples")
        between(self, 0, 1, "discount", "least_exploration")
        above_zero(self, "epsilon", "epsilon_mean", "epsilon_std")
        above_zero(self, "learning_rate", "dual_learning_rate", "clip_norm")
        if not 0 <= self.cloning_cost < float("inf"):
            raise UserError(f"agent.cloning_cost must be at least 0, not {self.cloning_cost}")

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.mpo.agent import make

        return make(self, spec, frames)
