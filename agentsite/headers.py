"""The headers that every answer carries, whoever wrote it: what a page may load, and who may keep it."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import cast

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

# Today's browsers read connect-src 'self' as covering websockets to the page's own host and port.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

Get = Callable[[HttpRequest], HttpResponseBase]
GetLater = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def page_headers(get_response: Get | GetLater) -> Get | GetLater:
    """Middleware. It stands first, so that it also sees refusals and static files."""
    if iscoroutinefunction(get_response):
        get_later = cast(GetLater, get_response)

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            return _with_headers(await get_later(request))

        return answer_later

    get = cast(Get, get_response)

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _with_headers(get(request))

    return answer


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
    # Kept by the one browser, and asked for again each time: after signing out nothing old is shown.
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
