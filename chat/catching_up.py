"""What a page says that it has, as orders to its viewer: the same over a socket and without one."""

from collections.abc import Callable
from functools import partial

from chat import branches
from chat.frames import Resume
from chat.models import Run
from chat.viewer import Viewer


def orders(viewer: Viewer, frame: Resume) -> list[Callable[[], None]]:
    """Return what brings a viewer to the page's place. Reads.

    A run that is not here, because it was taken back or never was in this conversation, is followed by the newest.
    """
    found: list[Callable[[], None]] = []
    if frame.since is not None:
        found.append(partial(viewer.resume, frame.since))
    if frame.run is not None:
        run = Run.objects.filter(pk=frame.run, conversation=viewer.conversation).first()
        if run is None:
            found.append(partial(viewer.lose, told=frame.follows))
        else:
            follows = run == branches.newest_run(viewer.conversation) if frame.follows is None else frame.follows
            found.append(partial(viewer.look_at, run, frame.run_since, follows=follows, told=frame.follows))
    return found
