"""Lets a request wait while its person has asked for more than their share of this process's time."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from chat.away import Away, why
from chat.shares import share_of
from chat.unavailable import unavailable

PATIENCE = 10.0  # seconds
A_PAGE = 0.03  # seconds that a page is taken to cost, until it is known


class Fair(MiddlewareMixin):
    """Middleware. A view, and what is around it, is worked on by one thread, which tells what it took."""

    def process_view(self, request: HttpRequest, _: Callable[..., Any], __: Any, ___: Any) -> HttpResponse | None:
        try:
            if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
                return None
        except Error as error:  # which Django hands to `Unavailable` only from a view
            if reason := why(error):
                return unavailable(request, Away(reason))
            raise
        share = share_of(request.user.pk)
        pause = share.pause(PATIENCE)
        share.took(A_PAGE)
        if pause:
            connection.close()  # others need it meanwhile
            time.sleep(pause)
        request.META["agentsite.share"], request.META["agentsite.began"] = share, time.thread_time()
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if share := request.META.get("agentsite.share"):
            share.took(time.thread_time() - request.META["agentsite.began"] - A_PAGE)
        return response
