"""`moravec evaluate` with search: by itself, with a run's network, and where it cannot be."""

import json
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from agents.cnn.config import CNNConfig
from agents.drc.config import DRCConfig
from agents.models.config import EnvironmentModelConfig, ModelConfig
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import sokoban_spec
from experiments.base import Experiment
from launch import cli, configuration, published
from launch.run_folder import create
from tests.launch.test_evaluate import FIVE, FOUR

OPTIONS = SokobanOptions(levels="not/looked/at", observations=("pixels",), time_limit=(5, 6))
CNN = Experiment("by_hand", OPTIONS, CNNConfig(layers=1, channels=2, hidden=4))


def publish(experiment: Experiment, path: Path) -> Path:
    """A run folder that holds a policy of 5x5 boards, all of whose parameters are 0."""
    assert isinstance(experiment.environment, SokobanOptions)
    spec = sokoban_spec((5, 5), experiment.environment)
    agent = experiment.agent.make(spec, 1)
    folder = create(path)
    configuration.save(experiment, folder.config)
    shapes = jax.eval_shape(lambda key: agent.init(key).params, jax.random.key(0))
    params = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), shapes)
    published.publish(folder.policy, params, spec, 123)
    return path


@pytest.fixture
def levels(tmp_path) -> Path:
    path = tmp_path / "levels.txt"
    path.write_text(f"{FIVE}\n{FOUR}\n{FIVE}")
    return path


def test_search_with_the_network_of_a_run(tmp_path, levels, capsys):
    """The network sees pixels, the tree holds planes; what it found is kept under its name."""
    run = publish(CNN, tmp_path / "run")
    args = ["evaluate", str(run), "--suite", str(levels), "--simulations", "6", "--json"]
    assert cli.main(args) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["run"], result["frames"]) == (str(run), 123)
    assert result["outcomes"] == {"solved": 2, "unsolved": 1}
    assert result["mean_length"] == pytest.approx((1 + 6 + 1) / 3)
    assert (result["simulations"], result["model"], result["model_frames"]) == (6, "", 0)
    assert result["metrics"]["model_steps"] == pytest.approx(6 * 8 / 3)
    assert result["metrics"]["model_steps_per_solved"] == pytest.approx(6 * 8 / 2)
    assert result["metrics"]["model_steps_solved"] == 6
    (kept,) = (run / "evaluation").iterdir()
    assert json.loads(kept.read_text()) == result


@pytest.mark.slow
def test_search_by_itself(levels, capsys):
    args = ["evaluate", "mcts", "--suite", str(levels), "--environment.time-limit", "3", "4"]
    assert cli.main([*args, "--simulations", "8", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["outcomes"] == {"solved": 2, "unsolved": 1}
    assert result["metrics"]["model_steps_solved"] == 8 + 9 * 20  # rollouts, the root's too


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["random", "--simulations", "5"], "random does not search"),
        (["mcts", "--environment", "mujoban", "--suite", "2box_held_out"], "search plays sokoban"),
        (["mcts"], "give --suite"),
        (["mcts", "--simulations", "-1"], "--simulations must be from 0"),
        (["random", "--model", "some/run"], "give --simulations too"),
    ],
)
def test_what_cannot_be_searched_is_said(args, said, capsys):
    assert cli.main(["evaluate", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_an_agent_with_memory_is_refused(tmp_path, levels, capsys):
    drc = DRCConfig(depth=1, repeats=1, channels=2, hidden=4, encoder_kernel=3)
    run = publish(replace(CNN, agent=drc), tmp_path / "run")
    args = ["evaluate", str(run), "--suite", str(levels), "--simulations", "5"]
    assert cli.main(args) == 2
    assert "an agent without memory" in capsys.readouterr().err


@pytest.mark.slow
def test_search_with_a_learnt_model(tmp_path, levels, capsys):
    """An untrained model imagines nonsense: every step is tried in vain, and counted."""
    agent = EnvironmentModelConfig(model=ModelConfig(channels=2, blocks=0), policy=CNN.agent)
    planes = replace(OPTIONS, observations=("planes",))
    model = publish(Experiment("by_hand", planes, agent), tmp_path / "model")
    args = ["evaluate", "mcts", "--suite", str(levels), "--environment.time-limit", "3", "4"]
    assert cli.main([*args, "--simulations", "3", "--model", str(model), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["metrics"]["model_steps"] == (3 + 4 * 20) * result["mean_length"]
    assert (result["simulations"], result["model"]) == (3, str(model.resolve()))
    assert result["model_frames"] == 123

    run = publish(CNN, tmp_path / "run")
    assert cli.main([*args, "--simulations", "3", "--model", str(run)]) == 2
    assert "has learnt no model of sokoban" in capsys.readouterr().err
