"""The page for a mistake of the site's own: in the reader's colours, and without the user, who may be the mistake."""

from django.http import HttpRequest, HttpResponseServerError
from django.template.loader import render_to_string


def server_error(request: HttpRequest) -> HttpResponseServerError:
    return HttpResponseServerError(render_to_string("500.html", {"request": request}))
