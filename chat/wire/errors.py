"""Why a request got no whole reply, and whether asking again may help."""

from collections.abc import Mapping

# How endpoints say, by code or in words, that a request does not fit into the model's window.
TOO_LONG = (
    "context_length",
    "context length",
    "context window",
    "context_size",
    "context size",
    "maximum context",
    "maximum number of tokens",
    "too many tokens",
    "maximum prompt length",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input too long",
    "input token count",
    "reduce the length",
)


class NoReply(Exception):
    """A request that got no whole reply; the message is for people, without key or credentials.

    `reason` is the stop reason that it leads to; `again` says whether asking again may help, `after` how many
    seconds the endpoint wants to be left alone before that. `refuses` names what of the request it does not take.
    """

    def __init__(
        self, message: str, reason: str = "error", again: bool = True, after: float | None = None, refuses: str = ""
    ) -> None:
        super().__init__(message)
        self.reason, self.again, self.after, self.refuses = reason, again, after, refuses


class StreamCut(NoReply):
    """The stream ended inside a reply; nothing of it may be run or taken as final."""


class StreamError(NoReply):
    """The endpoint reported an error in mid stream, or sent what is no chunk at all."""


class EndpointError(NoReply):
    """The endpoint could not be asked, or refused."""


def reported(error: object) -> StreamError:
    """Read an error that came in mid stream; asking again helps unless the request itself is at fault."""
    fields = error if isinstance(error, Mapping) else {"message": error}
    code, kind = fields.get("code"), str(fields.get("type") or "")
    at_fault = isinstance(code, int) and 400 <= code < 500 and code not in (408, 409, 429)
    message = f"The endpoint reported an error: {str(fields.get('message') or error)[:500]}"
    if is_too_long(message, code, kind):
        return StreamError(message, "context", again=False)
    return StreamError(message, again=not (at_fault or "invalid" in kind))


def is_too_long(*said: object) -> bool:
    """Say whether an endpoint's words or codes mean that the request is too long for the model."""
    text = " ".join(str(part) for part in said).lower()
    return any(phrase in text for phrase in TOO_LONG)
