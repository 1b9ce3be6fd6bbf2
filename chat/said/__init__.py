"""Reads what a person said, by rules and without a model, to tell what they themselves stated or asked for."""

from chat.said.stated import asks_to_forget, states, wishes

__all__ = ["asks_to_forget", "states", "wishes"]
