"""The agent that learns a model: it plays as it should, learns the model alone, and learns it."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.cnn.config import CNNConfig
from agents.models.config import EnvironmentModelConfig, ModelConfig
from environments.errors import UserError
from environments.games.sokoban.batched import BatchedSokoban
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.registration import SokobanOptions
from launch import device_program
from launch.assessment import assess, metric_names
from tests.agents.toy import quick_jit
from tests.environments.games.sokoban.boards import level

POLICY = CNNConfig(layers=1, channels=4, hidden=8)
LEVELS = (
    level("#####", "#@  #", "# $ #", "#  .#", "#####"),
    level("#####", "#.  #", "# $ #", "#  @#", "#####"),
)


@cache
def made(random_actions=0.5, learning_rate=1e-2):
    config = EnvironmentModelConfig(
        model=ModelConfig(channels=8, blocks=1),
        policy=POLICY,
        random_actions=random_actions,
        unroll_length=10,
        environments=16,
        minibatches=2,
        learning_rate=learning_rate,
    )
    options = SokobanOptions(time_limit=(8, 9))
    environment = BatchedSokoban.from_levels(LevelSet.from_levels(LEVELS, "two"), options)
    return config.make(environment.spec, frames=50_000), environment


@cache
def begun():
    agent, environment = made()
    init = quick_jit(partial(device_program.init, agent))
    return init(environment=environment, key=jax.random.key(0))


@pytest.mark.slow
def test_it_learns_the_model_and_nothing_else():
    agent, environment = made()
    state = begun()
    iterate = jax.jit(partial(device_program.iterate, agent, iterations=50))
    before = assess(agent, state.agent.params, environment, episodes=16)
    policy = jax.device_get(state.agent.params["policy"])
    for _ in range(6):
        state, _ = iterate(environment, state)
    after = assess(agent, state.agent.params, environment, episodes=16)
    assert before["frame_accuracy_1"] < 0.1
    assert after["frame_accuracy_1"] > 0.98
    assert after["frame_accuracy_5"] > 0.9
    assert after["reward_accuracy"] > 0.98
    assert after["frame_nll"] < 0.1 * before["frame_nll"]
    jax.tree.map(np.testing.assert_array_equal, policy, state.agent.params["policy"])
    assert int(state.agent.updates) == 6 * 50 * 2
    assert 30_000 < int(state.agent.frames) < 48_000  # resets are no frames


def test_an_update_moves_the_model_alone():
    agent, environment = made()
    state = begun()
    _, unroll, _ = quick_jit(partial(device_program.gather, agent))(
        environment, state, jax.random.key(1)
    )
    after, metrics = quick_jit(agent.update)(state.agent, unroll, jax.random.key(0))
    params = jax.device_get((state.agent.params, after.params))
    moved = jax.tree.map(lambda x, y: bool(np.any(x != y)), *params)
    assert all(jax.tree.leaves(moved["model"]))
    assert not any(jax.tree.leaves(moved["policy"]))
    assert after.frames == np.sum(~unroll.is_last[:-1]) < 160
    assert metrics["learning_rate"] == pytest.approx(1e-2)
    assert set(metric_names(agent, environment)) == {
        *("frame_nll", "reward_nll", "reward_accuracy"),
        *("frame_accuracy_1", "frame_accuracy_5", "frame_accuracy_15"),
    }


@pytest.mark.parametrize("chance", [0.0, 1.0, 0.5])
def test_it_plays_by_its_policy_but_for_random_actions(chance):
    agent, environment = made(random_actions=chance)
    _, now = environment.reset(jax.random.key(0), 1)
    many = 2000
    shown = {"planes": jnp.broadcast_to(now.observation["planes"], (many, 5, 5, 4))}
    first = jnp.ones(many, bool)
    params = begun().agent.params
    policy = POLICY.make(environment.spec, 1)
    logits, _ = quick_jit(policy.predict)(params["policy"], {"planes": shown["planes"][:1]})
    act = quick_jit(agent.act, static_argnames="greedy")
    actions, _, _ = act(params, jax.random.key(2), shown, first, (), greedy=False)
    found = np.bincount(actions, minlength=4) / many
    expected = chance / 4 + (1 - chance) * np.asarray(jax.nn.softmax(logits))[0]
    np.testing.assert_allclose(found, expected, atol=0.04)
    greedy, _, _ = act(params, jax.random.key(3), shown, first, (), greedy=True)
    assert set(np.asarray(greedy).tolist()) == {int(np.argmax(logits))}


@pytest.mark.parametrize("kind", ["perfect", "copy"])
def test_what_needs_no_learning_is_refused(kind):
    with pytest.raises(UserError, match=f"a model of kind {kind} learns nothing"):
        EnvironmentModelConfig(model=ModelConfig(kind=kind))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("random_actions", 1.5),
        ("final_learning_rate", -0.1),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("clip_norm", -1.0),
    ],
)
def test_a_wrong_value_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=rf"agent\.{field} must be .*, not {value:g}"):
        EnvironmentModelConfig(**{field: value})
