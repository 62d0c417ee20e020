"""Board games played by a robot arm on cells that sense touch: MuJoXO, MuJoGo and any other."""
