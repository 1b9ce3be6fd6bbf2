"""What a page says that it has, as orders to its viewer: the same over a socket and without one."""

from functools import partial

from django.contrib.auth.models import User
from django.http import Http404

from chat import branches
from chat.access import run_or_404
from chat.feed import Order
from chat.frames import BadFrame, Resume
from chat.viewer import Viewer


def orders(viewer: Viewer, user: User, frame: Resume) -> list[Order]:
    """Return what brings a viewer to the page's place. Reads. Raises BadFrame for a run that is not this user's."""
    found: list[Order] = []
    if frame.since is not None:
        found.append(partial(viewer.resume, frame.since))
    if frame.run is not None:
        try:
            run = run_or_404(user, frame.run)
        except Http404:
            raise BadFrame("There is no such run.") from None
        follows = run == branches.newest_run(viewer.conversation) if frame.follows is None else frame.follows
        found.append(partial(viewer.look_at, run, frame.run_since, follows=follows, told=frame.follows))
    return found
