"""What a middleware does around an answer, whether that comes at once or later."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import TypeVar, cast

from django.http import HttpRequest, HttpResponseBase

Get = Callable[[HttpRequest], HttpResponseBase]
GetLater = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
T = TypeVar("T", HttpRequest, HttpResponseBase)


def _as_it_is(value: T) -> T:
    return value


def around(
    get_response: Get | GetLater,
    before: Callable[[HttpRequest], HttpRequest] = _as_it_is,
    after: Callable[[HttpResponseBase], HttpResponseBase] = _as_it_is,
) -> Get | GetLater:
    """Return the function of a middleware that changes each request `before` it is answered, and each answer `after`.

    The middleware is to be decorated with Django's `sync_and_async_middleware`.
    """
    if iscoroutinefunction(get_response):
        get_later = cast(GetLater, get_response)

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            return after(await get_later(before(request)))

        return answer_later

    get = cast(Get, get_response)

    def answer(request: HttpRequest) -> HttpResponseBase:
        return after(get(before(request)))

    return answer
