"""What the process of a local model is told by the one that starts it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """A file to serve, under which name and key, with how many tokens of context.

    `reply` are the most tokens of one reply, `threads` those that it computes with; -1: as llama.cpp has it.
    `temperature` is for requests that name none; None: as the model has it.
    """

    file: str
    name: str
    key: str
    context: int
    reply: int
    threads: int
    temperature: float | None
