"""MuJoBan: Sokoban played by a rolling, jumping ball that pushes boxes (Mirza et al. 2020)."""
