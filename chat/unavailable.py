"""What a request is answered while the database is away: 503, with the words that a socket would have for it."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin

from chat.away import Away, complain, why
from chat.render import notice

WRITES = ("send", "edit")  # what these say is a text of the person's


class Unavailable(MiddlewareMixin):
    """Middleware. It stands last, next to the views, and reads nothing of a session or a user."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return unavailable_after(request, error)


def unavailable_after(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Return the answer to what ended in an error, if that was because the database is away."""
    reason = why(error)
    return unavailable(request, Away(reason)) if reason else None


def unavailable(request: HttpRequest, gone: Away) -> HttpResponse:
    """Return the answer to what could not be read or written; a text that came with it is given back."""
    complain(gone.reason)
    text = request.POST.get("message", "") if request.POST.get("action", "send") in WRITES else ""
    words = gone.not_stored if text else gone.not_shown if request.method == "GET" else gone.not_done
    if "HX-Request" in request.headers:
        return HttpResponse(notice(words), status=503)
    # Not in the request's context, which would ask the database for the user.
    shown = {"request": request, "reason": gone.reason, "text": text, "wrote": request.method == "POST"}
    page = render_to_string("503.html", shown)
    return HttpResponse(page, status=503, headers={"Retry-After": "5"})
