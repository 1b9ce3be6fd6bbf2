"""What a run is given to work on, and how far it has come."""

from dataclasses import dataclass

from chat.agent.asking import Asking, Order
from chat.agent.fitting import Fitting
from chat.agent.transcript import Entry


@dataclass(slots=True)
class Task:
    """What a run works on: all that was said, how that is kept within the window, and who is asked, within limits.

    `entitle` makes a title at the end, if there is one to be made. `last` is the limit that is reached; `tightened` the
    last turn whose request the endpoint found too long.
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
