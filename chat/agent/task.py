"""What a run is given to work on, and how far it has come."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from chat.agent.asking import Asking, Order
from chat.agent.fitting import Fitting
from chat.agent.transcript import Entry
from chat.wire.values import Call


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn whose reply, the step of that `number`, came to a process that died; `answered` are ids of its calls."""

    number: int
    answered: Collection[str] = ()


@dataclass(slots=True)
class Task:
    """What a run works on: all that was said, how that is kept within the window, and who is asked, within limits.

    `entitle` makes a title at the end, if there is one to be made. `last` is the limit that is reached; `tightened` the
    last turn whose request the endpoint found too long. With `begun`, the reply of the turn is `asking.reply` already,
    and it and the results of its answered calls are among the entries.
    """

    entries: list[Entry]
    fitting: Fitting
    asking: Asking
    entitle: Order | None = None
    turn: int = 1
    last: str = ""
    fits: bool = True
    tightened: int = 0
    asked_before: str = ""
    repeats: int = 0
    begun: Begun | None = None

    def count_repeats(self, calls: Sequence[Call]) -> None:
        """Count how often in a row the same calls were asked for."""
        asked = json.dumps([[call.name, call.arguments] for call in calls], sort_keys=True)
        self.repeats, self.asked_before = (self.repeats + 1 if asked == self.asked_before else 1), asked
