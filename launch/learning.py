"""Learning from one batch of unrolls in equal parts, as every runner does it.

Shape letters: `T` time, `B` environments.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from agents.base import Agent, AgentState, Metrics, Unroll


def learn(
    agent: Agent, learner: AgentState, unroll: Unroll, key: jax.Array, *, parts: int
) -> tuple[AgentState, Metrics]:
    """Updates once for each of `parts` minibatches of the unroll; metrics are their means."""

    def minibatch(index):
        # Every parts-th environment, so that each device holds its share of each minibatch.
        def of_batch(x):
            return x.reshape(-1, parts, *x.shape[1:])[:, index]

        def of_time_and_batch(x):
            return x.reshape(x.shape[0], -1, parts, *x.shape[2:])[:, :, index]

        return replace(
            jax.tree.map(of_time_and_batch, replace(unroll, core=())),
            core=jax.tree.map(of_batch, unroll.core),
        )

    def step(learner, inputs):
        index, key = inputs
        return agent.update(learner, minibatch(index), key)

    if parts == 1:
        return agent.update(learner, unroll, key)
    inputs = jnp.arange(parts), jax.random.split(key, parts)
    learner, metrics = jax.lax.scan(step, learner, inputs)
    return learner, jax.tree.map(lambda x: jnp.mean(x, axis=0), metrics)
