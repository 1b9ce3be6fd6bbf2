"""What a page may say over its socket, parsed and checked once."""

import json
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from tools.text import clean

LONGEST_MESSAGE = 32 * 1024
TOO_LONG = f"The message is longer than {LONGEST_MESSAGE // 1024} kB. Shorten it, or send it in parts."

ClientId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.:-]+$")]


class BadFrame(Exception):
    """A frame that says nothing this site knows; the message says what is wrong, to a person."""


def _message(value: object) -> str:
    """Take a message as it was written; only one of nothing but blanks is none."""
    text = clean(value) if isinstance(value, str) else ""
    if not text.strip():
        raise ValueError("Write a message first.")
    if len(text.encode()) > LONGEST_MESSAGE:
        raise ValueError(TOO_LONG)
    return text


def _blank_is_none(value: object) -> object:
    return None if value == "" else value


def _mode(value: object) -> object:
    last = value[-1] if isinstance(value, list) and value else value
    return "" if last == "plain" else None if last == "" else last


Text = Annotated[str, BeforeValidator(_message)]
# The form sends "plain", and after it "react" where the switch is on. None: as before.
ModeName = Annotated[Literal["", "react"] | None, BeforeValidator(_mode)]
MessageId = Annotated[int, Field(ge=1, le=2**53)]
ModelChoice = Annotated[str, Field(max_length=200)]
Number = Annotated[int, Field(ge=0, le=2**53)]
Revision = Annotated[Number | None, BeforeValidator(_blank_is_none)]
Follows = Annotated[bool | None, BeforeValidator(_blank_is_none)]
RunId = Annotated[uuid.UUID | None, BeforeValidator(_blank_is_none)]


class Resume(BaseModel):
    """The page says what it has; `run` alone asks to see that run. `follows`: its trace goes on to the next run."""

    action: Literal["resume"]
    since: Revision = None
    run: RunId = None
    run_since: Revision = None
    follows: Follows = None


class Send(BaseModel):
    """A message. The same `client_id` again is harmless. Without `mode` the conversation goes on in the one it has."""

    action: Literal["send"] = "send"
    message: Text
    client_id: ClientId
    model: ModelChoice = ""
    mode: ModeName = None


class Acting(BaseModel):
    """What a page does beside sending a message. One that names a `client_id` is told it when that was done."""

    client_id: Annotated[ClientId | None, BeforeValidator(_blank_is_none)] = None


class Stop(Acting):
    """What is at work is stopped; with a `run` only that one, if it is not over."""

    action: Literal["stop"]
    run: RunId = None


class Edit(Acting):
    """Another wording of a message. As with `send`, the same `client_id` again is harmless."""

    action: Literal["edit"]
    message_id: MessageId
    message: Text
    client_id: ClientId = Field(default_factory=lambda: str(uuid.uuid4()))
    model: ModelChoice = ""


class Regenerate(Acting):
    """One more answer, beside the one named or to the message named. The same `client_id` again is harmless."""

    action: Literal["regenerate"]
    message_id: MessageId
    model: ModelChoice = ""


class Continue(Acting):
    """A run that goes on from the one that ended with the answer named, before it was done.

    The same `client_id` again is harmless.
    """

    action: Literal["continue"]
    message_id: MessageId
    model: ModelChoice = ""


class Show(Acting):
    """The branch that a message begins is to be shown."""

    action: Literal["show"]
    message_id: MessageId


class Unqueue(Acting):
    """A message that waits for its turn is taken back. It is named by its own id, or by that of its answer."""

    action: Literal["unqueue"]
    message_id: MessageId


class StopAndSend(Acting):
    """What is at work is stopped for a message that waits, named as for `unqueue`."""

    action: Literal["stop_and_send"]
    message_id: MessageId


class Fork(BaseModel):
    """A new conversation with what was said up to a message. The same ids again lead to the same one."""

    action: Literal["fork"]
    message_id: MessageId
    client_id: ClientId = Field(default_factory=lambda: str(uuid.uuid4()), max_length=36)

    @property
    def key(self) -> str:
        """Say which fork is meant: a page has one id, and many messages to fork from."""
        return f"fork.{self.message_id}.{self.client_id}"


class Seen(BaseModel):
    """How many frames the page has handled since its socket opened."""

    action: Literal["seen"]
    n: Number


Act = Stop | Edit | Regenerate | Continue | Show | Unqueue | StopAndSend
Asked = Resume | Send | Fork | Act
Frame = Asked | Seen
_frames: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="action")])


def parse(text: str | None) -> Frame:
    """Read a frame: a JSON object with an `action`; none means `send`. Raises BadFrame."""
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadFrame("This was not understood: a frame is a JSON object.")
    return check(value)


def check(value: dict[str, Any]) -> Frame:
    """Check the fields of a frame, from wherever they come. Raises BadFrame."""
    try:
        return _frames.validate_python({"action": "send", **value})
    except ValidationError as error:
        raise BadFrame(_words(error)) from None


def _words(error: ValidationError) -> str:
    """Say in one sentence what is wrong with a frame, without what was in it."""
    first = error.errors(include_input=False, include_url=False)[0]
    if isinstance(cause := first.get("ctx", {}).get("error"), ValueError):
        return str(cause)
    if first["type"].startswith("union_tag"):
        return "This page asked for something that this server does not know. Reload it."
    return f"This was not understood: {first['loc'][-1]}: {first['msg']}."
