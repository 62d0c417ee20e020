"""Players by name: what is read, its canonical form, and how what is wrong is refused."""

import pytest

from environments.errors import UserError
from environments.games.board.game import board_game
from environments.players.make import make_player, parse_player

GAME = board_game("tic_tac_toe")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("random", "random"),
        (" random( ) ", "random"),
        ("optimal", "optimal"),
        ("mcts", "mcts(simulations=100, exploration=2.0, rollouts=1)"),
        ("mcts(20)", "mcts(simulations=20, exploration=2.0, rollouts=1)"),
        (
            "mcts(exploration=1, simulations=20)",
            "mcts(simulations=20, exploration=1.0, rollouts=1)",
        ),
        ("gnugo(level=5)", "gnugo(level=5, timeout=60.0)"),
        ("mixture(random,optimal,0.25)", "mixture(random, optimal, 0.25)"),
        ("mixture(probability=1, second=random, first=optimal)", "mixture(optimal, random, 1.0)"),
        (
            "mixture(mixture(random, optimal, .5), gnugo, 0.2)",
            "mixture(mixture(random, optimal, 0.5), gnugo(level=1, timeout=60.0), 0.2)",
        ),
    ],
)
def test_a_name_has_one_canonical_form(text, canonical):
    assert str(parse_player(text)) == canonical
    assert str(parse_player(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rnadom", "there is no player 'rnadom'; did you mean 'random'?"),
        ("alphago", "choose from gnugo, mcts, mixture, optimal, random"),
        ("random(1)", "random takes at most 0 arguments"),
        ("random(seed=1)", "random takes no arguments"),
        ("mcts(simulation=5)", "did you mean 'simulations'?"),
        ("mcts(simulations=0)", "from 1 to 10000000, not 0"),
        ("mcts(simulations=1.5)", "simulations must be a whole number, not 1.5"),
        ("mcts(simulations=True)", "simulations must be a whole number, not True"),
        ("mcts(simulations='5')", "simulations must be a whole number, not '5'"),
        ("mcts(exploration=-1)", "exploration must be from 0"),
        ("mcts(rollouts=0)", "rollouts must be from 1"),
        ("mcts(5, simulations=5)", "simulations is given twice"),
        ("mcts(simulations=open('f'))", "is no player: write one like"),
        ("mixture(random, optimal)", "mixture needs first, second, probability"),
        ("mixture(random, optimal, 2)", "from 0 to 1, not 2.0"),
        ("mixture(random, optimal, random)", "is no player: write one like"),
        ("mixture(random, 0.5, 0.5)", "is no player: write one like"),
        ("gnugo", "gnugo plays only go, not tic_tac_toe"),
        ("mixture(random, gnugo, 0.5)", "gnugo plays only go, not tic_tac_toe"),
        ("mcts(simulations=5", "is no player: write one like"),
        ("mcts(**{})", "there is no argument of mcts 'None'"),
        ("random + random", "is no player: write one like"),
        ("", "is no player: write one like"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text, said):
    with pytest.raises(UserError) as error:
        make_player(text, GAME, 0)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
