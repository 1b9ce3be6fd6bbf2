"""Migrations of releases: old code works beside the new schema, so they only add; and what the schema itself holds."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from chat import store
from chat.models import Run
from tests.chat.made import NOW, conversation_of, run_in

SINCE = 8  # what came before was the first release
ADDING = (migrations.CreateModel, migrations.AddIndex, migrations.AddConstraint)
# By name, those that fill what was added, or take away what no release uses any more.
EXCEPTIONS: dict[str, int] = {}


def only_adds(operation: Operation) -> bool:
    if isinstance(operation, migrations.AddField):
        field = operation.field
        filled = field.null or field.has_db_default() or isinstance(field, models.ManyToManyField)
        return bool(filled)
    return isinstance(operation, ADDING)


def test_every_migration_of_a_release_only_adds() -> None:
    found = MigrationLoader(None).disk_migrations
    later = {name: found[app, name] for app, name in found if app == "chat" and int(name[:4]) >= SINCE}
    assert later
    for name, migration in later.items():
        others = [operation for operation in migration.operations if not only_adds(operation)]
        assert len(others) == EXCEPTIONS.get(name, 0), [operation.describe() for operation in others]


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("run", "ahead"),
        migrations.AlterField("run", "doing", models.TextField()),
        migrations.AddField("run", "more", models.IntegerField(default=0)),
        migrations.RunSQL("DROP TABLE chat_run"),
    ],
)
def test_what_old_code_could_not_work_with_is_noticed(operation: Operation) -> None:
    assert not only_adds(operation)


def test_one_run_at_a_time_is_at_work_in_a_conversation(alice: User) -> None:
    sent = store.start_conversation(alice.pk, "Hello", str(uuid4()), "m", "here:1:x", NOW)
    waits = store.send(sent.conversation, alice.pk, "And?", str(uuid4()), "m", "here:1:x", NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=waits.run).update(status="running")
    other = run_in(conversation_of(alice))
    Run.objects.filter(pk=other.pk).update(status="running", stop_reason="")


ENDS = [("running", "done"), ("queued", "stopped"), ("done", ""), ("failed", "")]


@pytest.mark.parametrize(("status", "reason"), ENDS)
def test_a_run_has_a_reason_to_be_over_if_and_only_if_it_is_over(alice: User, status: str, reason: str) -> None:
    run = run_in(conversation_of(alice))
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(status=status, stop_reason=reason)
