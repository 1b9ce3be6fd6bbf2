"""Searches, pages and "before": whatever stands in an address, it never shows more than it should, and never breaks."""

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.models import Conversation, Message, Run
from tests.chat.made import conversation_of, message_in
from tests.security.asking import HTMX
from tests.security.hers import WORD, Hers, things_of

OWN = "nougat"
# What a number in an address may be written as by somebody who wants to know.
ODD_NUMBERS = [
    "", "0", "-1", "+1", "1.5", "1e9", "0x10", " 1", "1 ", "1,2", "1;2", "null", "None", "NaN", "inf", "true", "'", "*",
    "1 OR 1=1", "1--", "\x00", "1\x00", "٣", "１", "²", "9" * 19, "9" * 30, "9" * 5000, "-" + "9" * 30, "🙂",
]  # fmt: skip
ODD_WORDS = [
    WORD, f"%{WORD}%", "%", "_", "%%%", "\\", "\\%", "'", '"', "' OR 1=1 --", "%' OR '1'='1", "\x00", f"\x00{WORD}",
    "*", "?", "(", "[", "|", f"{WORD}|nougat", f"title:{WORD}", f"owner:alice {WORD}", "x" * 100_000, "é" * 100_000,
]  # fmt: skip


@pytest.fixture
def his(bob: User) -> Hers:
    return things_of(bob, OWN)


def words_in(client: Client, path: str, parameters: dict[str, Any] | str) -> str:
    """What a page says, with what was typed into it and is only repeated taken out."""
    query = parameters if isinstance(parameters, str) else urlencode(parameters, doseq=True)
    response = client.get(f"{path}?{query}", headers=HTMX)
    assert response.status_code == 200, (response.status_code, path, parameters)
    return re.sub(r"No conversation matches “.*?”", "", response.content.decode(), flags=re.DOTALL)


@pytest.mark.parametrize("person", ["bob_client", "staff_client"])
def test_a_search_never_finds_anothers_words(
    request: pytest.FixtureRequest, hers: Hers, his: Hers, person: str
) -> None:
    client: Client = request.getfixturevalue(person)

    for words in ODD_WORDS:
        found = words_in(client, "/conversations/", {"q": words})
        assert WORD not in found, words
        assert str(hers.conversation.pk) not in found, words


def test_the_marks_of_a_pattern_are_plain_characters_of_a_search(bob: User, bob_client: Client, his: Hers) -> None:
    conversation_of(bob, "100% sure_thing")

    assert "100%" in words_in(bob_client, "/conversations/", {"q": "0% sure_"})
    assert OWN not in words_in(bob_client, "/conversations/", {"q": "%"})
    assert OWN not in words_in(bob_client, "/conversations/", {"q": "_itle"})


ODD_QUERIES = [
    f"q={WORD}&q={OWN}", f"q={OWN}&q={WORD}", f"q={WORD}&q=", f"q[]={WORD}", f"q={WORD}&owner=1", "q=&user=1",
    f"q={WORD}&owner__username=alice", f"q={WORD}&archived=1&archived=0", "owner=1&all=1", f"Q={WORD}", "q", "",
    f"q={OWN}&current=1&current=2", "q=%00", "q=%FF%FE", "current=%00", f"q={OWN};q={WORD}",
]  # fmt: skip


def test_a_filter_that_is_missing_or_doubled_widens_nothing(bob_client: Client, hers: Hers, his: Hers) -> None:
    for query in ODD_QUERIES:
        found = words_in(bob_client, "/conversations/", query)
        assert WORD not in found, query
        assert str(hers.conversation.pk) not in found, query


def test_only_a_conversation_that_is_open_is_marked_as_such(bob_client: Client, hers: Hers, his: Hers) -> None:
    found = words_in(bob_client, "/conversations/", {"q": OWN, "current": str(hers.conversation.pk)})

    assert 'aria-current="page"' not in found


@pytest.mark.parametrize("name", ["page", "owner", "conversation__owner"])
def test_no_page_of_the_runs_shows_anothers(bob_client: Client, hers: Hers, his: Hers, name: str) -> None:
    for number in ODD_NUMBERS:
        found = words_in(bob_client, "/runs/", {name: number})
        assert WORD not in found, number
        assert OWN in found, number


def test_no_number_before_shows_messages_or_steps_of_another(bob_client: Client, hers: Hers, his: Hers) -> None:
    for number in ODD_NUMBERS:
        for path in (f"/c/{his.conversation.pk}/messages/", f"/runs/{his.run.pk}/steps/"):
            assert WORD not in words_in(bob_client, path, {"before": number}), number
            assert WORD not in words_in(bob_client, path, {"before": [number, str(hers.run.answer.pk + 1)]}), number


def test_messages_before_one_are_those_before_it_and_no_other(bob: User, bob_client: Client) -> None:
    conversation = conversation_of(bob)
    messages = [message_in(conversation, f"{OWN} {number}") for number in range(5)]

    found = words_in(bob_client, f"/c/{conversation.pk}/messages/", {"before": messages[2].pk})

    assert re.findall(rf"{OWN} \d", found) == [f"{OWN} 0", f"{OWN} 1"]


def test_a_number_that_is_none_or_that_no_column_holds_is_not_there(alice_client: Client, hers: Hers) -> None:
    for number in ODD_NUMBERS:
        for path in (f"/runs/{hers.run.pk}/steps/{quote(number)}/result/", f"/settings/facts/{quote(number)}/edit/"):
            assert alice_client.get(path).status_code in (301, 404), number


def test_what_is_archived_is_found_by_its_owner_alone(alice_client: Client, bob_client: Client, hers: Hers) -> None:
    Conversation.objects.update(archived=True)

    assert f"The {WORD} title" in words_in(alice_client, "/conversations/", {"q": WORD})
    assert f"The {WORD} title" not in words_in(alice_client, "/conversations/", {"q": ""})
    assert WORD not in words_in(bob_client, "/conversations/", {"q": WORD})


def test_the_counts_of_the_matrix_hold(hers: Hers, his: Hers) -> None:
    """Both people have one of each, so that a page without a word of hers is not merely empty."""
    assert (Conversation.objects.count(), Run.objects.count(), Message.objects.count()) == (2, 2, 4)
