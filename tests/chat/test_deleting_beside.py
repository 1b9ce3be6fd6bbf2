"""Conversations and accounts are deleted while others write there: each write is done, or refused in words."""

import threading
import traceback
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from chat import store
from chat.agent.events import Batch, Ended, LimitReached
from chat.models import Conversation, Message, Run, Step
from chat.store import Refused, Sent, StaleOwner
from chat.transact import once

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE, CONVERSATIONS = 6, 3


def test_whoever_writes_where_something_is_deleted_is_refused_and_nothing_fails(transactional_db: None) -> None:
    people = [User.objects.create_user(f"person{number}").pk for number in range(PEOPLE)]
    begun = [once(partial(begin, one)) for one in people for _ in range(CONVERSATIONS)]
    failures: list[str] = []
    threads = [threading.Thread(target=alone, args=(failures, work, sent)) for sent in begun for work in (write, say)]
    threads += [threading.Thread(target=alone, args=(failures, delete, begun[n], n)) for n in range(0, len(begun), 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    connection.check_constraints()
    kept = Conversation.objects.all()
    for rows in (Message.objects.all(), Run.objects.all()):
        assert not rows.exclude(conversation__in=kept).exists()
    assert not Step.objects.exclude(run__conversation__in=kept).exists()


def begin(person: int) -> Sent:
    return store.start_conversation(person, "Hello", str(uuid4()), "m", "here:1:x", timezone.now())


def alone(failures: list[str], work: Callable[..., None], *about: object) -> None:
    try:
        work(*about)
    except (StaleOwner, Refused):
        pass
    except Exception:
        failures.append(traceback.format_exc())
    finally:
        connection.close()


def write(sent: Sent) -> None:
    """Do as a run does: step after step, and then its end."""
    for number in range(1, 12):
        batch: Batch = (LimitReached(number, timezone.now(), "max_turns"),)
        once(partial(store.apply, sent.run, 1, batch))
    once(lambda: store.apply(sent.run, 1, (Ended(timezone.now(), "done", "done", "Hi."),)))


def say(sent: Sent) -> None:
    owner = Conversation.objects.filter(pk=sent.conversation).values_list("owner", flat=True).first()
    for _ in range(5):
        once(lambda: store.send(sent.conversation, owner or 0, "And?", str(uuid4()), "m", "here:1:x", timezone.now()))
        once(lambda: begin(owner or 0))


def delete(sent: Sent, number: int) -> None:
    now: datetime = timezone.now()
    if number % 4:
        once(lambda: store.delete_conversations([sent.conversation], now))
    else:
        owner = Conversation.objects.filter(pk=sent.conversation).values_list("owner", flat=True).first()
        once(lambda: store.delete_accounts([owner or 0]))
