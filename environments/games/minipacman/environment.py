"""MiniPacman as one `dm_env.Environment`, in NumPy, over the rules."""

import dm_env
import numpy as np

from environments.games.minipacman import draws, rules
from environments.games.minipacman.modes import MODES
from environments.games.minipacman.observations import observe, sprites
from environments.games.minipacman.registration import MiniPacmanOptions
from environments.games.minipacman.spec import minipacman_spec
from environments.single import Environment, EnvironmentSpec, Progress


class MiniPacman(Environment):
    """A maze of 15x19 cells with food, two power pills and ghosts (I2A, 1707.06203).

    Level: food lies on every free cell but the player's; the player, two power pills and the
        ghosts are placed at random, no pill under the player or the other pill, no ghost within 5
        rows and 5 columns of the player. Level n has 1 + floor((n - 1) / 2) ghosts, which move in
        a step with probability .5 + .1 (n - 1), at most 1, halved while there is power. The last
        level is the tenth; it follows itself.
    Step, in this order: the player moves, or stays if there is a wall; eats the food and the pill
        on its cell; meets the ghosts there. Unless it was caught, the ghosts then move, each with
        its own probability, and those that come to the player's cell meet it. Player and ghost
        cannot swap places: the player moves first, and meets the ghost. At most one ghost is eaten
        in a step; with power, further ones on the cell do nothing. The next level begins within
        the step that completes a level, and is what its observation shows; being caught prevails.
    Ghosts: pass through each other. One goes on where there is one way beside the one that it
        came from, and never turns back. At a junction, or before its first move, it takes the way
        with the largest dot product with the vector to the player, with power the smallest; of
        equals the first of right, up, left, down. Without power it takes with probability .05 any
        of the ways. An eaten ghost is gone until the next level.
    Power: from the step in which a pill is eaten, and for 20 steps after it, touching a ghost
        eats it; a second pill begins the 20 anew.
    Observation: a dict with each kind that `options.observations` names:
        planes:  `[15, 19, 9] bool`: wall, food, pill, player, ghost, and edible_1 to edible_4,
                 where a ghost is while as many quarters of the power are left, rounded up.
        pixels:  `[15, 19, 3] uint8`, one pixel per cell in the colours of `palette.PALETTE`. A
                 ghost hides what is under it, the player what is under it but a dangerous ghost.
        sprites: `[120, 152, 3] uint8`, a picture of 8x8 pixels per cell.
    Action: an integer (spec: int32): 0 stay, 1 right, 2 up, 3 left, 4 down. Anything else raises
        ValueError.
    Reward: float32, the sum over what happened in the step:

        mode     step   food  pill  ghost  caught  the next level begins when
        regular  0      1     2     5      0       all food is eaten
        avoid    .1     -.1   -5    -10    -20     all food is eaten, or 128 steps are over
        hunt     0      0     1     10     -20     all ghosts are eaten, or 80 steps are over
        ambush   0      -.1   0     10     -20     all ghosts are eaten, or 80 steps are over
        rush     0      -.1   10    0      0       all pills are eaten

        (Without the 80 steps, a level of hunt or ambush whose pills are spent would go on without
        anything to gain until the episode is cut off.)
    Termination: the player is caught, touching a ghost without power: LAST with discount 0,
        outcome `caught`.
    Truncation: after a number of steps drawn for each episode uniformly from
        `options.time_limit`, both ends included: LAST with discount 1, outcome `survived`.
    Reset: at a level drawn uniformly from `options.start_level`. All chance follows from `seed`
        alone.

    No two observations share memory.
    """

    def __init__(self, options: MiniPacmanOptions, *, seed: int = 0):
        super().__init__(seed=seed)
        self._options = options
        self._mode = MODES[options.mode]
        self._spec = minipacman_spec(options)

    @property
    def spec(self) -> EnvironmentSpec:
        return self._spec

    @property
    def num_levels(self) -> int:
        low, high = self._options.start_level
        return high - low + 1

    @property
    def unfinished(self) -> str:
        return "survived"

    def reset(self) -> dm_env.TimeStep:
        """Starts an episode at a level and with a time limit drawn at random."""
        low, high = self._options.time_limit
        level = int(self._rng.integers(self.num_levels))
        limit = int(self._rng.integers(low, high, endpoint=True))
        first = self.reset_to(level)
        self._limit = limit
        return first

    def begin(self, level: int) -> None:
        """The level that comes `level` after the easiest, with the longest time limit.

        Where things lie is drawn at random.
        """
        words = self._words(draws.NUM_PLACE_WORDS)
        self._state = rules.begin(self._options.start_level[0] + level, words)
        self._limit = self._options.time_limit[1]

    def advance(self, action: int) -> Progress:
        words = self._words(draws.NUM_WORDS)
        self._state, events = rules.apply(self._mode, self.state, action, words)
        return Progress(rules.reward(self._mode, events), "caught" if events.caught else None)

    def _words(self, count: int) -> np.ndarray:
        return self._rng.integers(2**32, size=count, dtype=np.uint32)

    def observation(self) -> dict[str, np.ndarray]:
        return observe(self._options.observations, rules.layers(self.state), np)

    def planes(self) -> np.ndarray:
        return rules.planes(self.state)

    def picture(self) -> np.ndarray:
        """The maze for people, `[120, 152, 3] uint8`, whatever is observed."""
        return sprites(rules.layers(self.state))
