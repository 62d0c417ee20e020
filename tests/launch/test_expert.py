"""Trained policies as experts: they advise what the policy would do, on boards it can see."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import launch
from agents.drc.config import DRCConfig
from agents.mlp.config import MLPConfig
from environments import load, options_class
from environments.errors import UserError
from environments.games.board import rules as board_rules
from environments.games.board.game import board_game
from environments.games.sokoban import rules
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import sokoban_spec
from environments.hints.options import HintOptions
from environments.players.base import PlayerWithMemory
from experiments.base import Experiment
from launch import configuration, published, run_folder
from launch.expert import PolicyExpert, load_expert

LEVELS = "generated:size=5,boxes=1,count=20,seed=0"


def publish(folder, experiment: Experiment, spec) -> str:
    """A run folder with some policy of an experiment."""
    run = run_folder.create(folder)
    configuration.save(experiment, run.config)
    agent = experiment.agent.make(spec, experiment.max_frames)
    like = jax.eval_shape(lambda key: agent.policy_params(agent.init(key)), jax.random.key(0))
    draw = np.random.default_rng(3).normal
    params = jax.tree.map(lambda leaf: draw(0, 0.3, leaf.shape).astype(leaf.dtype), like)
    published.publish(run.policy, params, spec, 1234)
    return str(run.path)


@pytest.fixture(scope="module")
def sokoban_run(tmp_path_factory):
    """On boards of 6x6."""
    options = SokobanOptions(levels=LEVELS)
    agent = DRCConfig(depth=1, repeats=1, channels=8, hidden=16)
    experiment = Experiment(name="test", environment=options, agent=agent)
    return publish(tmp_path_factory.mktemp("run"), experiment, sokoban_spec((6, 6), options))


@pytest.fixture(scope="module")
def xo_run(tmp_path_factory):
    options = options_class("tic_tac_toe")()
    experiment = Experiment(name="test", environment=options, agent=MLPConfig(hidden=(16,)))
    spec = load("tic_tac_toe").spec  # pyright: ignore[reportAttributeAccessIssue]
    return publish(tmp_path_factory.mktemp("run"), experiment, spec)


def test_advises_in_sokoban_as_the_policy_acts_on_padded_boards(sokoban_run):
    expert, policy = load_expert(sokoban_run, "sokoban", (5, 5)), launch.load_policy(sokoban_run)
    environment = load("sokoban", levels=LEVELS, seed=0)
    for level in range(3):
        environment.reset_to(level)  # pyright: ignore[reportAttributeAccessIssue]
        state, core = environment.state, policy.initial_core(1)  # pyright: ignore
        for step in range(4):
            if rules.solved(state):
                break
            planes = np.zeros((1, 6, 6, 4), bool)
            planes[..., 0] = True
            planes[:, :5, :5] = rules.planes(state)
            for thought in range(8):
                first = np.array([step == 0 and thought == 0])
                action, core = policy({"planes": planes}, first, core)
                after = rules.apply(state, int(action[0]))
                if after is not state:
                    break
            advice = expert.advise(state)
            if after is state:
                assert advice.status == "gave_up"
                break
            assert advice.action == int(action[0])
            assert advice.target_planes is not None
            np.testing.assert_array_equal(advice.target_planes, rules.planes(after))
            state = after


def test_a_snapshot_brings_back_what_it_remembers(sokoban_run):
    expert = load_expert(sokoban_run, "sokoban", (5, 5))
    environment = load("sokoban", levels=LEVELS, seed=0)
    environment.reset()
    state = environment.state  # pyright: ignore[reportAttributeAccessIssue]
    expert.advise(state)
    snapshot = expert.snapshot()
    expected = [expert.advise(state).action for _ in range(5)]
    expert.restore(snapshot)
    assert [expert.advise(state).action for _ in range(5)] == expected


def test_many_share_a_policy_but_not_what_they_remember(sokoban_run, tmp_path):
    run = str(shutil.copytree(sokoban_run, tmp_path / "run"))  # which nobody has loaded
    with ThreadPoolExecutor(4) as threads:
        experts = list(threads.map(lambda _: load_expert(run, "sokoban", (6, 6)), range(4)))
    act = launch.load_policy(run)._act
    assert act._cache_size() == 1
    environment = load("sokoban", levels=LEVELS, seed=0)
    environment.reset()
    experts[0].advise(environment.state)  # pyright: ignore[reportAttributeAccessIssue]
    assert act._cache_size() == 1
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(experts[1].snapshot().core))
    assert any(np.any(leaf) for leaf in jax.tree.leaves(experts[0].snapshot().core))


def test_plays_board_games(xo_run):
    expert = load_expert(xo_run, "tic_tac_toe", (3, 3))
    environment = load("mujoxo", hints=HintOptions(xo_run))
    environment.reset()
    state = environment.state  # pyright: ignore[reportAttributeAccessIssue]
    while board_rules.outcome(state) is None:
        advice = expert.advise(state)
        assert advice.action is not None
        assert state.legal[advice.action]
        state = board_rules.apply(state, advice.action)
    assert expert.advise(state).status == "solved"
    environment.close()


def test_every_episode_begins_anew_on_the_same_level_too(sokoban_run, tmp_path):
    """The advice on a level's start is that of a policy that has seen nothing before."""
    levels = tmp_path / "one.txt"
    levels.write_text("#####\n#@$.#\n#   #\n#   #\n#####\n")
    hints = HintOptions(sokoban_run, wait=60.0)
    environment: Any = load("mujoban", levels=str(levels), time_limit=1.0, hints=hints)
    expert = environment.embedding._adviser._player
    fresh = load_expert(sokoban_run, "sokoban", (5, 5))
    environment.reset()
    fresh.advise(environment.state)
    expected = jax.tree.leaves(fresh.snapshot().core)
    for _ in range(3):
        jax.tree.map(
            np.testing.assert_array_equal, jax.tree.leaves(expert.snapshot().core), expected
        )
        environment.reset()
    expert.advise(environment.state)  # further questions of the same episode go on
    assert not np.array_equal(jax.tree.leaves(expert.snapshot().core)[0], expected[0])
    environment.close()


def counting(policy):
    """The policy, with a memory that counts the looks at a game so far."""

    def act(params, key, observation, is_first, core, *, greedy):
        action = jnp.argmax(observation["legal_actions"], axis=-1)
        return action, {}, jnp.where(is_first, 1, core + 1)

    agent = replace(policy.agent, act=act, initial_core=lambda batch: jnp.zeros(batch, int))
    return replace(policy, agent=agent)


def test_what_it_remembers_of_a_board_game_is_of_one_game(xo_run):
    expert = PolicyExpert(counting(launch.load_policy(xo_run)), (3, 3))
    game = board_game("tic_tac_toe")

    def looks(*history):
        expert.advise(game.state_after(history))
        return int(expert.snapshot().core[0])

    assert [looks(), looks(0, 1), looks(0, 1, 2, 3)] == [1, 2, 3]
    before = expert.snapshot()
    for _ in range(2):  # also the same position twice, each time in an episode of its own
        expert.begin()
        assert looks(4, 0, 8, 2) == 1
    begun = expert.snapshot()
    assert looks(4, 0, 8, 2, 1, 7) == 2
    expert.begin()
    assert isinstance(expert, PlayerWithMemory)
    expert.restore(begun)
    assert looks(4, 0, 8, 2, 1, 7) == 2
    expert.restore(before)
    assert looks(0, 1, 2, 3, 4, 5) == 4


def test_hints_come_from_a_run(sokoban_run):
    environment = load(
        "mujoban", levels=LEVELS, seed=0, time_limit=5.0, hints=HintOptions(sokoban_run)
    )
    expert, given = load_expert(sokoban_run, "sokoban", (5, 5)), 0
    for level in range(5):
        shown = environment.reset_to(level).observation  # pyright: ignore
        advice = expert.advise(environment.state)  # pyright: ignore[reportAttributeAccessIssue]
        assert shown["hint/present"] == (advice.status == "advised")
        if advice.target_planes is not None:
            np.testing.assert_array_equal(shown["hint/planes"], advice.target_planes)
            given += 1
    assert given


@pytest.mark.parametrize(
    ("symbolic", "shape", "said"),
    [
        ("tic_tac_toe", (3, 3), "is a policy of sokoban, not of tic_tac_toe"),
        ("sokoban", (7, 5), "plays on boards of 6x6, not of 7x5"),
    ],
)
def test_the_wrong_expert_is_refused_in_one_line(sokoban_run, symbolic, shape, said):
    with pytest.raises(UserError, match=said) as error:
        load_expert(sokoban_run, symbolic, shape)
    assert "\n" not in str(error.value)


def test_a_folder_without_a_policy_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError) as error:
        load("mujoban", levels=LEVELS, hints=HintOptions(f"{tmp_path}/"))
    assert "\n" not in str(error.value)
