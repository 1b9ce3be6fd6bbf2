"""Why an endpoint gave no reply, in words that tell a person what to do about it. It is named by its host alone."""

import math
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from chat.wire.errors import EndpointError
from chat.wire.refusals import is_too_long, refused_in, window_in

LONGEST_ERROR = 2_000  # characters that are searched; some wrap what another one said into their own
UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))

# By status: what the endpoint did, what to do, the stop reason.
LATER = ("answered with status {status}.", "Try again in a moment.", "error")
REFUSED = ("refused the request ({status}).", "", "error")
TOO_LONG = ("says that this is too long for the model.", "", "context")
ADVICE = {
    401: ("refused the key (401).", "Check it.", "error"),
    403: ("refused the key (403).", "Check what it may do.", "error"),
    404: ("knows no such model or address (404).", "Check both.", "error"),
    429: ("asks to slow down (429).", "Wait a moment, then send the message again.", "rate_limited"),
}


def silence(host: str, seconds: float) -> str:
    return f"{host} said nothing for {seconds:g} s."


def unreached(host: str, error: BaseException | None, seconds: float) -> EndpointError:
    """Say why there is no connection, or why it ended without an answer; `seconds` is how long it may be silent."""
    match error:
        case httpx2.ConnectTimeout():
            return _unreached(host, "no connection came about in time. Is it running, and its address right?")
        case httpx2.TimeoutException():
            return EndpointError(f"{silence(host, seconds)} Try again in a moment.")
        case httpx2.ReadError() | httpx2.WriteError() | httpx2.RemoteProtocolError():
            return EndpointError(f"{host} closed the connection without an answer. Try again in a moment.")
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                why = f"its certificate is not trusted ({cause.verify_message}). Give it one that this server trusts."
                return _unreached(host, why, again=False)
            case ssl.SSLError():
                return _unreached(host, "no secure connection came about. Does it speak https?")
            case socket.gaierror():
                return _unreached(host, "its name cannot be resolved. Is it spelled right?")
            case ConnectionRefusedError():
                return _unreached(host, "it refuses connections. Is it running, and its port right?")
    kind = type(error).__name__ if error else "no connection"
    return EndpointError(f"{host} could not be reached ({kind}). Is it running, and its address right?")


def answered(host: str, status: int, said: str, whole: str, after: float | None) -> EndpointError:
    """Say what a status that is an error means.

    `said` are the endpoint's words without the key, `whole` all that it sent; `after` are the seconds that it asks to
    be left alone.
    """
    did, advice, reason = ADVICE.get(status, LATER)
    if status in (400, 413, 422):
        did, advice, reason = TOO_LONG if is_too_long(whole) else REFUSED
    again = status in (408, 409, 429) or status >= 500
    after = after if again else None
    if after:
        advice = f"It asks to be left alone for {spoken(after)}; try again after that."
    message = " ".join(part for part in (host, did.format(status=status), advice, said) if part)
    if reason == "context":
        return EndpointError(message, reason, again, window=window_in(whole))
    return EndpointError(message, reason, again, after, refused_in(whole, status))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that an endpoint asks to be left alone, if it says so: in seconds, or until a date (RFC 9110).

    A date that is over asks for none.
    """
    said = headers.get("retry-after", "")
    try:
        seconds = float(said)
    except ValueError:
        return _seconds_until(said, now)
    return seconds if 0 <= seconds < float("inf") else None


def spoken(seconds: float) -> str:
    """Return seconds as a person says them: "5 seconds", "1 hour", "1 hour 30 minutes"; rounded up."""
    left, parts = max(1, math.ceil(seconds)), []
    for unit, name in UNITS:
        number, left = divmod(left, unit)
        parts.append(f"{number} {name}{'s' if number > 1 else ''}" if number else "")
    first = next(n for n, part in enumerate(parts) if part)
    return " ".join(part for part in parts[first : first + 2] if part)


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        until = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())  # its old form names no zone


def _unreached(host: str, why: str, again: bool = True) -> EndpointError:
    return EndpointError(f"{host} could not be reached: {why}", again=again)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield what an error came of, the innermost first; of several addresses that were tried, each."""
    if error is None:
        return
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _causes(one)
    yield from _causes(error.__cause__ or error.__context__)
    yield error
