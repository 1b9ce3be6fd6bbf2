"""Who may see what: this user's object or 404, and whose session a cookie is. Every door comes through here."""

import uuid
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.crypto import constant_time_compare
from django_htmx.http import HttpResponseClientRedirect

from chat.models import Conversation, Fact, Run

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def conversation_or_404(user: User, pk: uuid.UUID) -> Conversation:
    return get_object_or_404(Conversation, pk=pk, owner=user)


def run_or_404(user: User, pk: uuid.UUID) -> Run:
    return get_object_or_404(Run.objects.select_related("conversation"), pk=pk, conversation__owner=user)


def fact_or_404(user: User, pk: int) -> Fact:
    return get_object_or_404(Fact, pk=pk, owner=user)


def session_user(session_key: str) -> User | None:
    """Return the active user whose session this is, now; None once it expired or ended, or the password changed.

    It decides as django.contrib.auth.get_user does, and takes at most two queries, but changes nothing: a socket
    cannot set a cookie, so an old session must not get a new key here.
    """
    if not session_key.isprintable():  # PostgreSQL refuses NUL
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key).load()
    backend = session.get(BACKEND_SESSION_KEY)
    if SESSION_KEY not in session or backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = load_backend(backend).get_user(User._meta.pk.to_python(session[SESSION_KEY]))
    return user if isinstance(user, User) and _is_current(user, session.get(HASH_SESSION_KEY, "")) else None


def allowed_in(session_key: str, conversation: uuid.UUID) -> tuple[User, Conversation] | None:
    """Return whose session this is, and a conversation of theirs; None where nobody is signed in. Raises Http404."""
    user = session_user(session_key)
    return (user, conversation_or_404(user, conversation)) if user else None


def _is_current(user: User, signed: str) -> bool:
    """Say whether a session was begun with the user's present password, under a key that is still accepted."""
    accepted = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(signed, known) for known in accepted)


def signed_in(view: View[P]) -> View[P]:
    """Decorate a view that only answers to somebody who is signed in; everybody else is sent to the sign-in page.

    Where htmx asks for a part of a page, the browser is told to leave the page, instead of being given a sign-in form
    in the part's place.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if "HX-Request" not in request.headers:
            return redirect_to_login(request.get_full_path())
        return HttpResponseClientRedirect(redirect_to_login(_page_of(request)).url)

    return guarded


def _page_of(request: HttpRequest) -> str:
    """Return the path of the page on which htmx asks for a part."""
    try:
        return urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
    except ValueError:  # no browser writes such an address
        return "/"


def user_of(request: HttpRequest) -> User:
    """Return who is signed in, in a view that asks for that."""
    if not isinstance(request.user, User):
        raise TypeError("This view does not ask for a sign-in.")
    return request.user
