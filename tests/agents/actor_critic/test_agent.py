"""The update around the loss: schedule, frames, the weight penalty, clipping."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.cnn.config import CNNConfig
from tests.agents.toy import board_spec, noise_state, quick_jit, random_unroll

CONFIG = CNNConfig(layers=1, channels=2, hidden=4)
SPEC = board_spec("planes", size=4)
BUDGET = 1000


def make(**changes):
    agent = replace(CONFIG, **changes).make(SPEC, BUDGET)
    return agent, noise_state(agent, 0), quick_jit(agent.update)


def moved(before, after) -> dict[str, float]:
    """The greatest change of each parameter."""
    change = jax.tree.map(lambda x, y: float(jnp.max(jnp.abs(x - y))), before.params, after.params)
    return {f"{name}/{leaf}": x for name, module in change.items() for leaf, x in module.items()}


def test_steps_follow_the_schedule():
    """Adam's first step has the size of the rate, which is that of the frames learnt before."""
    agent, state, update = make(learning_rate=0.01, final_learning_rate=0.0, adam_epsilon=1e-12)
    unroll = random_unroll(agent, SPEC, 0, time=4, batch=2)
    for frames, rate in ((0, 0.01), (500, 0.005), (1000, 0.0)):
        now = replace(state, frames=jnp.uint32(frames))
        after, metrics = update(now, unroll, jax.random.key(0))
        assert metrics["learning_rate"] == pytest.approx(rate, abs=1e-9)
        assert moved(now, after)["heads/policy/b"] == pytest.approx(rate, rel=1e-3, abs=1e-9)


def test_the_step_across_a_reset_is_no_frame():
    agent, state, update = make()
    unroll = random_unroll(agent, SPEC, 0, time=4, batch=3)  # one reset in it
    is_last = unroll.is_last.at[4].set(True)  # the next unroll's resets
    for index in (1, 2):
        state, _ = update(state, replace(unroll, is_last=is_last), jax.random.key(0))
        assert int(state.frames) == index * 11
        assert int(state.updates) == index


def test_resets_have_no_part_in_the_update():
    """Not their observation either: nothing of it reaches the gradient."""
    agent, state, update = make()
    unroll = random_unroll(agent, SPEC, 0, time=4, batch=3)
    ended = replace(unroll, discount=unroll.discount.at[0, 0].set(0.0))
    other = replace(
        ended,
        observation={"planes": ended.observation["planes"].at[1, 0].set(True)},
        reward=ended.reward.at[1, 0].add(5.0),
        action=ended.action.at[1, 0].set(3 - ended.action[1, 0]),
    )
    before, after = update(state, ended, jax.random.key(0)), update(state, other, jax.random.key(0))
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-7), before, after)
    # Where the episode was cut off, the value of that observation counts.
    truncated = update(state, replace(other, discount=unroll.discount), jax.random.key(0))
    assert abs(truncated[1]["value_loss"] - after[1]["value_loss"]) > 1e-6


def test_the_penalty_is_on_the_weights_of_the_heads_alone():
    agent, state, update = make(head_weights_l2=0.5)
    unroll = random_unroll(agent, SPEC, 0, time=4, batch=3)
    resets = replace(unroll, is_last=jnp.ones_like(unroll.is_last))  # no other part of the loss
    after, metrics = update(state, resets, jax.random.key(0))
    heads = [state.params[f"heads/{name}"]["w"] for name in ("policy", "value")]
    norm = np.sqrt(sum(np.sum(np.square(x)) for x in heads))  # the gradient is 2 * 0.5 * w
    assert metrics["grad_norm"] == pytest.approx(norm, rel=1e-5)
    changed = {name for name, change in moved(state, after).items() if change}
    assert changed == {"heads/policy/w", "heads/value/w"}


def test_a_gradient_above_the_norm_is_scaled_down_to_it():
    """With an epsilon so large that Adam's step is proportional to the gradient."""
    changes = {"adam_epsilon": 1e6, "learning_rate": 1e6, "final_learning_rate": 1.0}
    sizes = {}
    for norm in (1e-3, 1e6):
        agent, state, update = make(clip_norm=norm, **changes)
        unroll = random_unroll(agent, SPEC, 0, time=4, batch=3)
        after, metrics = update(state, unroll, jax.random.key(0))
        change = jax.tree.map(lambda x, y: jnp.sum(jnp.square(x - y)), state.params, after.params)
        sizes[norm] = float(jnp.sqrt(sum(jax.tree.leaves(change))))
    assert sizes[1e-3] == pytest.approx(1e-3, rel=1e-2)
    assert sizes[1e6] == pytest.approx(float(metrics["grad_norm"]), rel=1e-2)
