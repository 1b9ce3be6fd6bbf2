"""The headers that every answer carries, whoever wrote it: what a page may load, and who may keep it."""

from django.http import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from agentsite.around import Get, GetLater, around

# Today's browsers read connect-src 'self' as covering websockets to the page's own host and port.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


@sync_and_async_middleware
def page_headers(get_response: Get | GetLater) -> Get | GetLater:
    """Middleware. It stands first, so that it also sees refusals and static files."""
    return around(get_response, after=_with_headers)


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
    # Kept by the one browser, and asked for again each time: after signing out nothing old is shown.
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
