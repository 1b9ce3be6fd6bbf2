"""What a page is missing, for one whose connection lets no websockets through: it asks every few seconds."""

import uuid

from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from chat import render
from chat.access import conversation_or_404, signed_in, user_of
from chat.catching_up import orders
from chat.db import read
from chat.frames import BadFrame, Resume, check
from chat.viewer import Viewer


@signed_in
@require_GET
def frames(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the frame that a socket would send to a page that has what the query says: fields as of `resume`."""
    found = conversation_or_404(user_of(request), pk)
    try:
        frame = check({**request.GET.dict(), "action": "resume"})
        assert isinstance(frame, Resume)  # noqa: S101  By its action.
        return HttpResponse(async_to_sync(_newer)(user_of(request), found.pk, frame))
    except BadFrame as refusal:
        return HttpResponse(render.notice(str(refusal)), status=422)


async def _newer(user: User, conversation: uuid.UUID, frame: Resume) -> SafeString:
    viewer = Viewer(conversation)
    for order in await orders(viewer, user, frame):
        order()
    stored = await read(viewer.catch_up)
    return render.joined([stored or SafeString(""), viewer.stream()])
