"""Hyper-parameters of the shared actor-critic update, with their sources."""

from dataclasses import dataclass

from agents.registry import AgentConfig
from environments.errors import UserError

# The DRC paper (Guez et al. 2019) sums its losses over 32 unrolls of 20 steps. Ours are means
# over frames, so that nothing depends on the batch size. Adam's step is invariant to the scale
# of the loss, except for what is compared with the gradient's size: epsilon, clipping, and the
# weight penalty, which is no mean over frames. Each of these is the paper's value over 640.
PAPER_BATCH = 32 * 20


@dataclass(frozen=True)
class ActorCriticConfig(AgentConfig):
    """Base of the configurations of actor-critic agents; defaults as in the DRC paper."""

    # Data: unrolls of this many steps, from this many environments, in equal minibatches.
    unroll_length: int = 20
    environments: int = 32
    minibatches: int = 1
    # Loss. Value cost: on half the squared error (0.25 on the plain one).
    discount: float = 0.97
    lambda_: float = 0.97
    value_cost: float = 0.5
    entropy_cost: float = 0.01
    logits_l2: float = 1e-3
    head_weights_l2: float = 1e-5 / PAPER_BATCH
    # Adam, its rate falling linearly with frames to a fraction of itself at the budget's end.
    # The paper decays to 0; the open code to 1 %, which keeps the last frames of use.
    learning_rate: float = 4e-4
    final_learning_rate: float = 0.01
    adam_b1: float = 0.9
    adam_b2: float = 0.999
    adam_epsilon: float = 1e-4 / PAPER_BATCH
    # Of the gradient's global norm, on the mean loss (the open code's early presets).
    clip_norm: float = 0.015

    def __post_init__(self):
        for name in ("discount", "lambda_", "final_learning_rate", "adam_b1", "adam_b2"):
            _check(name, getattr(self, name), 0.0, 1.0)
        for name in ("value_cost", "entropy_cost", "logits_l2", "head_weights_l2"):
            _check(name, getattr(self, name), 0.0, float("inf"))
        for name in ("learning_rate", "adam_epsilon", "clip_norm"):
            value = getattr(self, name)
            if not value > 0:
                raise UserError(f"agent.{name} must be above 0, not {value}")


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UserError(f"agent.{name} must be between {low:g} and {high:g}, not {value:g}")
