"""The metrics page, for Prometheus and for staff, and the middleware that counts requests for it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from django_prometheus.middleware import PrometheusAfterMiddleware

from agentsite.metrics_token import is_token
from chat import gauges  # noqa: F401  Importing them is what makes them shown.


@csrf_exempt  # So that a form sent here by a stranger is answered like one sent to a page that is not there.
def metrics(request: HttpRequest) -> HttpResponse:
    if not (is_token(request.headers.get("Authorization", "")) or is_staff(request)):
        raise Http404
    page: HttpResponse = require_safe(ExportToDjangoView)(request)
    return page


def is_staff(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_staff


class CountRequests(PrometheusAfterMiddleware):
    """django-prometheus' counts by view, method and status. It stands outside all that may refuse a request."""

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: str) -> Any:
        """One of its metrics takes the method as it was sent: anybody could make up as many as memory holds."""
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)
