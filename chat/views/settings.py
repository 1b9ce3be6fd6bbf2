"""The settings page: what is remembered of a person, and how the site looks to them.

Each list answers htmx with itself, newly drawn, and a plain form with the whole page or a redirect to it.
"""

from dataclasses import dataclass

from django.conf import settings as site
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat import allowances, preferences
from chat.access import fact_or_404, signed_in, user_of
from chat.forms import FactForm, PreferenceForm, ThemeForm
from chat.models import Fact, FactKind

FORMS = {FactKind.FACT: FactForm, FactKind.PREFERENCE: PreferenceForm}
A_YEAR = 365 * 24 * 60 * 60


@dataclass(slots=True)
class FactList:
    """One of the two lists. `edited` is the form of the entry that is being changed, if there is one.

    `focus` is the entry whose button gets the focus next, and `said` is what a screen reader is told.
    """

    kind: FactKind
    entries: list[Fact]
    form: FactForm
    edited: FactForm | None = None
    focus: int | None = None
    said: str = ""

    @property
    def url(self) -> str:
        return reverse(f"chat:{self.id}")

    @property
    def id(self) -> str:
        return f"{self.kind}s"

    @property
    def title(self) -> str:
        return self.id.capitalize()


@signed_in
@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    return _page(request)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, kind: FactKind) -> HttpResponse:
    """Add an entry to one of the lists."""
    if request.method != "POST":
        return redirect("chat:settings")
    form = FORMS[kind](user_of(request), request.POST)
    if form.is_valid() and form.write():
        return _done(request, kind, f"{kind.label} added")
    return _answer(request, _remembered(user_of(request), kind, form=form))


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an entry as a form, and take its change."""
    fact = fact_or_404(user_of(request), pk)
    kind = FactKind(fact.kind)
    form = FORMS[kind](user_of(request), request.POST if request.method == "POST" else None, fact)
    if request.method == "POST" and form.is_valid() and form.write():
        return _done(request, kind, "Saved", focus=pk)
    return _answer(request, _remembered(user_of(request), kind, edited=form))


@signed_in
@require_safe
def shown(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an entry as it is, after its change was called off."""
    fact = fact_or_404(user_of(request), pk)
    return _done(request, FactKind(fact.kind), focus=pk)


@signed_in
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    fact = fact_or_404(user_of(request), pk)
    fact.delete()
    kind = FactKind(fact.kind)
    return _done(request, kind, f"{kind.label} deleted")


@signed_in
@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    """Keep light or dark in a cookie, which the page's frame reads; without one the system's choice holds."""
    response = redirect(f"{reverse('chat:settings')}#appearance")
    form = ThemeForm(request.POST)
    theme = form.cleaned_data["theme"] if form.is_valid() else ""
    if theme == "system":
        response.delete_cookie("theme", samesite="Lax")
    elif theme:
        response.set_cookie(
            "theme", theme, max_age=A_YEAR, samesite="Lax", httponly=True, secure=site.SESSION_COOKIE_SECURE
        )
    return response


def _done(request: HttpRequest, kind: FactKind, said: str = "", focus: int | None = None) -> HttpResponse:
    if "HX-Request" not in request.headers:
        return redirect(f"{reverse('chat:settings')}#{kind}s")
    remembered = _remembered(user_of(request), kind)
    remembered.focus, remembered.said = focus, said
    if focus is None:
        _take_focus(remembered.form)
    return _answer(request, remembered)


def _answer(request: HttpRequest, remembered: FactList) -> HttpResponse:
    if "HX-Request" in request.headers:
        return render(request, "chat/_facts.html", {"remembered": remembered})
    return _page(request, remembered)


def _page(request: HttpRequest, changed: FactList | None = None) -> HttpResponse:
    """Return the whole page, with one of the lists as it is given."""
    lists = [changed if changed and changed.kind == kind else _remembered(user_of(request), kind) for kind in FORMS]
    theme = request.COOKIES.get("theme")
    context = {
        "lists": lists,
        "limits": allowances.standing(user_of(request).pk, timezone.now()).limits,
        "known_preferences": preferences.KNOWN,
        "themes": ThemeForm.THEMES.items(),
        "theme": theme if theme in ("light", "dark") else "system",
    }
    return render(request, "chat/settings.html", context)


def _remembered(user: User, kind: FactKind, form: FactForm | None = None, edited: FactForm | None = None) -> FactList:
    entries = Fact.objects.filter(owner=user, kind=kind).select_related("message__conversation").order_by("pk")
    light = entries.defer("message__text", "message__conversation__instructions")
    if edited:
        _take_focus(edited)
    return FactList(kind, list(light), form or FORMS[kind](user), edited)


def _take_focus(form: FactForm) -> None:
    """Give the focus to the form's first field once the form is shown."""
    next(iter(form.fields.values())).widget.attrs["autofocus"] = True
