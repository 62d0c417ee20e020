"""MiniPacman: the model-free control."""

from agents.cnn.config import CNNConfig
from environments.games.minipacman.registration import MiniPacmanOptions
from experiments.base import Evaluation, Experiment, Runner
from experiments.registry import register


@register
def minipacman_cnn() -> Experiment:
    """A small convolutional network on the regular mode: the model-free control."""
    return Experiment(
        name="minipacman_cnn",
        environment=MiniPacmanOptions(mode="regular", observations=("pixels",)),
        # Two convolutions of 16 channels and 256 units, as the model-free path of public I2As,
        # but without a stride.
        agent=CNNConfig(
            layers=2,
            channels=16,
            hidden=256,
            environments=64,
            minibatches=4,
            learning_rate=1e-3,
            adam_epsilon=1e-6,
            clip_norm=1.0,
        ),
        runner=Runner(log_frames=20_000),
        evaluation=Evaluation(suites=("",), episodes=200),
        max_frames=1_000_000,
    )
