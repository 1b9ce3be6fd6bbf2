"""The admin: history is read and not changed, facts are corrected, and a long list costs what a short one does."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from chat.admin.history import pretty
from chat.admin.runs import SHOWN_STEPS
from chat.facts import FULL, KNOWN, MAX_FACTS
from chat.models import Conversation, Fact, FactKind, Message, Run, Step, ToolCall
from tests.chat.made import conversation_of, message_in, run_in, step_of
from tests.chat.talks import edit, end, go_on, talked

HOSTILE = "<script>alert(1)</script>"
HISTORY = ("message", "run", "step", "toolcall")
LISTS = (*HISTORY, "conversation", "fact")


@pytest.fixture
def run(alice: User) -> Run:
    return run_in(conversation_of(alice))


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response
    return response.content.decode()


def change_page(row: Any) -> str:
    return f"/admin/chat/{row._meta.model_name}/{row.pk}/change/"


def history_of(run: Run) -> list[Any]:
    return [run.message, run, run.steps.order_by("number")[0], ToolCall.objects.filter(run=run)[0]]


@pytest.mark.parametrize("name", LISTS)
def test_only_staff_come_in(client: Client, alice_client: Client, run: Run, name: str) -> None:
    for visitor in (client, alice_client):
        response = visitor.get(f"/admin/chat/{name}/")
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["", "?q=london", "?q=00000000-0000-0000-0000-000000000000", "?q=%00", "?o=-1"])
def test_every_list_can_be_read_and_searched(staff_client: Client, run: Run, name: str, query: str) -> None:
    Fact.objects.create(owner=run.conversation.owner, text="Lives in Berlin", message=run.message)

    read(staff_client, f"/admin/chat/{name}/{query}")


def test_the_list_of_runs_has_their_figures(staff_client: Client, run: Run) -> None:
    page = read(staff_client, "/admin/chat/run/")

    for shown in ("alice", "A trip", "Done", "demo", "1,234", "$0.0021", "3.00 s"):
        assert shown in page


def test_a_run_is_found_by_its_id_and_its_status(staff_client: Client, run: Run) -> None:
    failed = run_in(run.conversation)
    Run.objects.filter(pk=failed.pk).update(status="failed", stop_reason="rate_limited")

    assert str(run) not in read(staff_client, "/admin/chat/run/?status=failed")
    assert "Failed: Rate Limited" in read(staff_client, "/admin/chat/run/?status=failed")
    assert str(failed) not in read(staff_client, f"/admin/chat/run/?q={run.pk}")
    assert str(run) in read(staff_client, f"/admin/chat/run/?q={run.pk}")


def test_a_runs_page_shows_its_steps_in_order_with_readable_json(staff_client: Client, run: Run) -> None:
    step_of(run, 4, name="calculate", kind="tool", output={"text": "naïve"}, error="division by zero", status="error")

    page = read(staff_client, change_page(run))

    shown = re.findall(r"/admin/chat/step/\d+/change/\" dir=\"auto\">([^<]+)<", page)
    assert shown == ["1. memory", "2. demo", "3. get_weather", "4. calculate"]
    assert "division by zero" in page
    assert "{\n  &quot;text&quot;: &quot;naïve&quot;\n}" in page
    assert page.count("<details><summary>Input</summary>") == 4


def test_of_very_many_steps_the_first_are_shown_with_a_way_to_the_rest(staff_client: Client, run: Run) -> None:
    for number in range(4, SHOWN_STEPS + 2):
        step_of(run, number)

    page = read(staff_client, change_page(run))
    rest = f"/admin/chat/step/?run__id__exact={run.pk}"

    assert f'href="{rest}"' in page
    assert len(re.findall(r"/admin/chat/step/\d+/change/", page)) == SHOWN_STEPS
    assert f"{SHOWN_STEPS + 1} steps" in read(staff_client, rest)


def test_run_and_conversation_lead_to_each_other(staff_client: Client, run: Run) -> None:
    assert change_page(run.conversation) in read(staff_client, change_page(run))
    assert change_page(run) in read(staff_client, change_page(run.conversation))
    assert change_page(run) in read(staff_client, change_page(run.answer))
    assert change_page(run) in read(staff_client, change_page(run.steps.all()[0]))


def test_branches_and_what_goes_on_from_what_can_be_followed(alice: User, staff_client: Client) -> None:
    here = talked(alice, "A", "B")
    asked = Message.objects.get(text="B")
    stopped = Run.objects.get(message=asked)
    Run.objects.filter(pk=stopped.pk).update(status="stopped", stop_reason="stopped")
    end(go_on(here, stopped.answer_id))
    after = Run.objects.get(continues=stopped)
    end(edit(here, asked.pk, "B2"))

    page = read(staff_client, f"/admin/chat/conversation/{here}/change/")
    assert re.findall(r"<td class=\"branch\">(\d of \d)?(?: <span>(not shown)</span>)?</td>", page) == [
        ("", ""), ("", ""), ("1 of 2", "not shown"), ("", "not shown"), ("", "not shown"), ("2 of 2", ""), ("", ""),
    ]  # fmt: skip
    assert change_page(stopped) in read(staff_client, change_page(after))
    assert change_page(after) in read(staff_client, change_page(stopped))
    assert change_page(stopped.answer) in read(staff_client, change_page(stopped))
    assert change_page(Message.objects.get(text="B2")) in read(staff_client, change_page(asked))
    assert change_page(Message.objects.get(text="A!")) in read(staff_client, change_page(asked))


def test_the_public_pages_are_linked_where_they_can_be_opened(staff: User, staff_client: Client, run: Run) -> None:
    own = run_in(conversation_of(staff))

    assert f'href="/runs/{own.pk}/"' in read(staff_client, change_page(own))
    assert f'href="/c/{own.conversation_id}/"' in read(staff_client, change_page(own.conversation))
    assert f"/runs/{run.pk}/" not in read(staff_client, change_page(run))


def test_hostile_text_is_shown_as_text(alice: User, staff_client: Client) -> None:
    run = run_in(conversation_of(alice, HOSTILE), HOSTILE, HOSTILE)
    bad = {"name": HOSTILE, "error": HOSTILE, "input": {HOSTILE: HOSTILE}, "output": {"text": HOSTILE}}
    Step.objects.filter(run=run).update(**bad)
    Run.objects.update(error=HOSTILE, model=HOSTILE, tools={HOSTILE: 1}, request={"system": HOSTILE})
    fact = Fact.objects.create(owner=alice, text=HOSTILE, message=run.message)

    pages = [f"/admin/chat/{name}/" for name in LISTS]
    pages += [change_page(row) for row in (*history_of(run), run.conversation, fact)]
    pages += [f"/admin/chat/conversation/{run.conversation_id}/delete/"]

    for page in pages:
        text = read(staff_client, page)
        assert HOSTILE not in text
        assert "&lt;script&gt;" in text


def test_no_page_asks_for_inline_code(staff_client: Client, run: Run) -> None:
    pages = [f"/admin/chat/{name}/" for name in LISTS] + [
        change_page(row) for row in (*history_of(run), run.conversation)
    ]

    for page in (*pages, "/admin/", "/admin/chat/fact/add/"):
        text = read(staff_client, page)
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", text), page
        assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))|<style", text), page


@pytest.mark.parametrize("name", LISTS)
def test_a_long_list_takes_no_more_queries_than_a_short_one(
    alice: User, staff_client: Client, run: Run, name: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        other = run_in(conversation_of(alice, f"Trip {number}"))
        Fact.objects.create(owner=alice, text=f"Fact {number}", message=other.message)

    with django_assert_max_num_queries(9):
        read(staff_client, f"/admin/chat/{name}/")


def test_a_runs_page_takes_few_queries_however_many_steps_it_has(
    staff_client: Client, run: Run, django_assert_max_num_queries: Any
) -> None:
    for number in range(4, 40):
        step_of(run, number)

    with django_assert_max_num_queries(10):
        read(staff_client, change_page(run))
    with django_assert_max_num_queries(10):
        read(staff_client, change_page(run.conversation))


def test_history_is_not_added_changed_or_deleted_even_by_a_superuser(staff_client: Client, run: Run) -> None:
    for row in history_of(run):
        page, add = change_page(row), f"/admin/chat/{row._meta.model_name}/add/"
        delete = page.replace("/change/", "/delete/")
        assert staff_client.get(add).status_code == 403
        assert staff_client.post(add, {"text": "x"}).status_code == 403
        assert staff_client.post(page, {"text": "x", "name": "x", "status": "done"}).status_code == 403
        assert staff_client.post(delete, {"post": "yes"}).status_code == 403
        many = {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"}
        staff_client.post(f"/admin/chat/{row._meta.model_name}/", many)

    assert (Message.objects.count(), Run.objects.count(), Step.objects.count()) == (2, 1, 3)
    assert not Step.objects.filter(name="x").exists()


def test_a_conversation_is_not_changed(staff_client: Client, run: Run) -> None:
    page = change_page(run.conversation)

    assert staff_client.post(page, {"title": "x"}).status_code == 403
    assert staff_client.get("/admin/chat/conversation/add/").status_code == 403
    assert 'name="title"' not in read(staff_client, page)


@pytest.mark.parametrize("many", [False, True])
def test_a_superuser_deletes_a_conversation_with_all_of_it(staff_client: Client, run: Run, many: bool) -> None:
    page = change_page(run.conversation).replace("/change/", "/delete/")
    assert "Steps: 3" in read(staff_client, page)

    if many:
        fields = {"action": "delete_selected", "_selected_action": str(run.conversation_id), "post": "yes"}
        staff_client.post("/admin/chat/conversation/", fields)
    else:
        staff_client.post(page, {"post": "yes"})

    assert not Conversation.objects.exists()
    assert not Step.objects.exists()


def test_staff_who_are_no_superusers_read_and_do_not_delete(alice: User, run: Run) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(content_type__app_label="chat"))
    client = Client()
    client.force_login(reader)

    read(client, change_page(run.conversation))

    assert client.post(f"/admin/chat/conversation/{run.conversation_id}/delete/", {"post": "yes"}).status_code == 403
    assert Conversation.objects.exists()


def test_an_account_is_deleted_with_its_conversations(alice: User, staff_client: Client, run: Run) -> None:
    Fact.objects.create(owner=alice, text="Lives in Berlin")
    page = read(staff_client, f"/admin/auth/user/{alice.pk}/delete/")
    assert "Conversations: 1" in page
    assert "Facts: 1" in page

    staff_client.post(f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"})

    assert not User.objects.filter(username="alice").exists()
    assert not Step.objects.exists()


def test_a_fact_is_corrected_as_a_new_version(alice: User, bob: User, staff_client: Client) -> None:
    fact = Fact.objects.create(owner=alice, text="Lives in Berlin", message=message_in(conversation_of(alice)))

    staff_client.post(change_page(fact), {"key": "", "text": "Lives in Paris", "owner": bob.pk, "kind": "preference"})
    staff_client.post(change_page(fact), {"key": "", "text": "Lives in Paris"})

    fact.refresh_from_db()
    assert (fact.text, fact.version, fact.message, fact.owner, fact.kind) == ("Lives in Paris", 2, None, alice, "fact")


@pytest.mark.parametrize(
    ("key", "text", "stored"),
    [
        ("Temperature Units", "Celsius", ("temperature_units", "celsius")),
        ("temperature_units", "kelvin", None),
        ("!", "plain", None),
        ("tone", "", None),
    ],
)
def test_a_preference_is_held_to_the_rules_of_the_settings_page(
    alice: User, staff_client: Client, key: str, text: str, stored: tuple[str, str] | None
) -> None:
    fields = {"owner": alice.pk, "kind": FactKind.PREFERENCE, "key": key, "text": text}

    staff_client.post("/admin/chat/fact/add/", fields)

    assert [(kept.key, kept.text) for kept in Fact.objects.all()] == ([stored] if stored else [])


def test_a_fact_that_is_known_already_is_refused_in_words(alice: User, staff_client: Client) -> None:
    Fact.objects.create(owner=alice, text="Lives in Berlin")

    response = staff_client.post(
        "/admin/chat/fact/add/", {"owner": alice.pk, "kind": "fact", "text": "Lives in Berlin"}
    )

    assert response.status_code == 200
    assert Fact.objects.count() == 1


def test_what_is_added_in_the_admin_is_held_to_the_same_rules(alice: User, staff_client: Client) -> None:
    def add(**fields: str) -> str:
        return staff_client.post(
            "/admin/chat/fact/add/", {"owner": alice.pk, "kind": "fact", **fields}
        ).content.decode()

    add(text=" Lives\u2003in   Berlin ")
    assert [fact.text for fact in Fact.objects.all()] == ["Lives in Berlin"]
    assert KNOWN in add(text="LIVES in Berlin")
    Fact.objects.bulk_create(Fact(owner=alice, text=f"Fact {number}") for number in range(MAX_FACTS - 1))
    assert FULL in add(text="One more")
    assert Fact.objects.count() == MAX_FACTS


def test_the_admin_is_called_by_its_name(staff_client: Client) -> None:
    page = read(staff_client, "/admin/")

    assert re.search(r"<title>\s*Review \| agentsite", page)
    assert "Django administration" not in page


def test_a_title_that_turns_the_direction_of_writing_leaves_the_name_of_the_site(
    staff_client: Client, alice: User
) -> None:
    conversation = conversation_of(alice, "\N{RIGHT-TO-LEFT OVERRIDE}pirt A")
    title = "\N{RIGHT-TO-LEFT OVERRIDE}pirt A\N{POP DIRECTIONAL FORMATTING}"

    page = read(staff_client, change_page(conversation))
    assert re.search(rf"<title>\s*{title} \| [^|]* \| agentsite", page)
    page = read(staff_client, f"/admin/chat/conversation/{conversation.pk}/history/")
    assert re.search(rf"<title>\s*Change history: {title} \| agentsite", page)


def test_long_json_is_cut_with_a_mark() -> None:
    text = pretty({"text": "x" * 1000}, longest=100)

    assert len(text) < 200
    assert "The first 100 of" in text
