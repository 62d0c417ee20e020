"""The embedded games accept what agents do, and agents what the games show, step by step."""

from functools import partial

import jax
import numpy as np
import pytest

import environments
from agents.actor_critic.policies import bounds
from agents.mlp.config import MLPConfig
from tests.agents.toy import quick_jit

WORLDS, STEPS = 2, 20
GAMES = {
    "mujoban": {"levels": "generated:size=6,boxes=1,count=5,seed=0"},
    "mujoxo": {},
}


@pytest.mark.parametrize("name", GAMES)
def test_what_agents_do_is_accepted(name):
    """Sampled actions first, the likeliest ones after them."""
    with environments.load_vector(name, WORLDS, seed=0, **GAMES[name]) as worlds:
        spec = worlds.spec
        agent = MLPConfig(hidden=(16,)).make(spec, frames=1000)
        params = quick_jit(agent.init)(jax.random.key(0)).params
        timestep, actions = worlds.reset(), []
        for greedy in (False, True):
            act = quick_jit(partial(agent.act, greedy=greedy))
            for t in range(STEPS):
                action, extras, _ = act(
                    params, jax.random.key(t), timestep.observation, timestep.is_first, ()
                )
                assert np.isfinite(extras["log_prob"]).all()
                actions.append(np.asarray(action))
                timestep = worlds.step(actions[-1])
                for shown in timestep.observation.values():
                    assert np.isfinite(shown).all()
    # Sampling fills the range: some 5 % at a bound; the means begin in the middle of it.
    low, high = bounds(spec.action)
    scaled = 2 * (np.array(actions) - low) / (high - low) - 1
    assert np.isin(scaled[:STEPS], (-1, 1)).any()
    assert 0.35 < np.std(scaled[:STEPS]) < 0.6
    assert np.abs(scaled[STEPS:]).max() < 0.2
