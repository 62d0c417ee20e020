"""Players: whoever knows a game's rules, as opponent, expert or baseline."""
