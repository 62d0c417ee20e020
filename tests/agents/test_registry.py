"""Names of agents, what their configurations refuse, and what importing them loads."""

import dataclasses
import subprocess
import sys

import pytest

from agents import registry
from agents.cnn.config import CNNConfig
from agents.drc.config import DRCConfig
from agents.i2a.config import I2AConfig
from agents.mlp.config import MLPConfig
from agents.models.config import EnvironmentModelConfig
from agents.mpo.config import MPOConfig
from agents.perception.config import PerceptionConfig
from agents.resnet.config import ResNetConfig
from environments.errors import UserError
from tests.agents.toy import board_spec

ACTOR_CRITICS = {
    "drc": DRCConfig,
    "resnet": ResNetConfig,
    "cnn": CNNConfig,
    "mlp": MLPConfig,
    "i2a": I2AConfig,
}
CONFIGS = {
    **ACTOR_CRITICS,
    "environment_model": EnvironmentModelConfig,
    "perception": PerceptionConfig,
    "mpo": MPOConfig,
}


def test_the_agents_there_are():
    assert registry.configs() == CONFIGS
    for name, config in CONFIGS.items():
        assert registry.config_class(name) is config
        assert registry.name_of(config()) == name


def test_an_unknown_agent_is_told_the_nearest_name():
    with pytest.raises(
        UserError, match=r"no agent 'drk'; did you mean 'drc'\?.*cnn, drc, environment_model, .*"
    ):
        registry.config_class("drk")


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="'drc' is registered twice"):
        registry.register("drc")(CNNConfig)
    assert registry.config_class("drc") is DRCConfig


def test_a_configuration_that_nobody_registered_has_no_name():
    class Other(CNNConfig):
        pass

    with pytest.raises(ValueError, match="Other belongs to no registered agent"):
        registry.name_of(Other())


WRONG = [
    ("discount", 1.5),
    ("td_lambda", -0.1),
    ("value_cost", -1.0),
    ("entropy_cost", -0.01),
    ("logits_l2", -1e-3),
    ("head_weights_l2", -1e-5),
    ("learning_rate", 0.0),
    ("learning_rate", float("nan")),
    ("final_learning_rate", 2.0),
    ("adam_b1", 1.0),
    ("adam_b2", 1.0),
    ("adam_epsilon", 0.0),
    ("clip_norm", 0.0),
    ("clip_norm", -1.0),
    ("unroll_length", 0),
    ("environments", -4),
    ("minibatches", 0),
    ("hidden", 0),
]


@pytest.mark.parametrize("config", ACTOR_CRITICS.values(), ids=ACTOR_CRITICS)
@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_is_refused_by_name(config, field, value):
    with pytest.raises(UserError) as error:
        config(**{field: value}).make(board_spec("planes"), frames=1)
    message = str(error.value)
    assert field in message
    assert f"{value:g}" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        (DRCConfig, {"depth": 0}),
        (DRCConfig, {"repeats": 0}),
        (DRCConfig, {"channels": -1}),
        (DRCConfig, {"encoder_kernel": 0}),
        (ResNetConfig, {"kernel": 0}),
        (ResNetConfig, {"stages": ()}),
        (ResNetConfig, {"stages": (32, 0)}),
        (CNNConfig, {"layers": 0}),
        (CNNConfig, {"channels": 0}),
        (CNNConfig, {"kernel": -3}),
        (MLPConfig, {"hidden": ()}),
        (I2AConfig, {"channels": ()}),
        (I2AConfig, {"channels": (32, 0)}),
        (I2AConfig, {"kernel": 0}),
        (I2AConfig, {"rollout_channels": 0}),
        (I2AConfig, {"encoder_units": 0}),
        (I2AConfig, {"rollout_policy_hidden": -1}),
        (MLPConfig, {"hidden": (64, 0)}),
    ],
)
def test_a_wrong_size_is_refused_by_name(config, changes):
    ((field, value),) = changes.items()
    with pytest.raises(UserError, match=rf"agent\.{field} must be .*at least 1, not ") as error:
        config(**changes)
    assert str(error.value).endswith(str(value))


@pytest.mark.parametrize("changes", [{"rollout_length": -1}, {"distillation_cost": -0.5}])
def test_imagination_that_makes_no_sense_is_refused(changes):
    ((field, value),) = changes.items()
    with pytest.raises(UserError, match=rf"agent\.{field} must be .*at least 0, not {value:g}"):
        I2AConfig(**changes)


def test_minibatches_must_part_the_environments():
    config = CNNConfig(environments=10, minibatches=3)
    with pytest.raises(UserError, match="10 environments cannot be split into 3 equal minibatches"):
        config.make(board_spec("planes"), frames=1)


def test_configurations_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DRCConfig().depth = 2  # pyright: ignore[reportAttributeAccessIssue], that is the point


def test_configurations_load_no_jax():
    command = (
        "import sys; from agents import registry; registry.configs(); assert 'jax' not in "
        "sys.modules and 'haiku' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", command], check=True)
