"""The text that live runs are saying right now, and who watches those of this process. Never the truth: rows are."""

import uuid
from dataclasses import dataclass, field

from chat.markdown.blocks import Blocks
from chat.watchers import Watchers
from tools.text import clean

watchers = Watchers()  # of texts that grow

_previews: dict[uuid.UUID, "Preview"] = {}


@dataclass(slots=True)
class Preview:
    """What a run's current model step has said so far; `number` is that step's, 0 while there is none.

    `thought` is what it thought before that.
    """

    conversation: uuid.UUID
    message: int
    number: int = 0
    text: str = ""
    thought: str = ""
    flushed: int = 0
    closed: int = 0
    _pieces: list[str] = field(default_factory=list)
    _blocks: Blocks = field(default_factory=Blocks)

    def add(self, number: int, piece: str, thought: bool = False) -> None:
        """Take in what a model step of this process says, and tell those who watch."""
        self._take(number, piece, thought)
        watchers.wake(self.conversation)

    def become(self, number: int, text: str, thought: str) -> None:
        """Take in all that a model step of another process has said, as far as it is stored."""
        if number != self.number or not (text.startswith(self.read()) and thought.startswith(self.thought)):
            self.empty()
        self._take(number, text[len(self.text) :], thought=False)
        self.thought = thought

    def _take(self, number: int, piece: str, thought: bool) -> None:
        if number != self.number:
            self.empty()
            self.number = number
        if thought:
            self.thought += clean(piece)
        elif piece:
            self._pieces.append(piece)

    def read(self) -> str:
        """Return the whole text so far; then `closed` of its characters are in Markdown blocks that are finished."""
        if self._pieces:
            new = "".join(self._pieces)
            # The first half of a character waits for the second one.
            self._pieces = [new[-1]] if "\ud800" <= new[-1] <= "\udbff" else []
            self.text += clean(new[: -len(self._pieces) or None])
            self.closed = self._blocks.grow(self.text)
        return self.text

    def empty(self) -> None:
        """Forget the text: the step's row is about to hold it."""
        self.number, self.text, self.thought, self.flushed, self.closed = 0, "", "", 0, 0
        self._pieces.clear()
        self._blocks = Blocks()


def open_preview(run: uuid.UUID, conversation: uuid.UUID, message: int) -> Preview:
    return _previews.setdefault(run, Preview(conversation, message))


def close_preview(run: uuid.UUID) -> None:
    _previews.pop(run, None)


def preview_of(run: uuid.UUID) -> Preview | None:
    return _previews.get(run)
