"""Agents under Acme's loop: items with the right rows, learning, seeds, stops, Acme's data path."""

import threading

import jax
import numpy as np
import pytest

pytest.importorskip("reverb", reason="Acme's adders need Reverb, which has no wheel here")
pytest.importorskip("tensorflow", reason="Acme's datasets need TensorFlow")

from agents.registry import configs
from launch.distributed.base import Weights, stack
from tests.agents.toy import quick_jit
from tests.launch.acme.tiny import agent, playground, sokoban, spec


@pytest.fixture(scope="module")
def acme():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from launch.acme import actor, adders, compat, learner, symbols, variables

    class Parts:
        pass

    parts = Parts()
    for module in (actor, adders, compat, learner, symbols, variables):
        vars(parts).update({k: v for k, v in vars(module).items() if not k.startswith("_")})
    return parts


def source(acme, made):
    return acme.AgentVariableSource(
        Weights(0, jax.device_get(made.policy_params(quick_jit(made.init)(jax.random.key(0)))))
    )


def play(acme, made, variables, episodes, seed=0, name=""):
    environment, items = playground(name, seed), []
    actor = acme.AgentActor(made, spec(environment), variables, items.append, seed)
    counter, logger = acme.Counter(), acme.InMemoryLogger()
    acme.EnvironmentLoop(environment, actor, counter, logger).run(num_episodes=episodes)
    return items, counter, list(logger.data)


def batch(items):
    return stack([jax.tree.map(lambda *leaves: np.stack(leaves), *items)])


_QUICK = ("cnn", "mlp", "random")


@pytest.mark.parametrize(
    "name",
    # Each takes its seconds to compile.
    [pytest.param(name, marks=[] if name in _QUICK else [pytest.mark.slow])
     for name in sorted(configs())],
)  # fmt: skip
def test_any_agent_plays_and_learns(acme, name):
    made = agent(name, playground(name))
    logger = acme.InMemoryLogger()
    batches = []
    learner = acme.AgentLearner(made, iter(batches), 0, acme.Counter(), logger)
    items, counter, logged = play(acme, made, learner, episodes=3, name=name)
    steps = sum(int(each["episode_length"]) for each in logged)
    assert counter.get_counts() == {"episodes": 3, "steps": steps}
    rows = steps + 2  # two steps across resets
    length = items[0].unroll.reward.shape[0]
    assert len(items) == rows // length
    flags = np.concatenate([item.unroll.is_last[:-1] for item in items])
    first = np.concatenate([item.unroll.is_first[:-1] for item in items])
    assert first[0]
    np.testing.assert_array_equal(flags[:-1], first[1:])
    assert 1 <= flags.sum() <= 2
    for item in items:
        across = item.unroll.is_last[:-1]
        assert not item.unroll.reward[across].any()
        assert (item.unroll.discount[across] == 1).all()

    before, version = learner.get_variables(["policy", "version"])
    saved = learner.save()
    batches.extend([batch(items[:2])] * 2)
    learner.run(num_steps=1)
    after, later = learner.get_variables(["policy", "version"])
    assert (version, later) == (0, 1)
    assert not all(map(np.array_equal, jax.tree.leaves(before), jax.tree.leaves(after)))
    assert logger.data[0]["steps"] == 1
    learner.restore(saved)
    learner.step()
    again = learner.get_variables(["policy"])[0]
    jax.tree.map(np.testing.assert_array_equal, after, again)
    following, _, _ = play(acme, made, learner, episodes=1, name=name)
    assert following[0].stamp.version == 1
    with pytest.raises(ValueError, match="critic"):
        learner.get_variables(["critic"])


def test_one_seed_one_course(acme):
    made = agent("drc", sokoban())
    runs = [play(acme, made, source(acme, made), 3, seed)[0] for seed in (4, 4, 5)]
    once, twice, other = (batch(items[:4]).unroll for items in runs)
    jax.tree.map(np.testing.assert_array_equal, once, twice)
    assert not np.array_equal(once.action, other.action)


def test_parameters_follow_between_items(acme):
    made = agent("drc", sokoban())
    environment, variables = sokoban(), source(acme, made)
    items = []

    def sink(item):
        items.append(item)
        params = variables.get_variables(["policy"])[0]
        variables.publish(Weights(len(items), params))

    actor = acme.AgentActor(made, spec(environment), variables, sink, 0)
    acme.EnvironmentLoop(environment, actor, logger=acme.NoOpLogger()).run(num_steps=30)
    assert [int(item.stamp.version) for item in items] == list(range(len(items)))
    assert len(items) >= 6
    with pytest.raises(ValueError, match="older"):
        variables.publish(Weights(0, None))


def test_stop_ends_a_loop(acme):
    made = agent("drc", sokoban())
    environment, begun = sokoban(), threading.Event()

    def sink(item):
        begun.set()

    actor = acme.AgentActor(made, spec(environment), source(acme, made), sink, 0)
    loop = acme.EnvironmentLoop(environment, actor, logger=acme.NoOpLogger())
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    assert begun.wait(60)
    assert thread.is_alive()
    acme.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_sequences_through_acmes_adder(acme):
    import reverb

    environment = sokoban()
    signature = acme.SequenceAdder.signature(acme.make_environment_spec(environment))
    table = reverb.Table.queue("priority_table", 100, signature=signature)
    server = reverb.Server([table])
    address = f"localhost:{server.port}"
    adder = acme.SequenceAdder(
        acme.AdderClient(reverb.Client(address)),
        sequence_length=4,
        period=4,
        end_of_episode_behavior=acme.EndBehavior.ZERO_PAD,
    )
    actions, timestep = [], environment.reset()
    adder.add_first(timestep)
    while not timestep.last() and len(actions) < 50:
        actions.append(np.int32(len(actions) % 4))
        timestep = environment.step(actions[-1])
        adder.add(actions[-1], timestep)
    dataset = acme.make_reverb_dataset(address, batch_size=2, table="priority_table")
    data = next(iter(dataset)).data
    assert data.action.numpy().reshape(-1).tolist() == actions[:8]
    assert data.reward.dtype.name == "float32"
    assert data.start_of_episode.numpy().reshape(-1).tolist() == [True] + [False] * 7
    del adder
    server.stop()
