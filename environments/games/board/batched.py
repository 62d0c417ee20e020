"""Symbolic board games as pure JAX functions over pgx, with the opponent inside the step."""

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp

# Before anything is traced: these modules make arrays when they are loaded.
from pgx.go import Go
from pgx.tic_tac_toe import TicTacToe

from environments.base import EnvironmentSpec, TimeStep
from environments.games.board.game import board_game
from environments.games.board.opponents import Opponent, make_opponent
from environments.games.board.registration import BoardGameOptions, GoOptions
from environments.games.board.spec import OUTCOMES, board_spec, starts_second
from environments.precision import in_32_bits, require_32_bits

_WIN, _DRAW, _LOSS, _UNFINISHED = range(len(OUTCOMES))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class BoardGameState:
    """`B` positions. Every array is `[B, ...]`."""

    position: Any  # pgx's state
    second: jax.Array  # [B] bool, whether the agent is the second player
    reply: jax.Array  # [B] int32, the opponent's last action; -1 if there was none
    time: jax.Array  # [B] int32, moves of the agent since the FIRST
    is_last: jax.Array  # [B] bool
    key: jax.Array  # [B] PRNG keys


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["opponent", "empty"],
    meta_fields=["options"],
)
@dataclass(frozen=True)
class BatchedBoard:
    """The batched face of a board game: same game, spec and options as `BoardEnvironment`.

    Of the opponents it has random, optimal (tic-tac-toe) and mixtures of them. An action that is
    no action of the game counts as an illegal one.
    """

    opponent: Opponent
    empty: Any  # pgx's state of one empty board
    options: BoardGameOptions

    @classmethod
    @in_32_bits
    def from_options(cls, options: BoardGameOptions) -> "BatchedBoard":
        """Raises UserError if the opponent that `options` name cannot play inside JAX."""
        opponent = make_opponent(options.opponent, board_game(options.openspiel))
        # The key decides which of pgx's two players is the first, and nothing else.
        return cls(
            opponent, jax.jit(_engine(options.openspiel).init)(jax.random.PRNGKey(0)), options
        )

    @property
    def spec(self) -> EnvironmentSpec:
        """See `BatchedEnvironment`."""
        game = board_game(self.options.openspiel)
        return board_spec(game.shape, game.num_actions)

    @property
    def num_levels(self) -> int:
        """See `BatchedEnvironment`."""
        return len(starts_second(self.options))

    def reset(self, key: jax.Array, batch: int) -> tuple[BoardGameState, TimeStep]:
        """See `BatchedEnvironment.reset`."""
        return self._begin(jax.random.split(key, batch), None)

    def start(self, key: jax.Array, levels: jax.Array) -> tuple[BoardGameState, TimeStep]:
        """See `BatchedEnvironment.start`."""
        return self._begin(jax.random.split(key, levels.shape[0]), levels)

    def step(self, state: BoardGameState, action: jax.Array) -> tuple[BoardGameState, TimeStep]:
        """See `BatchedEnvironment.step`."""
        require_32_bits("pgx, which plays here,")
        return jax.vmap(self._step)(state, action.astype(jnp.int32))

    def _begin(self, keys: jax.Array, levels: jax.Array | None) -> tuple[BoardGameState, TimeStep]:
        """The first time step on each board, on the given levels or on drawn ones."""
        require_32_bits("pgx, which plays here,")
        ended = replace(self._ended(), key=keys[0])
        states = jax.vmap(lambda key: replace(ended, key=key))(keys)
        actions = jnp.zeros(len(keys), jnp.int32)
        if levels is None:
            return self.step(states, actions)
        return jax.vmap(self._step)(states, actions, levels)

    def _ended(self) -> BoardGameState:
        """One board, without `[B]`, whose next step is a FIRST."""
        return BoardGameState(
            position=self.empty,
            second=jnp.zeros((), bool),
            reply=jnp.full((), -1, jnp.int32),
            time=jnp.zeros((), jnp.int32),
            is_last=jnp.ones((), bool),
            key=jax.random.key(0),
        )

    def _step(
        self, state: BoardGameState, action: jax.Array, level: jax.Array | None = None
    ) -> tuple[BoardGameState, TimeStep]:
        """A step on one board. What begins a game is a step, too: only the opponent moves in it."""
        key, level_key, reply_key = jax.random.split(state.key, 3)
        starts = jnp.array(starts_second(self.options))
        if level is None:
            level = jax.random.randint(level_key, (), 0, len(starts))
        first = state.is_last
        second = _select(first, starts[level], state.second)
        legal = state.position.legal_action_mask
        known = (action >= 0) & (action < len(legal))
        illegal = ~first & ~(known & legal[action])
        engine = _engine(self.options.openspiel)
        moved = engine.step(state.position, action)
        moved = _select(first, self.empty, _select(illegal, state.position, moved))
        waits = _select(first, second, ~illegal & ~moved.terminated)
        weights = self.opponent.weights(self._planes(moved), moved.legal_action_mask)
        reply = jax.random.categorical(reply_key, jnp.log(weights)).astype(jnp.int32)
        position = _select(waits, engine.step(moved, reply), moved)
        agent = _select(second, 1 - self.empty.current_player, self.empty.current_player)
        result = _select(illegal, -1.0, position.rewards[agent])
        time = _select(first, 0, state.time + 1)
        over = illegal | position.terminated
        cut_off = ~over & ~first & (time == self.options.time_limit)
        state = BoardGameState(
            position=position,
            second=second,
            reply=_select(waits, reply, -1),
            time=time,
            is_last=over | cut_off,
            key=key,
        )
        outcome = _select(result > 0, _WIN, _select(result < 0, _LOSS, _DRAW))
        outcome = _select(over, outcome, _UNFINISHED)
        return state, TimeStep(
            observation=self._observe(state, over),
            reward=_select(over, result, 0.0).astype(jnp.float32),
            discount=(~over).astype(jnp.float32),
            is_first=first,
            is_last=state.is_last,
            info={"outcome": outcome.astype(jnp.int32)},
        )

    def _observe(self, state: BoardGameState, over: jax.Array) -> dict[str, jax.Array]:
        planes = self._planes(state.position)
        return {
            "planes": planes,
            "player": jnp.broadcast_to(state.second, (*planes.shape[:2], 1)),
            "legal_actions": state.position.legal_action_mask & ~over,
        }

    def _planes(self, position: Any) -> jax.Array:
        """The abstract state of one board, `[H, W, 3] bool` in the order of `rules.PLANES`."""
        mine, theirs = position.observation[..., 0], position.observation[..., 1]
        first_moves = position.current_player == self.empty.current_player
        first, second = _select(first_moves, (mine, theirs), (theirs, mine))
        planes = jnp.stack([~(first | second), first, second], axis=-1)
        # Of Go, pgx calls the row of OpenSpiel's first actions the top one, and we the bottom one.
        return planes[::-1] if isinstance(self.options, GoOptions) else planes


@cache
def _engine(openspiel: str) -> Any:
    """The pgx environment of the game that OpenSpiel calls so, always the same one."""
    game = board_game(openspiel)
    if game.parsed.short == "go":
        return Go(size=game.shape[0], komi=game.parameter("komi"), history_length=1)
    return TicTacToe()


def _select(condition: jax.Array, a: Any, b: Any) -> Any:
    """`a` where `condition []` holds, else `b`, leaf by leaf."""
    return jax.tree.map(lambda x, y: jnp.where(condition, x, y), a, b)
