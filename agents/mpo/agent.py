"""MPO: acts by a Gaussian, learns from sequences of a replay with target networks.

Its parameters are `{"policy", "critic", "duals", "targets"}`, of which actors need the first.
Shape letters: `T` time, `B` batch, `N` actions drawn in one state, `K` numbers of an action.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from agents.actor_critic.policies import ClippedGaussian, mean_and_log_std, policy_of
from agents.base import Agent, AgentState, Params, Replay
from agents.mpo.config import MPOConfig
from agents.mpo.learning import make_optimizer, make_update
from agents.mpo.losses import init_duals
from agents.mpo.networks import make_networks
from environments.base import EnvironmentSpec
from environments.errors import UserError


def make(config: MPOConfig, spec: EnvironmentSpec, frames: int) -> Agent:
    """The agent for environments of `spec`; nothing it does depends on the budget `frames`.

    Raises UserError if actions are not numbers, or the environment shows nothing.
    """
    del frames
    gaussian = policy_of(spec)
    if not isinstance(gaussian, ClippedGaussian):
        raise UserError(
            "mpo chooses numbers; the environment takes one of a few actions: use drc, resnet, cnn "
            "or mlp"
        )
    networks = make_networks(config.hidden, spec, gaussian)
    optimizer = make_optimizer(config)

    def init(key: jax.Array) -> AgentState:
        learnt: dict[str, Any] = networks.init(key) | {"duals": init_duals(gaussian.size // 2)}
        targets = {name: jax.tree.map(jnp.copy, learnt[name]) for name in ("policy", "critic")}
        zero = jnp.zeros((), jnp.uint32)
        return AgentState(
            learnt | {"targets": targets}, optimizer.init(learnt), frames=zero, updates=zero
        )

    def act(params, key, observation, is_first, core, *, greedy: bool):
        logits = networks.policy(params["policy"], jax.tree.map(lambda x: x[None], observation))[0]
        mean, log_std = mean_and_log_std(logits)
        # The core is the part of the deviation with which this episode explores.
        part_key, noise_key = jax.random.split(key)
        drawn = jax.random.uniform(
            part_key, is_first.shape, minval=config.least_exploration, maxval=1.0
        )
        part: Any = jnp.where(is_first, drawn, core)
        sample = mean
        if not greedy:
            noise = jax.random.normal(noise_key, mean.shape)
            sample += part[:, None] * jnp.exp(log_std) * noise
        return gaussian.action(sample), {"demonstrated": jnp.zeros(is_first.shape, bool)}, part

    return Agent(
        init=init,
        policy_params=lambda state: {"policy": state.params["policy"]},
        begin_with=begin_with,
        initial_core=jnp.ones,
        act=act,
        update=make_update(config, networks, gaussian, optimizer),
        data=_data(config),
    )


def begin_with(state: AgentState, params: Params) -> AgentState:
    """A new state with a published policy; critic and duals begin anew."""
    # Copied, since an update gives away the memory of each.
    targets = state.params["targets"] | jax.tree.map(jnp.copy, params)
    return replace(state, params=state.params | params | {"targets": targets})


def _data(config: MPOConfig) -> Replay:
    return Replay(
        sequence_length=config.sequence_length,
        period=config.period,
        batch=config.batch,
        capacity=config.capacity,
        min_size=config.min_size,
        samples_per_insert=config.samples_per_insert,
    )
