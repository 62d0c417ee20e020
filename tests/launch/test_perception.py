"""Perception as its users run it: trained, stopped and resumed, evaluated, and read from."""

import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

import environments
import launch
from agents.perception.config import PerceptionConfig
from environments.embedded.boards.registration import MujoxoOptions
from environments.embedded.mujoban.registration import MujobanOptions
from environments.errors import UserError
from environments.games.board import rules
from environments.games.board.positions import state_of
from environments.hints.options import HintOptions
from environments.players.make import make_player
from environments.registry import name_of
from experiments.base import Experiment
from launch import configuration, published, run_folder
from launch.world_assessment import assess_worlds, metric_names
from tests.agents.perception.scenes import CAMERA, rendered
from tests.agents.toy import quick_jit
from tests.launch.commands import moravec, started, wait_for_line

METRICS = ("balanced_accuracy", "board_accuracy", "cell_accuracy", "cell_nll")
OPTIONS = MujoxoOptions(
    opponent="random",
    time_limit=0.3,
    random_plies=8,
    observations=("planes",),
    front_camera=(48, 48),
)
EXPERIMENT = Experiment(
    name="mujoxo_perception",
    environment=OPTIONS,
    agent=PerceptionConfig(channels=4, hidden=8, layers=1, environments=4),
    max_frames=1000,
)


README = Path(__file__).parents[2] / "agents" / "perception" / "README.md"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return untrained(tmp_path_factory.mktemp("run"), EXPERIMENT)


def untrained(path: Path, experiment: Experiment) -> Path:
    """A run folder with parameters as they are drawn, and nothing learnt."""
    options = experiment.environment
    with rendered(name_of(options), **vars(options)) as environment:
        spec = environment.spec
    folder = run_folder.create(path)
    configuration.save(experiment, folder.config)
    agent = experiment.agent.make(spec, experiment.max_frames)
    params = agent.policy_params(quick_jit(agent.init)(jax.random.key(0)))
    published.publish(folder.policy, jax.device_get(params), spec, 7)
    return folder.path


@pytest.mark.slow
def test_the_measurement_that_is_shown_runs(tmp_path, capsys):
    """Of a head that has learnt nothing, on one short episode of the script."""
    code = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)[-1]
    environment = MujobanOptions(
        levels="generated:size=10,boxes=4,count=1,seed=0", top_camera=(84, 84)
    )
    experiment = replace(EXPERIMENT, name="mujoban_perception_top", environment=environment)
    path = untrained(tmp_path / "run", experiment)
    for shown, small in [
        ("runs/mujoban_perception_top/DATE-TIME", str(path)),
        ("count=3", "count=1"),
        ("time_limit=120.0", "time_limit=0.5"),
        ("range(3)", "range(1)"),
    ]:
        assert code.count(shown) == 1
        code = code.replace(shown, small)
    exec(code, {})
    pictures, cells, boards = map(float, capsys.readouterr().out.split())
    assert pictures == 10
    assert 0 < cells < 0.9
    assert boards == 0


def shown(count: int) -> dict[str, np.ndarray]:
    with rendered("mujoxo", **vars(OPTIONS)) as environment:
        steps = [environment.reset().observation for _ in range(count)]
    return {key: np.stack([step[key] for step in steps]) for key in steps[0]}


def test_it_reads_planes_from_the_camera_alone(run):
    perception = launch.load_perception(run)
    assert perception.frames == 7
    assert launch.load_perception(run) is perception
    observation = shown(3)
    planes = perception(observation)
    assert planes.shape == (3, 3, 3, 3)
    assert planes.dtype == bool
    picture = {CAMERA: observation[CAMERA]}
    np.testing.assert_array_equal(perception(picture), planes)
    seen = perception.with_planes(picture)
    assert set(seen) == {CAMERA, "planes"}
    np.testing.assert_array_equal(seen["planes"], planes)
    read = perception.head.read(perception.params, observation[CAMERA])
    np.testing.assert_array_equal(read, planes)


@pytest.mark.parametrize(
    ("observation", "message"),
    [
        ({"top_camera": np.zeros((1, 48, 48, 3), np.uint8)}, "reads front_camera; there are top_"),
        ({CAMERA: np.zeros((1, 48, 40, 3), np.uint8)}, r"as \[B, 48, 48, 3\] uint8, not \[1, 48, "),
        ({CAMERA: np.zeros((1, 48, 48, 3), np.float32)}, "uint8, not .* float32"),
    ],
)
def test_another_picture_is_refused(run, observation, message):
    with pytest.raises(UserError, match=message):
        launch.load_perception(run)(observation)


def test_a_run_of_another_agent_is_refused(trained):
    with pytest.raises(UserError, match="is a run of the agent drc, not of perception"):
        launch.load_perception(trained)


def test_what_it_is_worth_follows_from_the_seed(run):
    policy = launch.load_policy(run)
    ask = [
        assess_worlds(policy.agent, policy.params, OPTIONS, "random", episodes=3, seed=seed)
        for seed in (0, 0, 1)
    ]
    assert ask[0] == ask[1]
    assert ask[0] != ask[2]
    assert tuple(sorted(ask[0])) == METRICS == metric_names(policy.agent, policy.spec)
    assert 0 < ask[0]["cell_accuracy"] < 1
    assert metric_names(launch.load_policy(run).agent, policy.spec) == METRICS


def test_an_agent_that_predicts_nothing_is_worth_nothing():
    from agents.random.agent import make as make_random

    with environments.load("mujoxo", opponent="random") as environment:
        spec = environment.spec  # pyright: ignore[reportAttributeAccessIssue]
    agent = make_random(spec)
    assert assess_worlds(agent, (), OPTIONS, "", episodes=1) == {}
    assert metric_names(agent, spec) == ()


def test_an_expert_advises_on_what_is_read():
    """From planes, as perception gives them, to a player's advice, and nothing beside them."""
    with environments.load("mujoxo", seed=1, random_plies=4) as environment:
        planes = environment.reset().observation["planes"]
        game = environment.state.game  # pyright: ignore[reportAttributeAccessIssue]
    state = state_of(game, planes, player=0)
    assert state is not None
    advice = make_player("optimal", game, 0).advise(state)
    assert advice.action is not None
    assert rules.legal_actions(state)[advice.action]


def test_a_game_is_played_on_what_is_read(run):
    """The expert's advice and the policy's planes come from the picture, whatever stands there."""
    hints = HintOptions("optimal", kind="target")
    options = replace(OPTIONS, front_camera=(0, 0), perception=str(run), hints=hints)
    environment = rendered("mujoxo", seed=0, **vars(options))
    try:
        shown = [environment.reset().observation, environment.step(np.zeros(9)).observation]
        assert shown[0]["planes"].shape == (3, 3, 3)
        assert CAMERA not in shown[0]
        # Seven frames have taught it next to nothing: it reads something else than there is.
        assert any(not np.array_equal(x["planes"], environment.planes()) for x in shown)
    finally:
        environment.close()


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("mujogo", {}, "reads boards of mujoxo, 3x3, not of mujogo, 7x7"),
        ("mujoban", {"levels": "generated:size=5,boxes=1,count=2,seed=0"}, "not of mujoban, 5x5"),
    ],
)
def test_a_sight_of_another_board_is_refused(run, name, options, said):
    with pytest.raises(UserError, match=said):
        environments.load(name, perception=str(run), **options)


def test_what_has_not_learnt_to_read_is_no_sight(trained, tmp_path):
    with pytest.raises(UserError, match="is a run of the agent drc, not of perception"):
        environments.load("mujoxo", perception=str(trained))
    with pytest.raises(UserError, match="nowhere"):
        environments.load("mujoxo", perception=str(tmp_path / "nowhere"))


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_and_is_evaluated(tmp_path):
    pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")
    rendered("mujoxo", **vars(OPTIONS)).close()
    run = tmp_path / "run"
    small = (
        *("train", "mujoxo_perception", "--run-dir", run),
        *("--agent.channels", "8", "--agent.hidden", "16", "--agent.layers", "1"),
        *("--agent.environments", "8", "--environment.front-camera", "48", "48"),
        *("--runner.log-frames", "200", "--runner.checkpoint-minutes", "0.02"),
        *("--evaluation.episodes", "8", "--max-frames", "4000"),
    )
    with started(*small) as process:
        wait_for_line(process, "/4k frames")
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "stopped after" in process.stderr.read()
    done = moravec("train", "--resume", run)
    assert done.returncode == 0, done.stderr
    assert "finished after 4,0" in done.stderr
    for name in METRICS:
        assert f"    {name} " in done.stderr
    done = moravec("evaluate", run, "--episodes", "8", "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["metrics"]["cell_accuracy"] > 0.5
    planes = launch.load_perception(run)(shown(2))
    assert planes.any(axis=-1).mean() > 0.5
