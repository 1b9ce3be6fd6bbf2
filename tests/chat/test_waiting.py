"""What is said of a run that waits: for its turn, for a worker, or for a server that does not answer any more."""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils import timezone

from chat import store
from chat.models import Conversation, Run
from chat.viewer import Viewer
from chat.words import FOR_A_WORKER, FOR_ITS_TURN, SILENT
from tests.chat.talks import PROCESS, begin_next, end, say, talked


def opened(here: UUID) -> Viewer:
    """A page that was loaded just now."""
    viewer = Viewer(here)
    viewer.resume(Conversation.objects.get(pk=here).revision)
    viewer.catch_up()
    return viewer


def test_stop_and_send_is_offered_only_where_something_is_at_work(alice: User, alice_client: Client) -> None:
    here = talked(alice, "A")
    at_work, waits = say(here, "B"), say(here, "C")
    page = opened(here)
    loaded = alice_client.get(f"/c/{here}/").content.decode()
    assert (FOR_ITS_TURN in loaded, ">Stop and send<" in loaded) == (True, True)
    end(at_work)
    frame = str(page.catch_up())
    loaded = alice_client.get(f"/c/{here}/").content.decode()
    for shown in (frame, loaded):
        assert (FOR_ITS_TURN in shown, ">Take back<" in shown, ">Stop and send<" in shown) == (True, True, False)
    begun = begin_next(here)
    assert begun
    assert begun.run == waits.run
    assert ">Take back<" not in str(page.catch_up())


def test_what_is_next_waits_for_a_worker_and_the_rest_for_its_turn(alice: User, alice_client: Client) -> None:
    here = talked(alice, "A")
    at_work, _, _ = say(here, "B"), say(here, "C"), say(here, "D")
    with override_settings(AGENT_RUNNER="procrastinate"):
        page = opened(here)
        assert FOR_A_WORKER not in alice_client.get(f"/c/{here}/").content.decode()
        end(at_work)
        frame, loaded = str(page.catch_up()), alice_client.get(f"/c/{here}/").content.decode()
    for shown in (frame, loaded):
        assert shown.count(FOR_A_WORKER) == 2  # at the answer, and in the line above the box
        assert shown.count(FOR_ITS_TURN) == 1


def test_that_a_server_does_not_answer_is_said_until_it_does(alice: User, alice_client: Client) -> None:
    here = talked(alice, "A")
    sent = say(here, "B")
    store.renew([sent.run], PROCESS, timezone.now())
    page = opened(here)
    assert page.catch_up() == ""
    Run.objects.filter(pk=sent.run).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert str(page.catch_up()).count(SILENT) == 2
    assert alice_client.get(f"/c/{here}/").content.decode().count(SILENT) == 2
    assert page.catch_up() == ""
    store.renew([sent.run], PROCESS, timezone.now())
    frame = str(page.catch_up())
    assert SILENT not in frame
    assert frame.count("Thinking") == 2
    assert page.catch_up() == ""
