"""The learners: pure functions of parameters and data; one folder for each agent."""
