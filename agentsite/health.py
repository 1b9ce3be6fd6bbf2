"""Tells a load balancer or a supervisor whether this process can be sent work."""

from threading import Event

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

# Set while the process finishes what it has and takes nothing new.
draining = Event()


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    reason = why_not()
    if reason:
        return JsonResponse({"status": "unavailable", "reason": reason}, status=503)
    return JsonResponse({"status": "ok"})


def why_not() -> str:
    """Why no work should be sent here, in a few words; empty when all is well."""
    if draining.is_set():
        return "draining"
    try:
        with connection.cursor() as cursor:
            # A table of ours, because SQLite answers for a database that is gone by making an empty one.
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return "no database"
    return ""
