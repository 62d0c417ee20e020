"""Games embedded in MuJoCo physics: scenes, what is read from them, and the loop that runs them."""
