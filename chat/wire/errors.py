"""Why a request got no whole reply, and whether asking again may help."""

from collections.abc import Mapping

from chat.wire.refusals import is_too_long, refused_in, window_in

LONGEST = 500  # characters of what an endpoint says of its error


class NoReply(Exception):
    """A request that got no whole reply; the message is for people, without key or credentials.

    `reason` is the stop reason that it leads to; `again` says whether asking again may help, `after` how many
    seconds the endpoint wants to be left alone before that. `refuses` names what of the request it does not take, and
    `window` is how many tokens it takes, where a request was too long and it says so.
    """

    def __init__(
        self,
        message: str,
        reason: str = "error",
        again: bool = True,
        after: float | None = None,
        refuses: str = "",
        window: int | None = None,
    ) -> None:
        super().__init__(message)
        self.reason, self.again, self.after, self.refuses, self.window = reason, again, after, refuses, window


class StreamCut(NoReply):
    """The stream ended inside a reply; nothing of it may be run or taken as final."""


class StreamError(NoReply):
    """The endpoint reported an error in mid stream, or sent what is no chunk at all."""


class EndpointError(NoReply):
    """The endpoint could not be asked, or refused."""


def reported(error: object, begun: bool = False) -> StreamError:
    """Read an error that came in mid stream; asking again helps unless the request itself is at fault.

    Of a reply that has `begun` nothing was refused any more.
    """
    fields = error if isinstance(error, Mapping) else {"message": error}
    code, kind = fields.get("code"), str(fields.get("type") or "")
    status = code if isinstance(code, int) else 400
    message = f"The endpoint reported an error: {str(fields.get('message') or error)[:LONGEST]}"
    whole = str(error)
    if is_too_long(message, code, kind):
        return StreamError(message, "context", again=False, window=window_in(whole))
    at_fault = isinstance(code, int) and 400 <= code < 500 and code not in (408, 409, 429)
    again = not (at_fault or "invalid" in kind)
    refuses = "" if begun else refused_in(whole, status)
    return StreamError(message, "rate_limited" if status == 429 else "error", again, refuses=refuses)
