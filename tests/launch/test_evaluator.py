"""Evaluation beside training, without its process."""

from agents.cnn.config import CNNConfig
from agents.random.agent import make
from environments.games.board.registration import TicTacToeOptions
from environments.registry import build_batched
from experiments.base import Evaluation, Experiment
from launch.evaluator import Evaluator

EXPERIMENT = Experiment(
    name="tiny",
    environment=TicTacToeOptions(),
    agent=CNNConfig(),
    evaluation=Evaluation(suites=("random",)),
)


def test_what_falls_due_while_another_is_under_way_is_told(caplog, monkeypatch):
    spec = build_batched(EXPERIMENT.environment).spec
    evaluator = Evaluator(EXPERIMENT, make(spec), spec)
    monkeypatch.setattr(evaluator, "_start", lambda: None)
    monkeypatch.setattr(evaluator, "_send", lambda *_: None)
    evaluator.begin(10, ())
    assert not caplog.messages
    evaluator.begin(20, ())
    assert caplog.messages == ["frame 20 is not evaluated: the evaluation of frame 10 is under way"]
