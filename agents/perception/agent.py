"""The agent that learns to read a board: it moves at random, and fits the head.

Shape letters: `T` time, `B` environments, `A` the shape of an action.
"""

import jax
import jax.numpy as jnp
import optax

from agents.base import Agent, AgentState, Metrics, OnPolicy, Params, Unroll
from agents.perception.config import PerceptionConfig
from agents.perception.head import PLANES, Head, make_head
from agents.perception.kinds import kinds_of
from agents.perception.losses import perception_loss
from agents.random.agent import make as make_random
from agents.schedules import linear
from environments.base import EnvironmentSpec


def make(config: PerceptionConfig, spec: EnvironmentSpec, frames: int) -> Agent:
    """The agent for environments of `spec`; its learning rate decays over `frames` frames.

    Raises UserError as `make_head` does.
    """
    head = make_head(config, spec)
    draw = make_random(spec).act
    optimizer = optax.chain(optax.clip_by_global_norm(config.clip_norm), optax.scale_by_adam())

    def init(key: jax.Array) -> AgentState:
        params, zero = head.init(key), jnp.zeros((), jnp.uint32)
        return AgentState(params, optimizer.init(params), frames=zero, updates=zero)

    def initial_core(batch: int) -> jax.Array:
        """The action that is held, `[B, *A]`."""
        return jnp.zeros((batch, *spec.action.shape), spec.action.dtype)

    def act(params, key, observation, is_first, core, *, greedy: bool):
        when_key, which_key = jax.random.split(key)
        drawn, _, _ = draw(params, which_key, observation, is_first, (), greedy=greedy)
        anew = is_first | jax.random.bernoulli(when_key, 1 / config.hold_steps, is_first.shape)
        action = jnp.where(anew.reshape(-1, *[1] * (drawn.ndim - 1)), drawn, core)
        return action, {}, action

    def update(state: AgentState, unroll: Unroll, key: jax.Array) -> tuple[AgentState, Metrics]:
        del key
        shown = [_flat(unroll.observation[name][:-1]) for name in (head.camera, PLANES)]
        gradient, metrics = jax.grad(head.loss, has_aux=True)(state.params, *shown)
        direction, optimizer_state = optimizer.update(gradient, state.optimizer, state.params)
        rate = linear(config.learning_rate, config.final_learning_rate, state.frames, frames)
        params = jax.tree.map(lambda p, d: p - rate * d, state.params, direction)
        learnt = jnp.sum(~unroll.is_last[:-1]).astype(jnp.uint32)
        metrics |= {"grad_norm": optax.tree.norm(gradient), "learning_rate": rate}
        return AgentState(
            params, optimizer_state, state.frames + learnt, state.updates + 1
        ), metrics

    return Agent(
        init=init,
        policy_params=lambda state: state.params,
        initial_core=initial_core,
        act=act,
        update=update,
        data=OnPolicy(config.unroll_length, config.environments, config.minibatches),
        assess=lambda params, unroll: assess(head, params, unroll),
    )


def assess(head: Head, params: Params, unroll: Unroll) -> Metrics:
    """The metrics of the loss on every picture of an unroll; step by step, to save memory."""
    images, planes = (unroll.observation[name] for name in (head.camera, PLANES))
    logits = jax.lax.map(lambda image: head.logits(params, image), images)
    return perception_loss(_flat(logits), kinds_of(_flat(planes)))[1]


def _flat(x: jax.Array) -> jax.Array:
    """`[T, B, ...]` to `[T * B, ...]`."""
    return x.reshape(-1, *x.shape[2:])
