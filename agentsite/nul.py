"""NUL, which PostgreSQL takes nowhere and no browser sends, is taken out of what requests ask with."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import cast

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

Get = Callable[[HttpRequest], HttpResponseBase]
GetLater = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def without_nul(get_response: Get | GetLater) -> Get | GetLater:
    """Middleware. It stands before the first that reads a query or a cookie; forms refuse NUL by themselves."""
    if iscoroutinefunction(get_response):
        get_later = cast(GetLater, get_response)

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            return await get_later(_clean(request))

        return answer_later

    get = cast(Get, get_response)

    def answer(request: HttpRequest) -> HttpResponseBase:
        return get(_clean(request))

    return answer


def _clean(request: HttpRequest) -> HttpRequest:
    request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", "").replace("%00", "%EF%BF%BD")
    # A quoted cookie may hold any character, written as an octal number.
    request.COOKIES = {
        name: value.replace("\x00", "\N{REPLACEMENT CHARACTER}") for name, value in request.COOKIES.items()
    }
    return request
