"""Lets a request wait while its person has asked for more than their share of this process's time."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from agentsite.health import healthz
from chat.shares import share_of
from chat.unavailable import unavailable_after

PATIENCE = 8.0  # seconds; a page that asks for what is new gives up after ten
A_PAGE = 0.03  # seconds that a page is taken to cost, until it is known
COUNTED = "agentsite.counted"  # the share, what was taken of it in advance, and when the work began


class Fair(MiddlewareMixin):
    """Middleware. A view, and what is around it, is worked on by one thread, which tells what it took."""

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _: Any, __: Any) -> HttpResponse | None:
        if view is healthz:  # it says itself what is away, and waits for nobody
            return None
        try:
            person = _person(request)
        except Error as error:  # what comes from here does not pass the middleware for views that fail
            return unavailable_after(request, error)
        if person is None:
            return None
        share = share_of(person)
        pause = share.pause(PATIENCE)
        taken = share.took(A_PAGE)
        if pause:
            connection.close()  # others need it meanwhile
            time.sleep(pause)
        request.META[COUNTED] = share, taken, time.thread_time()
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if counted := request.META.get(COUNTED):
            share, taken, began = counted
            share.took(time.thread_time() - began - taken)
        return response


def _person(request: HttpRequest) -> int | None:
    """Return who asks. Where there is no session nothing is read."""
    return request.user.pk if settings.SESSION_COOKIE_NAME in request.COOKIES else None
