"""NUL, which PostgreSQL takes nowhere and no browser sends, is taken out of what requests ask with."""

from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

from agentsite.around import Get, GetLater, around


@sync_and_async_middleware
def without_nul(get_response: Get | GetLater) -> Get | GetLater:
    """Middleware. It stands before the first that reads a query or a cookie; forms refuse NUL by themselves."""
    return around(get_response, before=_clean)


def _clean(request: HttpRequest) -> HttpRequest:
    request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", "").replace("%00", "%EF%BF%BD")
    # A quoted cookie may hold any character, written as an octal number.
    request.COOKIES = {
        name: value.replace("\x00", "\N{REPLACEMENT CHARACTER}") for name, value in request.COOKIES.items()
    }
    return request
