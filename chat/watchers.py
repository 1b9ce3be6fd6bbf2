"""Who in this process is woken for which conversation."""

import uuid
from collections.abc import Callable, Iterator

Wake = Callable[[], None]


class Watchers:
    """The conversations that are watched, and for each what to call."""

    def __init__(self) -> None:
        self._wakes: dict[uuid.UUID, set[Wake]] = {}

    def __iter__(self) -> Iterator[uuid.UUID]:
        return iter(self._wakes)

    def __len__(self) -> int:
        return len(self._wakes)

    def __contains__(self, conversation: uuid.UUID) -> bool:
        return conversation in self._wakes

    def add(self, conversation: uuid.UUID, wake: Wake) -> None:
        self._wakes.setdefault(conversation, set()).add(wake)

    def remove(self, conversation: uuid.UUID, wake: Wake) -> None:
        """Call `wake` no more. It is no error if it was not there."""
        wakes = self._wakes.get(conversation, set())
        wakes.discard(wake)
        if not wakes:
            self._wakes.pop(conversation, None)

    def wake(self, conversation: uuid.UUID) -> None:
        """Call all who watch a conversation; whoever comes or goes meanwhile does so for the next time."""
        for wake in tuple(self._wakes.get(conversation, ())):
            wake()
