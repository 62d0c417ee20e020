"""Search: ends that are found are taken; priors, values and every step of the model count."""

from dataclasses import replace
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.base import Agent
from agents.models.base import EnvironmentModel, Imagined
from agents.models.config import ModelConfig
from agents.models.make import make_model
from agents.search.agent import make_search
from agents.search.config import SearchOptions
from agents.search.endings import ending
from agents.search.repeats import hashes
from agents.search.rollouts import random_return
from environments.errors import UserError
from environments.games.sokoban import rules
from environments.games.sokoban.level import Level
from environments.games.sokoban.observations import pixels
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import sokoban_spec
from tests.agents.toy import quick_jit
from tests.environments.games.sokoban.boards import level, random_levels

UP, DOWN, LEFT, RIGHT = range(4)
SPEC = sokoban_spec((6, 6), SokobanOptions(levels="not/looked/at"))
MODEL = make_model(ModelConfig(kind="perfect"), SPEC)
SOLVED = ending("sokoban", "planes")
BOARDS = [  # solved by one push: to the right, to the left, down
    level("######", "#@$. #", "#    #", "#    #", "#    #", "######"),
    level("######", "#    #", "#.$@ #", "#    #", "#    #", "######"),
    level("######", "#    #", "#@   #", "#$   #", "#.   #", "######"),
]
# Six moves around the box, none of which is rewarded before the last.
DETOUR = level("######", "#    #", "# $.@#", "#    #", "#    #", "######")
# Nothing can be done: the player is walled in.
STUCK = level("######", "#@#  #", "### $#", "#   .#", "#    #", "######")


def planes(*levels: Level) -> jax.Array:
    return jnp.stack([jnp.asarray(rules.planes(rules.initial_state(each))) for each in levels])


@cache
def _jitted(agent: Agent):
    return quick_jit(partial(agent.act, core=(), greedy=True))


def choose(agent: Agent, frame: jax.Array, seed: int = 0, policy=None) -> list[int]:
    """The actions of the agent on boards `[B, H, W, 4]`."""
    params = {"model": {}, "policy": {} if policy is None else policy}
    first = jnp.ones(len(frame), bool)
    action, _, core = _jitted(agent)(params, jax.random.key(seed), {"planes": frame}, first)
    assert action.dtype == jnp.int32
    assert core == ()
    return action.tolist()


@pytest.fixture(scope="module")
def searcher() -> Agent:
    return make_search(MODEL, SOLVED, SearchOptions(simulations=150, rollout=0))


def test_the_end_that_is_found_is_gone_for(searcher):
    """Each board of the batch its own, with nothing to go by but the rules."""
    assert choose(searcher, planes(*BOARDS)) == [RIGHT, LEFT, DOWN]
    assert choose(searcher, planes(*BOARDS[::-1]), seed=1) == [DOWN, LEFT, RIGHT]


def test_a_detour_is_found_and_kept_to(searcher):
    state, steps = rules.initial_state(DETOUR), 0
    while not rules.solved(state):
        frame = jnp.asarray(rules.planes(state))[None]
        action = choose(searcher, jnp.repeat(frame, 3, axis=0), seed=steps)[0]
        state, steps = rules.apply(state, action), steps + 1
        assert steps <= 6


def test_where_nothing_can_be_done_something_is_chosen(searcher):
    """Every action leads back to the same position, so the whole tree is hidden: any will do."""
    assert set(choose(searcher, planes(STUCK, STUCK, STUCK))) <= {UP, DOWN, LEFT, RIGHT}


def test_a_move_below_which_nothing_is_left_is_not_chosen():
    """It leads down a blind alley of four positions, which the prior wants tried first."""

    def step(params, frame, action, keys):
        del params, keys
        here = frame[:, 0, 0, 0]
        along = jnp.minimum(here + (action == 0), 4)  # 0 is the root, 4 the end of the alley
        away = jnp.maximum(here + 1, 100)  # another position for ever
        leaves = (here >= 100) | ((here == 0) & (action == 1))
        after = jnp.asarray(jnp.where(leaves, away, along))
        return Imagined(after[:, None, None, None], jnp.zeros(len(frame)))

    def predict(params, frame):
        return jnp.tile(jnp.array([9.0, 0.0]), (len(frame), 1)), jnp.zeros(len(frame))

    model = EnvironmentModel("planes", 2, lambda key: {}, step)
    search = make_search(
        model, lambda frame: jnp.zeros(len(frame), bool), SearchOptions(simulations=10), predict
    )
    assert choose(search, jnp.zeros((2, 1, 1, 1), jnp.int32)) == [1, 1]


@pytest.fixture(scope="module")
def networked() -> Agent:
    """Its network's parameters: the logits `[4]`, and what a step down or to the right is worth."""

    def predict(params, frame):
        logits, worth = params
        player = frame[..., rules.PLANES.index("player")]
        row, column = (jnp.argmax(jnp.any(player, axis), axis=-1) for axis in (2, 1))
        value = (worth * (row + column)).astype(jnp.float32)
        return jnp.broadcast_to(logits, (len(frame), 4)), value

    return make_search(MODEL, SOLVED, SearchOptions(simulations=12, exploration=1.25), predict)


OPEN = level("######", "#    #", "#    #", "#  @ #", "#.$  #", "######")


@pytest.mark.parametrize("action", [UP, DOWN, LEFT])
def test_the_prior_of_a_network_counts(networked, action):
    """Where no end is near and all values are equal, the likeliest action is tried most."""
    logits = 3 * jax.nn.one_hot(action, 4)
    assert choose(networked, planes(OPEN), policy=(logits, 0.0)) == [action]
    assert networked.model_steps == 12


def test_the_value_of_a_network_counts(networked):
    """The player is drawn to the corner that the network praises, against no prior."""
    (towards,) = choose(networked, planes(OPEN), policy=(jnp.zeros(4), 5.0))
    (away,) = choose(networked, planes(OPEN), policy=(jnp.zeros(4), -5.0))
    assert towards in (DOWN, RIGHT)
    assert away in (UP, LEFT)


def test_every_step_of_the_model_is_counted():
    calls, (simulations, rollout) = [], (3, 2)

    def step(params, frame, action, keys):
        jax.debug.callback(lambda: calls.append(1))
        return MODEL.step(params, frame, action, keys)

    options = SearchOptions(simulations=simulations, rollout=rollout)
    agent = make_search(replace(MODEL, step=step), SOLVED, options)
    choose(agent, planes(STUCK))
    jax.effects_barrier()
    assert agent.model_steps == len(calls) == simulations + rollout * (simulations + 1)


def test_rollouts_stop_counting_at_the_end():
    """By hand: one push solves it, and whatever follows is worth nothing more."""
    worth = quick_jit(partial(random_return, MODEL, SOLVED, {}, steps=2, discount=0.5))
    begun = jnp.repeat(planes(BOARDS[0]), 200, axis=0)
    solved = MODEL.step(
        {}, begun, jnp.full(200, RIGHT), jax.random.split(jax.random.key(0), 200)
    ).frame
    # Solved at once; back and forth, or into walls; solved at the second step.
    expected = {10.9, round(-0.1 - 0.5 * 0.1, 4), round(-0.1 + 0.5 * 10.9, 4)}
    returns = worth(jax.random.key(0), begun)
    assert {round(float(x), 4) for x in returns} == expected
    assert set(worth(jax.random.key(0), solved).tolist()) == {0.0}


@given(st.data())
def test_ends_are_those_of_the_rules(data):
    drawn = data.draw(random_levels(shape=(5, 6)))
    frame = planes(drawn)
    expected = rules.solved(rules.initial_state(drawn))
    assert bool(SOLVED(frame)[0]) == expected
    shown = np.asarray(pixels(np.asarray(frame)))
    player_hides_a_box = np.any(np.asarray(frame)[..., 2] & np.asarray(frame)[..., 3])
    if not player_hides_a_box:
        assert bool(ending("sokoban", "pixels")(jnp.asarray(shown))[0]) == expected


@given(st.lists(random_levels(shape=(4, 5)), min_size=2, max_size=2))
def test_equal_frames_and_no_others_have_equal_hashes(levels):
    frames = planes(*levels)
    first, second = (row.tolist() for row in hashes(frames))
    assert (first == second) == bool(jnp.all(frames[0] == frames[1]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"simulations": 0},
        {"rollout": -1},
        {"discount": 0.0},
        {"discount": 1.5},
        {"exploration": -1},
    ],
)
def test_wrong_options_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(UserError, match=name):
        SearchOptions(**wrong)


def test_an_end_that_nobody_knows_is_refused():
    with pytest.raises(UserError, match="not of planes of chess"):
        ending("chess", "planes")
