"""Environment models: what an agent imagines with, learned or given."""
