"""The tools of the agent: a registry that makes functions callable by a model, and the built-in ones."""
