"""The built-in tools. Importing this package adds them to the registry, in this order."""

from tools.builtin import calculate, current_time, memory, weather

__all__ = ["calculate", "current_time", "memory", "weather"]
