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

    # "Acme" is its published benchmark of MPO, examples/baselines/rl_continuous/run_mpo.py, with
    # the defaults that this leaves alone. What names no source was chosen on two cores.

    # Units of the hidden layers of policy and critic, each (Acme: three of 256).
    hidden: tuple[int, ...] = (256, 256)
    # Steps in a sequence.
    sequence_length: int = 10
    # Steps from the beginning of a sequence to that of the next.
    period: int = 10
    # Sequences for each update: 320 steps (Acme: 256).
    batch: int = 32
    # Sequences that the replay keeps, 100,000 steps (Acme: 1,000,000); the oldest go first. Returns
    # of several steps are of the play that is kept: with five times as much, what was learnt is
    # lost for a while.
    capacity: int = 10_000
    # Sequences there must be before the first update, 5,000 steps (Acme: 1,000).
    min_size: int = 500
    # Each episode is explored with a part of the policy's deviation, drawn between this and all of
    # it (the idea of Ape-X's ladder, Horgan et al. 2018): what a greedy policy gets stuck in must
    # be seen to be learnt.
    least_exploration: float = 0.1
    # How often a sequence is learnt from, on average (Acme: 64).
    samples_per_insert: float = 8.0
    # Steps of a return before the critic's estimate takes over (Acme: 4).
    n_step: int = 5
    # Discount of future rewards for each step (Acme).
    discount: float = 0.99
    # Actions that are drawn in every state to improve the policy by (Acme: 20).
    action_samples: int = 16
    # Bounds on how far an improved policy may be from the target policy: of the weights of samples
    # (Acme), and, for each number of an action, of its mean (Acme) and of its deviation (Acme:
    # 1e-6, for each of its shorter periods: the deviation may move as fast a frame as here).
    epsilon: float = 0.1
    epsilon_mean: float = 0.01
    epsilon_std: float = 1e-5
    # Updates after which the target critic becomes what the critic is (Acme: for both networks).
    target_period: int = 100
    # Likewise the target policy, from which the bounds count: 25 are 1,000 frames here (Acme's 100
    # are 400, at its ratio of updates to frames). A critic that is followed as closely diverges.
    policy_period: int = 25
    # Adam's rate for policy and critic (Acme).
    learning_rate: float = 3e-4
    # Adam's rate for the temperature and the multipliers of the bounds (Acme).
    dual_learning_rate: float = 1e-2
    # Largest global norm of the gradients of policy and critic (Acme).
    clip_norm: float = 40.0
    # Weight of the log-likelihood of what demonstrations do, where there are any; at 1 it pulls at
    # the mean in the units of MPO's own loss.
    cloning_cost: float = 1.0

    def __post_init__(self):
        if not self.hidden or min(self.hidden) < 1:
            raise UserError(f"agent.hidden must be layer sizes of at least 1, not {self.hidden}")
        at_least(self, 1, "n_step", "target_period", "policy_period")
        at_least(self, 2, "action_samples")
        between(self, 0, 1, "discount", "least_exploration")
        above_zero(self, "epsilon", "epsilon_mean", "epsilon_std")
        above_zero(self, "learning_rate", "dual_learning_rate", "clip_norm")
        if not 0 <= self.cloning_cost < float("inf"):
            raise UserError(f"agent.cloning_cost must be at least 0, not {self.cloning_cost}")

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.mpo.agent import make

        return make(self, spec, frames)
