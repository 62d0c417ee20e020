"""Hyper-parameters of the shared actor-critic update, with their sources."""

from dataclasses import dataclass
from typing import Literal

from agents.checks import above_zero, between
from agents.registry import AgentConfig
from environments.errors import UserError

# The DRC paper (Guez et al. 2019) sums its losses over 32 unrolls of 20 steps. Ours are means
# over frames, so that nothing depends on the batch size. Adam's step is invariant to the scale
# of the loss, except for what is compared with the gradient's size: epsilon, clipping, and the
# weight penalty, which is no mean over frames. Each of these is the paper's value over 640.
PAPER_BATCH = 32 * 20

# What convolutions compute in, where an agent has a choice. Parameters, their gradients' sums,
# memory cells and losses are float32 in any case.
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class ActorCriticConfig(AgentConfig):
    """Base of the configurations of actor-critic agents; defaults as in the DRC paper."""

    # Steps in an unroll.
    unroll_length: int = 20
    # Environments, each of which gives one unroll for every round of learning.
    environments: int = 32
    # Equal parts in which a round of unrolls is learnt from, one update for each.
    minibatches: int = 1
    # Discount of future rewards for each step.
    discount: float = 0.97
    # How far V-trace targets look past their own bootstrap.
    td_lambda: float = 0.97
    # Weight of half the squared error of the value.
    value_cost: float = 0.5
    # Weight of the policy's entropy, which is maximised.
    entropy_cost: float = 0.01
    # Weight of the sum of squares of the policy's logits.
    logits_l2: float = 1e-3
    # Weight of the sum of squares of the heads' weights; 1e-5 on the paper's summed loss.
    head_weights_l2: float = 1e-5 / PAPER_BATCH
    # Adam's rate at the beginning; it falls linearly with frames.
    learning_rate: float = 4e-4
    # The part of it that is left at the end of the budget: 0 in the paper, 1 % in the open code.
    final_learning_rate: float = 0.01
    # Adam's decay of the first moment.
    adam_b1: float = 0.9
    # Adam's decay of the second moment.
    adam_b2: float = 0.999
    # Adam's epsilon; 1e-4 on the paper's summed loss.
    adam_epsilon: float = 1e-4 / PAPER_BATCH
    # Largest global norm of the gradient (train-learned-planner's shorter presets).
    clip_norm: float = 0.015

    def __post_init__(self):
        between(self, 0, 1, "discount", "td_lambda", "final_learning_rate")
        for name in ("adam_b1", "adam_b2"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise UserError(f"agent.{name} must be at least 0 and below 1, not {value}")
        between(self, 0, 1e6, "value_cost", "entropy_cost", "logits_l2", "head_weights_l2")
        above_zero(self, "learning_rate", "adam_epsilon", "clip_norm")
