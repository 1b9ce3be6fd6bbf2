"""What a page is missing, for one whose connection lets no websockets through: it asks every few seconds."""

import uuid

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from chat import render
from chat.access import conversation_or_404, signed_in, user_of
from chat.catching_up import orders
from chat.frames import BadFrame, Resume, check
from chat.viewer import Viewer


@signed_in
@require_safe
def frames(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Return what a socket would send to a page that has what the query says, in the fields of `resume`."""
    viewer = Viewer(conversation_or_404(user_of(request), pk).pk)
    viewer.resume(0)  # who says nothing has nothing
    try:
        frame = check({**request.GET.dict(), "action": "resume"})
        assert isinstance(frame, Resume)  # noqa: S101  By its action.
        for order in orders(viewer, frame):
            order()
    except BadFrame as refusal:
        return HttpResponse(render.notice(str(refusal)), status=422)
    stored = viewer.catch_up() or SafeString("")
    return HttpResponse(render.joined([stored, async_to_sync(_said)(viewer)]))


async def _said(viewer: Viewer) -> SafeString:
    """What live runs are saying, on the loop of those who add to it."""
    return viewer.stream()
