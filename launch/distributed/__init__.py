"""Training in parts: actors, replay, learner and what connects them, on one machine or many."""
