"""The list of runs and the page of one: asked for in each way, and with every way on from what went wrong."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.models import Run
from chat.step_fields import fields_of
from tests.chat.made import conversation_of, run_in, step_of


@pytest.fixture
def run(alice: User) -> Run:
    return run_in(conversation_of(alice))


def test_pages_answer_to_who_only_asks_whether_they_are_there(alice_client: Client, client: Client, run: Run) -> None:
    for path in ("/", f"/c/{run.conversation_id}/", "/runs/", f"/runs/{run.pk}/", f"/runs/{run.pk}/steps/3/result/"):
        answer = alice_client.head(path)
        assert (answer.status_code, answer.content) == (200, b""), path
        assert client.head(path).status_code == 302, path


def test_a_run_that_went_wrong_says_how_and_offers_what_there_is(alice_client: Client, run: Run) -> None:
    for status, reason, word, ways in (
        ("done", "done", "done", []),
        ("done", "max_turns", "out of turns", ["continue"]),
        ("stopped", "stopped", "stopped", ["continue"]),
        ("failed", "crashed", "crashed", ["regenerate", "continue"]),
    ):
        Run.objects.filter(pk=run.pk).update(status=status, stop_reason=reason)
        assert f">{word}</span>" in alice_client.get("/runs/").content.decode()
        page = alice_client.get(f"/runs/{run.pk}/").content.decode()
        offered = [way for way in ("regenerate", "continue") if f'name="action" value="{way}"' in page]
        assert offered == ways, reason
        assert str(run.pk) in page


def test_a_text_that_is_shown_in_part_is_fetched_whole(alice_client: Client, run: Run) -> None:
    long = "x" * 5_000 + " and the end"
    said = {"thought": f"thought {long}", "reasoning": f"reasoning {long}", "text": f"response {long}"}
    facts = {"facts": [{"text": f"facts {long}"}], "preferences": [{"key": "units", "text": f"preferences {long}"}]}
    given = {"arguments": {"text": f"arguments {long}"}}
    steps = [
        step_of(run, 4, kind="memory", output=facts),
        step_of(run, 5, kind="model", output=said),
        step_of(run, 6, kind="tool", input=given, output={"text": f"result {long}", "detail": f"traceback {long}"}),
    ]
    urls = {field.more_url for step in steps for field in fields_of(step) if field.note}
    assert len(urls) == 8
    for url in urls:
        name = url.split("/")[-2]
        answer = alice_client.get(url).content.decode()
        assert f"{name} {long}" in answer, url


def test_a_step_has_no_fields_of_another_kind(alice_client: Client, run: Run) -> None:
    for number, fields in (
        (1, "arguments result response request input"),
        (2, "arguments facts"),
        (3, "thought input"),
    ):
        for field in fields.split():
            assert alice_client.get(f"/runs/{run.pk}/steps/{number}/{field}/").status_code == 404, (number, field)
