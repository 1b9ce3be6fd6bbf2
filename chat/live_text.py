"""How much a page has of what a run is saying, and the frames of what is new in it."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from chat import render
from chat.markdown import render as markdown
from chat.preview import Preview

OPEN_LIMIT = 2_000


@dataclass(slots=True)
class LiveText:
    """What a page has of a model step's text: `closed` characters as finished blocks, `open` ones after them.

    With `plain` the open ones stand there as plain text, because they have grown long. `thought` characters were
    thought before that.
    """

    number: int
    thought: int = 0
    closed: int = 0
    open: int = 0
    plain: bool = False

    def frames(self, showing: Preview, reset: bool) -> SafeString:
        """Closed blocks once, the open block again; of a long open block only what is new, as plain text.

        With `reset` the page begins this step's text anew.
        """
        text = showing.read()
        closed, thought = showing.closed, showing.thought[self.thought :]
        self.thought += len(thought)
        begins = bool(text) and not (self.closed or self.open)
        if not reset and len(text) == self.closed + self.open:
            return render.preview_frames(showing.message, reset=False, thought=thought)
        blocks = markdown(text[self.closed : closed]) if closed > self.closed else ""
        rest, opened, more = text[closed:], None, ""
        if blocks or not self.plain:
            self.plain = len(rest) > OPEN_LIMIT
            opened = render.plain_rest(showing.message, rest) if self.plain else markdown(rest)
        else:
            more = rest[self.open :]
        self.closed, self.open = closed, len(rest)
        return render.preview_frames(showing.message, reset, thought, blocks, opened, more, begins)
