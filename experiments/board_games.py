"""Symbolic board games against a player: tic-tac-toe and Go."""

from agents.cnn.config import CNNConfig
from agents.mlp.config import MLPConfig
from environments.games.board.registration import GoOptions, TicTacToeOptions
from experiments.base import Evaluation, Experiment, Runner
from experiments.registry import register


@register
def tic_tac_toe_small() -> Experiment:
    """A multilayer perceptron that learns tic-tac-toe: minutes on two cores."""
    return Experiment(
        name="tic_tac_toe_small",
        # An opponent that errs shows more of the game than one that never does.
        environment=TicTacToeOptions(opponent="mixture(random, optimal, 0.3)"),
        agent=MLPConfig(
            hidden=(128, 128),
            unroll_length=10,
            environments=256,
            discount=1.0,  # games are short, and won late they are won
            entropy_cost=0.01,
            learning_rate=2e-3,
            adam_epsilon=1e-6,
            clip_norm=1.0,
        ),
        runner=Runner(log_frames=50_000),
        evaluation=Evaluation(suites=("optimal", "random"), episodes=500),
        max_frames=3_000_000,
    )


@register
def go_7x7() -> Experiment:
    """A small convolutional network that learns to beat random play: minutes on two cores."""
    return Experiment(
        name="go_7x7",
        environment=GoOptions(size=7, opponent="random"),
        agent=CNNConfig(
            layers=3,
            channels=32,
            hidden=128,
            unroll_length=16,
            environments=64,
            minibatches=2,
            discount=1.0,
            td_lambda=0.95,
            entropy_cost=0.003,
            learning_rate=2e-3,
            adam_epsilon=1e-6,
            clip_norm=1.0,
        ),
        runner=Runner(log_frames=10_000),
        evaluation=Evaluation(suites=("random",), episodes=200),
        max_frames=1_500_000,
    )
