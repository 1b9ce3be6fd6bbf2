"""The demo model sums up what was said before, so that a long conversation with it goes on."""

import json

from chat.agent.context import Cut
from chat.agent.events import ModelEnded
from chat.agent.summary import SUMMARISE, summary_request
from chat.agent.transcript import Answered, Asked, Entry, Frozen, Said, Summary
from chat.demo.model import reply
from chat.demo.summing_up import LONGEST, SUMMARY_ASKED_FOR, sum_up
from chat.demo.transport import DemoTransport
from chat.wire.endpoint import Endpoint, Target
from chat.wire.values import Call
from tests.agent.working import ended, events, of, task

OLD: list[Entry] = [
    Said("user", "I live in Berlin."),
    Asked("", (Call("a", "get_weather", {"city": "Berlin"}),)),
    Answered("a", "9.5 °C"),
    Said("assistant", "It is cold\nin Berlin."),
]


def summed(entries: list[Entry]) -> str:
    messages = [{"role": "system", "content": SUMMARISE}, {"role": "user", "content": told(entries)}]
    return reply({"model": "demo", "messages": messages}).text


def told(entries: list[Entry]) -> str:
    return str(json.loads(summary_request(entries, "demo"))["messages"][1]["content"])


def test_what_it_is_asked_by_is_what_the_engine_asks() -> None:
    assert SUMMARISE.startswith(SUMMARY_ASKED_FOR)


def test_it_keeps_the_beginnings_of_what_both_said() -> None:
    assert summed(OLD) == "The person said: I live in Berlin.\n\nThe agent answered: It is cold"


def test_a_summary_goes_into_the_next_one() -> None:
    again = summed([Summary(summed(OLD)), Said("user", "And in Oslo?")])
    assert again == f"{summed(OLD)}\n\nThe person said: And in Oslo?"


def test_where_not_all_has_room_the_newest_is_kept() -> None:
    entries: list[Entry] = [Said("user", f"Question {n} " + "x" * 500) for n in range(30)]
    text = summed(entries)
    assert len(text) <= LONGEST + 30
    assert "Question 29 " in text
    assert "Question 0 " not in text


def test_of_nothing_it_says_that_nothing_was_said() -> None:
    assert sum_up("").text == "Nothing was said yet."


async def test_a_conversation_that_does_not_fit_any_more_goes_on() -> None:
    served = Endpoint("http://demo.invalid/v1", "", DemoTransport(pace=0))
    long: list[Entry] = [*OLD, *(Said("user", f"Note {n}: " + "x" * 900) for n in range(20)), Said("user", "Hello!")]
    work = task(Target(served, "demo", 4_000), said=long, frozen=Frozen("You are the agent of a web chat."))
    found = await events(work)
    assert ended(found).stop_reason == "done"
    assert "summary" in [one.purpose for one in of(ModelEnded, found)]
    assert work.fitting.cut != Cut()
