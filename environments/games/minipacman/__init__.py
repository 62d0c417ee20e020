"""MiniPacman: eat, and be not eaten, in one maze; five modes that differ only in rewards."""
