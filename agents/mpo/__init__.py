"""MPO: off-policy learning of continuous actions from a replay, and from demonstrations."""
