"""What can happen in a run, in the order in which it does.

The loop yields tuples of events. A tuple is one transaction: whoever drives the loop stores it, and only then goes
on, so that nothing takes effect before it is written down. `TextDelta` alone is never stored: it is a preview.
`number` is the step's number in its run; `at` the moment, in UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chat.agent.context import Cut
from chat.wire.values import JSON, Call, Reply


@dataclass(frozen=True, slots=True)
class Began:
    """The run begins; `request` is what stays as it is for all of its requests (system prompt, tools)."""

    at: datetime
    request: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MemoryRead:
    """What is remembered of the person was put into the system prompt."""

    number: int
    at: datetime
    facts: Sequence[Mapping[str, JSON]]
    preferences: Sequence[Mapping[str, JSON]]


@dataclass(frozen=True, slots=True)
class ModelStarted:
    """A request is about to be sent. `after` is the last step whose result it holds, `sha256` that of its bytes.

    `purpose` is "answer", "summary" or "title". `host` is asked `without` what it refuses; `last` names the limit
    after which no tools are offered any more. `cut` says what the summary, once it is there, will stand for.
    """

    number: int
    at: datetime
    turn: int
    model: str
    after: int
    sha256: str
    size: int
    purpose: str = "answer"
    host: str = ""
    without: tuple[str, ...] = ()
    last: str = ""
    cut: Cut | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the reply's text arrived, or of the `thought` before it."""

    number: int
    text: str
    thought: bool = False


@dataclass(frozen=True, slots=True)
class ModelEnded:
    """The reply is whole."""

    number: int
    at: datetime
    first_token: datetime | None
    reply: Reply
    cost: Decimal | None
    purpose: str = "answer"


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """The request got no whole reply; `text` is what had come of it, `thought` what was thought before that."""

    number: int
    at: datetime
    error: str
    text: str
    thought: str = ""


@dataclass(frozen=True, slots=True)
class WaitStarted:
    """A request waits, because of `reason`: kind "retry" to be sent again, "wait" for its turn at the endpoint.

    `seconds` is how long, where that is known before.
    """

    number: int
    at: datetime
    kind: str
    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class WaitEnded:
    """The wait is over."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Shortened:
    """From here on old tool results are sent in brief, because all of them do not fit into the context window."""

    number: int
    at: datetime
    cut: Cut


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A limit of the run is reached: `limit` is its name. One last request without tools follows."""

    number: int
    at: datetime
    limit: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool is about to run. `parent` is the number of the model step that asked for it."""

    number: int
    at: datetime
    parent: int
    call: Call


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A tool answered; `text` is what the model will read, `error` one line of what went wrong, "" if nothing.

    `detail` is a traceback, for the trace alone; `whole` the uncut result where `text` had to be cut.
    """

    number: int
    at: datetime
    text: str
    error: str = ""
    detail: str = ""
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over, for exactly one reason. `text` is its answer, or what there is of one."""

    at: datetime
    status: str
    stop_reason: str
    text: str = ""
    error: str = ""


Event = (
    Began | MemoryRead | ModelStarted | TextDelta | ModelEnded | ModelFailed | WaitStarted | WaitEnded
    | Shortened | LimitReached | ToolStarted | ToolEnded | Ended
)  # fmt: skip
Batch = tuple[Event, ...]
