"""What a person may use: counted from the rows, the same for requests at once, and seen before it runs out."""

import asyncio
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chat import allowances, rows, store
from chat.allowances import limits_of, standing, warning
from chat.db import write
from chat.models import LIVE, Allowance, Conversation, Message, Run, SpentRun
from chat.store import Refused, Sent
from chat.viewer import Viewer
from tests import databases
from tests.chat.made import conversation_of, run_in
from tests.serving import ROOT, site_environment

NOW = timezone.now()
MINUTE = timedelta(minutes=1)


def default(**limits: Any) -> Allowance:
    return Allowance.objects.create(**limits)


def used_by(owner: User, ago: timedelta = MINUTE, conversation: Conversation | None = None, **values: Any) -> Run:
    """A run of 1,234 tokens and $0.0021, unless `values` say otherwise."""
    run = run_in(conversation or conversation_of(owner), steps=0)
    Message.objects.filter(pk=run.answer_id).update(created=NOW - ago)
    Run.objects.filter(pk=run.pk).update(created=NOW - ago, **values)
    return run


def say(owner: User, client_id: str = "", conversation: Conversation | None = None, at: datetime = NOW) -> Sent:
    client_id = client_id or uuid.uuid4().hex
    if conversation is None:
        return store.start_conversation(owner.pk, "Hello", client_id, "demo", "nobody", at)
    return store.send(conversation.pk, owner.pk, "Hello", client_id, "demo", "nobody", at)


def figures(owner: User) -> dict[str, str]:
    return {limit.kind: limit.figures for limit in standing(owner.pk, NOW).limits}


# What is counted


def test_without_limits_everything_is_counted_and_nothing_refused(alice: User) -> None:
    used_by(alice)
    used_by(alice, status="running", stop_reason="", input_tokens=6, output_tokens=None, cost=None)
    say(alice)

    assert figures(alice) == {
        "live_runs": "2, no limit",
        "runs_an_hour": "3, no limit",
        "tokens_a_day": "1,240, no limit",
        "cost_a_day": "$0.0021, no limit",
    }


def test_an_hour_and_a_day_are_the_last_ones(alice: User) -> None:
    for ago in (timedelta(minutes=59), timedelta(minutes=61), timedelta(hours=23, minutes=59), timedelta(hours=25)):
        used_by(alice, ago)

    used = {limit.kind: limit.used for limit in standing(alice.pk, NOW).limits}
    assert (used["runs_an_hour"], used["tokens_a_day"], used["cost_a_day"]) == (1, 3 * 1234, 3 * Decimal("0.0021"))


def test_a_run_that_is_live_for_longer_than_a_day_is_still_live(alice: User) -> None:
    used_by(alice, timedelta(days=3), status="waiting", stop_reason="")

    assert figures(alice)["live_runs"] == "1, no limit"


def test_what_others_use_is_not_counted(alice: User, bob: User) -> None:
    default(live_runs=1, runs_an_hour=1, tokens_a_day=1)
    used_by(bob, status="running", stop_reason="")

    say(alice)


def test_a_limit_of_ones_own_replaces_the_default_and_an_empty_one_does_not(alice: User, bob: User) -> None:
    default(live_runs=2, runs_an_hour=20, cost_a_day=Decimal(1))
    Allowance.objects.create(user=alice, live_runs=5, runs_an_hour=0)

    assert limits_of(alice.pk) == {"live_runs": 5, "runs_an_hour": 0, "tokens_a_day": None, "cost_a_day": Decimal(1)}
    assert limits_of(bob.pk) == {"live_runs": 2, "runs_an_hour": 20, "tokens_a_day": None, "cost_a_day": Decimal(1)}


def test_there_is_one_default(db: None) -> None:
    default(live_runs=1)

    with pytest.raises(ValidationError, match="There is a default already"):
        Allowance(live_runs=2).full_clean()


def test_it_takes_as_many_queries_for_many_runs_as_for_none(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):
        standing(alice.pk, NOW)
    conversation = conversation_of(alice)
    for _ in range(20):
        used_by(alice, conversation=conversation)
    with django_assert_num_queries(4):
        assert figures(alice)["runs_an_hour"] == "20, no limit"
    with django_assert_num_queries(1):
        warning(alice.pk, NOW)


def test_no_query_goes_through_all_that_there_ever_was(alice: User) -> None:
    """Those of the limits, and those that every process asks every second or two."""
    conversation = conversation_of(alice)
    for ask, indexes in (
        (lambda: allowances.live_runs(alice.pk), ["run_lease"]),
        (lambda: list(allowances.runs_since(alice.pk, NOW)), ["message_owner"]),
        (lambda: rows.runs_of("nobody"), ["run_lease"]),
        (rows.only_queued, ["run_lease"]),
        (lambda: rows.only_queued(conversation.pk), ["run_conversation", "run_lease", "run_at_work"]),
        (store.busy, ["run_lease", "run_at_work"]),
        (lambda: store.busy(conversation.pk), ["run_conversation", "run_lease", "run_at_work"]),
    ):
        plans = plans_of(ask)
        assert plans
        for plan in plans:
            assert any(index in plan for index in indexes), plan
            assert not re.search(r"Seq Scan|SCAN (?!(chat_)?run USING INDEX run_lease)", plan), plan


def test_who_works_on_what_is_asked_without_what_was_said(alice: User) -> None:
    say(alice)
    with CaptureQueriesContext(connection) as asked:
        store.busy()
        rows.runs_of("nobody")
        rows.only_queued()
    assert len(asked) == 3
    for query in asked:
        assert '"request"' not in query["sql"]


def plans_of(ask: Callable[[], object]) -> list[str]:
    """How the database does what is asked, a text for each statement."""
    sqlite = connection.vendor == "sqlite"
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        with connection.cursor() as cursor:
            how = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
            plan = cursor.cursor.execute(f"{how} {sql}".replace("%%", "%") if sqlite else f"{how} {sql}", params)
            plans.append("\n".join(row[-1] for row in plan.fetchall()))
        return execute(sql, params, many, context)

    if not sqlite:  # of tables as small as these it would read everything
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    with connection.execute_wrapper(explain):
        ask()
    return plans


# What is refused


def refusal(owner: User, **kwargs: Any) -> str:
    with pytest.raises(Refused) as refused:
        say(owner, **kwargs)
    return str(refused.value)


def test_too_many_runs_at_the_same_time_are_refused_and_nothing_is_written(alice: User) -> None:
    default(live_runs=2)
    conversation = conversation_of(alice)
    say(alice, conversation=conversation)
    say(alice, conversation=conversation)  # it waits, and is live too
    before = (Message.objects.count(), Conversation.objects.get(pk=conversation.pk).revision)

    words = "You may have 2 runs at the same time, and 2 are not over yet. Wait for one to end, or stop one."
    assert refusal(alice) == refusal(alice, conversation=conversation) == words
    assert (Message.objects.count(), Conversation.objects.get(pk=conversation.pk).revision) == before


def test_a_resend_of_what_is_stored_is_not_refused(alice: User) -> None:
    default(live_runs=1)
    sent = say(alice, "one")

    again = say(alice, "one")

    assert (again.message, again.fresh) == (sent.message, False)


def test_runs_an_hour_say_when_the_next_may_begin(alice: User) -> None:
    default(runs_an_hour=2)
    for minutes in (50, 40, 30):
        used_by(alice, timedelta(minutes=minutes))

    words = refusal(alice)
    assert words == "You may start 2 runs an hour, and started 3 in the last hour. You can go on in 20 minutes."
    say(alice, at=NOW + timedelta(minutes=20))


def test_tokens_say_when_enough_are_free_again(alice: User) -> None:
    default(tokens_a_day=1000)
    used_by(alice, timedelta(hours=20), input_tokens=100, output_tokens=0)
    used_by(alice, timedelta(hours=10), input_tokens=900, output_tokens=100)

    words = refusal(alice)
    assert words == "You may use 1,000 tokens a day, and used 1,100 in the last 24 hours. You can go on in 14 hours."
    assert refusal(alice, at=NOW + timedelta(hours=5)).endswith("You can go on in 9 hours.")
    say(alice, at=NOW + timedelta(hours=14))


def test_cost_says_what_was_spent(alice: User) -> None:
    default(cost_a_day=Decimal("0.5"))
    used_by(alice, timedelta(hours=23), cost=Decimal("0.75"))

    words = refusal(alice)
    assert words == "You may spend $0.5000 a day, and spent $0.7500 in the last 24 hours. You can go on in 60 minutes."


def test_where_nothing_is_allowed_only_an_administrator_helps(alice: User) -> None:
    default(tokens_a_day=0)

    assert refusal(alice).endswith("Only an administrator can change that.")


def test_deleting_conversations_gives_nothing_back(alice: User) -> None:
    default(runs_an_hour=3, tokens_a_day=1000)
    SpentRun.objects.create(user=alice, at=NOW - timedelta(hours=25), tokens=7, cost=0)
    for ago in (timedelta(hours=3), timedelta(days=2)):
        used_by(alice, ago)
    before = figures(alice)

    for conversation in Conversation.objects.all():
        store.delete_conversations([conversation.pk], NOW)

    assert figures(alice) == before
    assert SpentRun.objects.count() == 1  # what is older than a day is not kept
    assert refusal(alice).endswith("You can go on in 21 hours.")


# They hold for requests that come at once, and across restarts


@pytest.mark.django_db(transaction=True)
async def test_twenty_sends_at_once_leave_as_many_live_runs_as_are_allowed(transactional_db: None) -> None:
    alice = await write(User.objects.create_user, "alice")
    await write(default, live_runs=3)

    answers = await asyncio.gather(*(write(say, alice) for _ in range(20)), return_exceptions=True)

    assert sum(isinstance(answer, Sent) for answer in answers) == 3
    assert sum(isinstance(answer, Refused) for answer in answers) == 17
    assert await write(lambda: Run.objects.filter(status__in=LIVE).count()) == 3
    assert await write(Conversation.objects.count) == 3


ANOTHER_PROCESS = """
from django.contrib.auth.models import User
from django.utils import timezone
from chat import store
from chat.transact import once
for name in "alice", "bob":
    try:
        pk = User.objects.get(username=name).pk
        once(lambda: store.start_conversation(pk, "Hello", name, "demo", "x", timezone.now()))
        print("sent")
    except store.Refused as refusal:
        print(refusal)
"""
SET_UP = """
from django.contrib.auth.models import User
from chat.models import Allowance
Allowance.objects.create(runs_an_hour=1)
User.objects.create_user("bob")
alice = User.objects.create_user("alice")
"""


@pytest.fixture
def another_process(tmp_path: Path) -> Callable[..., list[str]]:
    def run(*arguments: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=site_environment(tmp_path), capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout.splitlines()

    databases.make(tmp_path)
    run("migrate", "--verbosity=0")
    run("shell", "--no-imports", "-c", SET_UP)
    return run


def test_another_process_goes_on_with_the_same_count(another_process: Callable[..., list[str]]) -> None:
    first = another_process("shell", "--no-imports", "-c", ANOTHER_PROCESS.replace('"alice", "bob"', '"alice",'))
    second = another_process("shell", "--no-imports", "-c", ANOTHER_PROCESS.replace('name, "demo"', '"2", "demo"'))

    assert first == ["sent"]
    assert second[0].startswith("You may start 1 run an hour, and started 1 in the last hour.")
    assert second[1] == "sent"


# What is left is seen before it runs out


def test_a_line_says_what_is_left_once_a_fifth_is(alice: User) -> None:
    default(tokens_a_day=50_000, runs_an_hour=20)
    run = used_by(alice, input_tokens=39_000, output_tokens=999)
    assert warning(alice.pk, NOW) == ""

    Run.objects.filter(pk=run.pk).update(input_tokens=47_801)
    assert warning(alice.pk, NOW) == "1,200 of 50,000 tokens left today"

    Allowance.objects.update(cost_a_day=Decimal("0.0021"))
    assert warning(alice.pk, NOW) == "$0.0000 of $0.0021 left today"


def test_the_settings_page_lists_ones_own_limits(
    alice: User, alice_client: Client, bob_client: Client, client: Client
) -> None:
    default(runs_an_hour=20)
    Allowance.objects.create(user=alice, tokens_a_day=1000)
    used_by(alice)

    def listed(asks: Client) -> list[str]:
        page = asks.get("/settings/").content.decode()
        section = page.split('aria-label="Limits"')[1].split("</ul>")[0]
        return re.findall(r'<span class="num[^>]*>([^<]+)<', section)

    assert listed(alice_client) == ["0, no limit", "1 of 20", "1,234 of 1,000", "$0.0021, no limit"]
    assert listed(bob_client) == ["0, no limit", "0 of 20", "0, no limit", "$0.0000, no limit"]
    assert client.get("/settings/").status_code == 302


def test_the_chat_page_and_its_socket_say_what_is_left(alice: User, alice_client: Client, bob_client: Client) -> None:
    conversation = conversation_of(alice)
    used_by(alice, conversation=conversation)
    line = "266 of 1,500 tokens left today"
    for path in ("/", f"/c/{conversation.pk}/"):
        assert '<p class="allowance" id="allowance"></p>' in alice_client.get(path).content.decode()
    default(tokens_a_day=1500)

    for path in ("/", f"/c/{conversation.pk}/"):
        assert f'<p class="allowance" id="allowance">{line}</p>' in alice_client.get(path).content.decode()
    assert line not in bob_client.get("/").content.decode()
    viewer = Viewer(conversation.pk)
    viewer.resume(0)
    assert f'<div hx-swap-oob="innerHTML:#allowance">{line}</div>' in str(viewer.catch_up())


@pytest.mark.django_db(transaction=True)
def test_a_refusal_keeps_what_was_written(alice: User, alice_client: Client) -> None:
    default(live_runs=0)

    response = alice_client.post("/c/", {"message": "What is it?", "client_id": "1"})

    page = response.content.decode()
    assert response.status_code == 422
    assert "You may have 0 runs at the same time" in page
    assert "What is it?</textarea>" in page


# Set in admin


LIMITS = {"live_runs": "3", "runs_an_hour": "", "tokens_a_day": "50000", "cost_a_day": "2.5"}


def test_staff_sets_the_default_once(staff_client: Client, alice_client: Client) -> None:
    add = "/admin/chat/allowance/add/"
    assert staff_client.post(add, {"user": "", **LIMITS}).status_code == 302
    assert "There is a default already" in staff_client.post(add, {"user": "", **LIMITS}).content.decode()

    allowance = Allowance.objects.get()
    assert (allowance.live_runs, allowance.runs_an_hour, allowance.cost_a_day) == (3, None, Decimal("2.5"))
    assert "Default" in staff_client.get("/admin/chat/allowance/").content.decode()
    assert alice_client.get("/admin/chat/allowance/").status_code == 302


def test_staff_sets_a_persons_limits_on_their_page(alice: User, staff_client: Client) -> None:
    path = f"/admin/auth/user/{alice.pk}/change/"
    page = staff_client.get(path).content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(allowance-[^"]+)" value="([^"]*)"', page))
    person = {"username": "alice", "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    limits = {f"allowance-0-{name}": value for name, value in LIMITS.items()}

    assert staff_client.post(path, {**person, **fields, **limits}).status_code == 302

    assert limits_of(alice.pk) == {
        "live_runs": 3, "runs_an_hour": None, "tokens_a_day": 50000, "cost_a_day": Decimal("2.5"),
    }  # fmt: skip
    assert "allowance-TOTAL" not in staff_client.get("/admin/auth/user/add/").content.decode()
