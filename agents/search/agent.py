"""Monte Carlo tree search by mctx over an environment model, as an agent that learns nothing.

Selection by PUCT as in MuZero (Schrittwieser et al. 2020, 1911.08265, appendix B); one leaf and one
step of the model in each simulation.

Shape letters: `B` batch, `A` actions, `H, W` board, `C` channels.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import mctx as _mctx

from agents.base import Agent, AgentState, Array, OnPolicy, Params
from agents.models.base import EnvironmentModel
from agents.search.config import SearchOptions
from agents.search.repeats import Node, after_expansion, hashes, hidden, nothing_found
from agents.search.rollouts import random_return

mctx: Any = _mctx  # checkers of types do not see the fields of its dataclasses

# (params, frame [B, H, W, C]) -> (logits [B, A], value [B])
Predict = Callable[[Params, Array], tuple[Array, Array]]
Judge = Callable[[Params, jax.Array, Array], tuple[Array, Array]]  # likewise, with a key


def make_search(
    model: EnvironmentModel,
    ended: Callable[[Array], Array],
    options: SearchOptions,
    predict: Predict | None = None,
) -> Agent:
    """The agent that searches at every step; its parameters are `{"model": .., "policy": ..}`.

    Without a network the prior is the same everywhere, and the value of a leaf is the return of
    some steps at random from there, which are steps of the model too.

    Args:
      model: imagines what comes next, frame by frame.
      ended: tells, of frames `[B, H, W, C]`, which are the game's end: `[B] bool`.
      options: how much to search.
      predict: prior and value of a frame, by the network of a policy, if there is one.
    """
    rolled_out = (1 + options.simulations) * options.rollout  # from the root too
    judge = _by_network(predict) if predict else _by_rollout(model, ended, options)

    def init(key: jax.Array) -> AgentState:
        zero = jnp.zeros((), jnp.uint32)
        return AgentState({"model": model.init(key), "policy": {}}, (), zero, zero)

    def act(params, key, observation, is_first, core, *, greedy: bool):
        del greedy  # it has no other way
        action = _search(model, ended, options, judge, params, key, observation[model.key])
        return action, {}, core

    return Agent(
        init=init,
        policy_params=lambda state: state.params,
        initial_core=lambda batch: (),
        act=act,
        update=lambda state, unroll, key: (state, {}),
        data=OnPolicy(unroll_length=1, environments=1, minibatches=1),
        model_steps=options.simulations + (0 if predict else rolled_out),
    )


def _by_network(predict: Predict) -> Judge:
    return lambda params, key, frame: predict(params["policy"], frame)


def _by_rollout(model: EnvironmentModel, ended, options: SearchOptions) -> Judge:
    def judge(params, key, frame):
        value = random_return(
            model,
            ended,
            params["model"],
            key,
            frame,
            steps=options.rollout,
            discount=options.discount,
        )
        return jnp.zeros((len(frame), model.num_actions)), value

    return judge


def _search(model, ended, options, judge: Judge, params, key, frame) -> Array:
    """`[B] int32`: the first step to the best end found, else the action tried most often.

    One below which nothing is left to try is chosen only where that is so of all.
    """
    key, root_key = jax.random.split(key)
    logits, value = judge(params, root_key, frame)
    root = mctx.RootFnOutput(
        prior_logits=logits,
        value=value,
        embedding=Node(frame, hashes(frame), jnp.zeros(len(frame), bool)),
    )

    def expand(params, key, action, node: Node):
        keys = jax.random.split(jax.random.fold_in(key, 1), len(node.frame))
        imagined = model.step(params["model"], node.frame, action.astype(jnp.int32), keys)
        logits, value = judge(params, key, imagined.frame)
        ends = ended(imagined.frame) | node.ended
        output = mctx.RecurrentFnOutput(
            reward=jnp.where(node.ended, 0.0, imagined.reward),
            discount=jnp.where(ends, 0.0, options.discount),
            prior_logits=logits,
            value=jnp.where(ends, 0.0, value),
        )
        return output, Node(imagined.frame, hashes(imagined.frame), ends)

    def loop(begin, end, body, carry):
        def simulate(simulation, carry):
            key, tree = body(simulation, carry)
            return key, after_expansion(tree, simulation + 1)

        return jax.lax.fori_loop(begin, end, simulate, carry)

    select = partial(
        mctx.muzero_action_selection, pb_c_init=options.exploration, qtransform=_values
    )
    tree = mctx.search(
        params,
        key,
        root=root,
        recurrent_fn=expand,
        root_action_selection_fn=partial(select, depth=0),
        interior_action_selection_fn=select,
        num_simulations=options.simulations,
        extra_data=nothing_found(len(frame)),
        loop_fn=loop,
    )
    visits = tree.children_visits[:, tree.ROOT_INDEX]
    exhausted = jax.vmap(hidden, in_axes=(0, None))(tree, tree.ROOT_INDEX)
    found = tree.extra_data
    hopeful = jnp.where(exhausted, visits - options.simulations - 1, visits)
    tried = jnp.argmax(hopeful, axis=-1).astype(jnp.int32)
    return jnp.where(jnp.isfinite(found.best), found.action, tried)


def _values(tree: Any, node: jax.Array) -> jax.Array:
    """`[A]`: the values found at a node, from 0 to 1; of hidden actions less than any other."""
    values = jnp.asarray(mctx.qtransform_by_parent_and_siblings(tree, node))
    return jnp.where(hidden(tree, node), -jnp.inf, values)
