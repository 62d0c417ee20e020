"""The baseline that acts at random and learns nothing."""
