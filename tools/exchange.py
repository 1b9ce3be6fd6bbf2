"""One HTTP exchange with an address that was checked: connect, send, read a bounded amount of text."""

import re
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from tools.checked_url import CheckedUrl
from tools.context import HttpError

CONNECT_SECONDS = 3.0  # for each address of a host
READ_SECONDS = 10.0  # between two pieces of a reply
MAX_BYTES = 1_000_000  # of a body, counted as sent and again after decompression

HEADERS = {
    "User-Agent": "agentsite",
    "Accept": "application/json, text/*;q=0.9, */*;q=0.1",
    "Accept-Encoding": "gzip, deflate",
}
# Python has codecs that are slow by design (punycode, idna) or that run escapes; no page is written in those.
CHARSETS = frozenset(
    [
        *("utf-8", "utf-16", "us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-15"),
        *("windows-1250", "windows-1251", "windows-1252", "koi8-r"),
        *("shift_jis", "euc-jp", "euc-kr", "gb2312", "gbk", "gb18030", "big5"),
    ]
)

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # how zlib is told to see for itself which it is
_TEXT = re.compile(r"text/.*|application/(.*\+)?(json|xml)|application/javascript")


@dataclass(frozen=True)
class Response:
    """A reply, whatever its status. `headers` have lower case names, `url` is where the redirects ended."""

    status: int
    headers: Mapping[str, str]
    text: str
    url: str


async def exchange(target: CheckedUrl, addresses: list[str], tls: ssl.SSLContext) -> Response | CheckedUrl:
    """The reply of the first address that can be reached, or where it redirects to. Raises HttpError.

    Each exchange has a connection of its own: a kept one is found by its address, and would let one host
    answer in another's name, whose certificate nobody has checked.
    """
    try:
        async with httpx2.AsyncHTTPTransport(verify=tls, trust_env=False) as transport:
            reply = await _send(transport, target, addresses)
            try:
                if reply.has_redirect_location:
                    return target.join(reply.headers["location"])
                return Response(reply.status_code, dict(reply.headers), await _text(reply, target), str(target.url))
            finally:
                await reply.aclose()
    except httpx2.HTTPError as error:
        raise HttpError(f"{target.host}: {_reason(error)}") from None


async def _send(transport: httpx2.AsyncHTTPTransport, target: CheckedUrl, addresses: list[str]) -> httpx2.Response:
    """Connect to the address but speak to the host: Host header, SNI and certificate carry its name."""
    headers = HEADERS | {"Host": target.url.netloc.decode("ascii")}
    limits = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": READ_SECONDS}
    extensions = {"sni_hostname": target.host, "timeout": limits}
    failed: httpx2.HTTPError = httpx2.ConnectError("no address")
    for address in addresses:
        url = target.url.copy_with(host=address)
        request = httpx2.Request("GET", url, headers=headers, extensions=extensions)
        try:
            return await transport.handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            failed = error
    raise failed


async def _text(reply: httpx2.Response, target: CheckedUrl) -> str:
    kind, _, parameters = reply.headers.get("content-type", "").lower().partition(";")
    body = await _body(reply, target)
    if body and not _TEXT.fullmatch(kind.strip()):
        raise HttpError(f"{target.host} sent something that is not text (status {reply.status_code})")
    charset = re.search(r"charset=[\"']?([\w.:-]+)", parameters)
    return body.decode(charset[1] if charset and charset[1] in CHARSETS else "utf-8", "replace")


async def _body(reply: httpx2.Response, target: CheckedUrl) -> bytes:
    """The unpacked body. Counted before and after: a megabyte may unpack to a gigabyte, a gigabyte to nothing."""
    encoding = reply.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "deflate"):  # one only: a stack of them unpacks without end
        raise HttpError(f"{target.host} sent a reply packed in a way that is not read here")
    unpacker = None if encoding == "identity" else zlib.decompressobj(_GZIP_OR_ZLIB)
    body, sent = bytearray(), 0
    async for piece in reply.aiter_raw():
        sent += len(piece)
        try:
            body += unpacker.decompress(piece, MAX_BYTES + 1 - len(body)) if unpacker else piece
        except zlib.error:
            raise HttpError(f"{target.host} sent a damaged reply") from None
        if max(len(body), sent) > MAX_BYTES:
            raise HttpError(f"{target.host} sent more than {MAX_BYTES // 1_000_000} MB")
    if unpacker and sent and not unpacker.eof:
        raise HttpError(f"{target.host} sent a damaged reply")
    return bytes(body)


def _reason(error: httpx2.HTTPError) -> str:
    """What went wrong in plain words, without anything of the request."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate was not accepted ({cause.verify_message})"
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx2.ConnectError() | httpx2.ConnectTimeout():
            return "no connection could be made"
        case httpx2.TimeoutException():
            return "it stopped answering"
        case _:
            return "it broke off or does not speak HTTP"
