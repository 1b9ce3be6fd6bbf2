"""Runs on pages of their own: the list, one run's trace, and parts of it that are fetched when looked at."""

import hashlib
import uuid
import zlib

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from chat import rows, trace
from chat.access import run_or_404, signed_in, user_of
from chat.history import request_again
from chat.models import Run, Step
from chat.pretty import pretty
from chat.step_fields import long_texts
from chat.views import asked
from chat.words import how_it_ended, state

PAGE = 50


@signed_in
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    found = Run.objects.filter(conversation__owner=user_of(request), copied=False).order_by("-created")
    page = Paginator(found.select_related("conversation", "message"), PAGE).get_page(request.GET.get("page"))
    lines = [
        {"run": run, "figures": trace.figures(run), "state": state(run), "ending": how_it_ended(run)} for run in page
    ]
    return render(request, "chat/runs.html", {"page": page, "lines": lines})


@signed_in
@require_safe
def run(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = run_or_404(user_of(request), pk)
    return render(request, "chat/run.html", {"panel": trace.panel(found, rows.run_steps(found)), "run": found})


@signed_in
@require_safe
def steps(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the steps before a number, to be put above it."""
    found = run_or_404(user_of(request), pk)
    earlier = rows.run_steps(found, asked.number(request, "before"))
    return render(request, "chat/_earlier_steps.html", {"panel": trace.panel(found, earlier)})


@signed_in
@require_safe
def step_field(request: HttpRequest, pk: uuid.UUID, number: int, field: str) -> HttpResponse:
    """Return the whole of what an opened step shows in part."""
    found = run_or_404(user_of(request), pk)
    step = get_object_or_404(Step.objects.select_related("run"), run=found, number=number)
    if field == "request" and step.asks_model:
        return _request(request, step)
    texts = {name.lower(): text for name, text in long_texts(step).items()}
    if field not in texts:
        raise Http404
    payload = getattr(step, "payload", None) if field == "result" else None
    text = zlib.decompress(payload.body).decode() if payload else texts[field]
    return render(request, "chat/_field.html", {"html": pretty(text)})


def _request(request: HttpRequest, step: Step) -> HttpResponse:
    """Make the request again from rows, and say whether it is what was sent."""
    body = request_again(step)
    same = hashlib.sha256(body).hexdigest() == step.input["sha256"]
    html = pretty(body.decode())
    context = {"html": html, "same": same, "sha256": step.input["sha256"], "size": len(body)}
    return render(request, "chat/_request.html", context)
