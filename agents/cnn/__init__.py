"""A small feed-forward convolutional network: the least that can learn a board game."""
