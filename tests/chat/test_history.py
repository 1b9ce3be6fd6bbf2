"""Whatever happened in a run, each of its requests can be made again from rows, and the next run goes on from them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, override_settings

from chat import connections, endpoints, rows, runs, trace
from chat.agent.transcript import SUMMARY_HEAD
from chat.db import read
from chat.history import history, request_again
from chat.models import Conversation, EndpointModel, Message, Role, Run, Step, StepKind
from chat.models import Endpoint as StoredEndpoint
from chat.preview import preview_of
from chat.store import Sent
from chat.wire.usage import TOKENS_A_BYTE
from tests.agent.working import Reply, Rule, Ruled, is_summary, number_of, refusal, ruled
from tests.scripted import Body, asks, call, delta, event, says
from tools.registry import tool

pytestmark = pytest.mark.django_db(transaction=True)

Serve = Callable[..., Ruled]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """`serve(rule)` puts an endpoint in place that answers by a rule."""

    def use(rule: Rule, **options: Any) -> Ruled:
        served, transport = ruled(rule, **options)
        endpoints.use(served)
        return transport

    with override_settings(AGENT_MODELS=["m"], AGENT_CONTEXT_TOKENS=3_000, AGENT_MAX_TOKENS=10**6, AGENT_MAX_TURNS=99):
        yield use
    for work in tuple(runs.live.values()):
        work.task.cancel()
        await asyncio.wait({work.task})
    endpoints.use(None)


async def finished(sent: Sent) -> Run:
    async with asyncio.timeout(20):
        while sent.run in runs.live:
            await asyncio.wait({runs.live[sent.run].task})
    return await read(Run.objects.select_related("answer", "conversation").get, pk=sent.run)


async def answered(user: User, text: str = "Go!", conversation: Any = None, mode: str | None = None) -> Run:
    return await finished(await runs.send(user.pk, text, str(uuid4()), "m", conversation, mode))


async def compare(script: Ruled) -> list[Step]:
    """Make every request again, and return the steps that sent them."""

    def asked() -> list[Step]:
        steps = Step.objects.select_related("run__message").order_by("run__created", "number")
        return [step for step in steps if "sha256" in step.input]

    steps = await read(asked)
    assert [step.input["sha256"] for step in steps] == [hashlib.sha256(sent).hexdigest() for sent in script.bodies]
    for step, sent in zip(steps, script.bodies, strict=True):
        assert await read(request_again, step) == sent
    return steps


def counts(turns: int, text: str = "", long: int = 0) -> Rule:
    """A model that calculates so many times after each question, then says so; its summaries are numbered."""
    made = summed = 0

    def rule(asked: dict[str, Any]) -> Reply:
        nonlocal made, summed
        if is_summary(asked):
            summed += 1
            return says(f"Summary {summed} of all up to {number_of(asked, 'sum ')}.")
        made += 1
        if made % (turns + 1) == 0:
            return says("Answer: It is done. " if text else "It is done. ", "y" * long)
        return asks(
            call("calculate", {"expression": f"{made} + 1"}, id=f"id{made}"), text=f"{text}sum {made} " + "x" * long
        )

    return rule


async def test_a_long_run_is_made_again_through_all_its_cuts(alice: User, serve: Serve) -> None:
    script = serve(counts(40, long=300))
    run = await answered(alice)
    assert run.stop_reason == "done"
    steps = await compare(script)
    cuts = [step for step in steps if step.kind == StepKind.CONTEXT]
    assert len(cuts) > 3
    assert all(step.input["purpose"] == "summary" and step.tokens for step in cuts)
    assert run.turns == 41
    assert run.input_tokens == sum(script.counted)


async def test_every_step_of_a_summed_up_run_opens_to_all_that_it_offers(alice: User, serve: Serve) -> None:
    serve(counts(12, long=300))
    run = await answered(alice)

    def offered() -> list[tuple[str, str]]:
        steps = run.steps.order_by("number")
        drawn = [trace.row(step, run, 1) for step in steps]
        return [(row.step.kind, field.more_url) for row in drawn for field in row.fields if field.more_url]

    offers = await read(offered)
    assert StepKind.CONTEXT in {kind for kind, _ in offers}
    client = AsyncClient()
    await client.aforce_login(alice)
    for kind, url in offers:
        response = await client.get(url)
        assert response.status_code == 200, (kind, url)
        assert b"the same as were sent" in response.content or not url.endswith("/request/")


async def test_the_next_run_begins_with_the_summary_and_not_with_everything(alice: User, serve: Serve) -> None:
    script = serve(counts(12, long=300))
    first = await answered(alice, "The first question")
    before = len(script.bodies)
    await answered(alice, "The second question", first.conversation_id)
    await compare(script)
    messages = script.requests[before]["messages"]
    assert messages[1]["content"].startswith(SUMMARY_HEAD)
    assert messages[-1]["content"] == "The second question"
    assert len(script.bodies[before]) < sum(map(len, script.bodies[:before])) / 10
    assert not [message for message in messages if "sum 1 " in str(message.get("content"))]


async def test_what_the_next_run_is_sent_begins_as_the_last_one_did(alice: User, serve: Serve) -> None:
    """A prefix that stays is one that endpoints can cache."""
    script = serve(counts(2))
    first = await answered(alice)
    second = len(script.requests)
    await answered(alice, "And on!", first.conversation_id)
    last = script.requests[second - 1]["messages"]
    assert script.requests[second]["messages"][: len(last)] == last


async def test_an_answer_has_one_summary_message_and_the_version_counts_up_from_answer_to_answer(
    alice: User, serve: Serve
) -> None:
    script = serve(counts(40, long=300))
    run = await answered(alice)
    made = sum(map(is_summary, script.requests))
    summary = await read(Message.objects.get, role=Role.SUMMARY)
    assert (summary.version, made > 1) == (made, True)
    assert summary.text.startswith(f"Summary {made} ")
    assert summary.revision > summary.born
    assert summary.parent_id == run.answer_id
    again = await answered(alice, "And on!", run.conversation_id)
    parents = await read(lambda: {one.parent_id for one in Message.objects.all()})
    assert summary.pk not in parents
    assert (await read(lambda: again.message.parent_id)) == run.answer_id
    after = await read(Message.objects.get, role=Role.SUMMARY, parent=again.answer_id)
    assert after.version > summary.version
    assert await read(Message.objects.filter(role=Role.SUMMARY, text=summary.text).exists)  # it stays as it was


@tool(outside=False)
async def recite(verse: int) -> str:
    """Recite a verse of a long poem."""
    return f"Verse {verse}: " + "la " * 400


async def test_results_that_are_sent_in_brief_are_so_when_made_again(alice: User, serve: Serve) -> None:
    turn = 0

    def rule(asked: dict[str, Any]) -> Reply:
        nonlocal turn
        turn += 1
        return says("Well.") if turn % 9 == 0 else asks(call("recite", {"verse": turn}, id=f"id{turn}"))

    script = serve(rule)
    with override_settings(AGENT_CONTEXT_TOKENS=6_000):
        run = await answered(alice)
        await answered(alice, "Again!", run.conversation_id)
    await compare(script)
    assert "[shortened: it had" in script.bodies[-1].decode()
    noted = await read(lambda: [step.input["cut"] for step in run.steps.filter(kind=StepKind.CONTEXT)])
    assert all(cut["shrunk"] and not cut["folded"] for cut in noted)


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_summary_of_which_only_a_part_came_is_none(alice: User, serve: Serve, stopped: bool) -> None:
    """Neither the run that goes on nor the next one takes a part of a summary for the whole."""
    rule, hold = counts(8, long=300), asyncio.Event()
    lost = Body([event(delta(content="Half a summ"))], hold=hold if stopped else None)
    failed = False

    def fails_once(asked: dict[str, Any]) -> Reply:
        nonlocal failed
        if is_summary(asked) and not failed:
            failed = True
            return lost
        return rule(asked)

    script = serve(fails_once)
    sent = await runs.send(alice.pk, "Go!", str(uuid4()), "m", None)
    if stopped:
        async with asyncio.timeout(20):
            while not failed:  # noqa: ASYNC110  The endpoint tells nobody that it was asked.
                await asyncio.sleep(0)
        await runs.stop(sent.conversation)
    run = await finished(sent)
    assert run.status == ("stopped" if stopped else "done")
    assert run.answer.text == ("" if stopped else "It is done. " + "y" * 300)
    await answered(alice, "Again!", sent.conversation)
    await compare(script)
    assert "Half a summ" not in b"".join(script.bodies).decode()
    summaries = await read(lambda: list(Message.objects.filter(role=Role.SUMMARY)))
    assert summaries
    assert all(summary.text.startswith("Summary ") for summary in summaries)


async def test_an_empty_summary_leaves_the_one_before_as_it_is(alice: User, serve: Serve) -> None:
    rule = counts(12, long=300)
    failing = False
    script = serve(lambda asked: says() if failing and is_summary(asked) else rule(asked))
    first = await answered(alice)
    before = await read(Message.objects.get, role=Role.SUMMARY)
    failing = True
    second = await answered(alice, "Again!", first.conversation_id)
    assert (second.status, second.stop_reason) == ("failed", "empty")
    after = await read(Message.objects.get, role=Role.SUMMARY)
    assert (after.text, after.version) == (before.text, before.version)
    await compare(script)


async def test_a_run_with_lost_attempts_is_made_again_and_its_text_is_not_doubled(alice: User, serve: Serve) -> None:
    replies = [
        Body([event(delta(content="Half an answer"))]),
        refusal("busy", 503, **{"retry-after": "0"}),
        says("It is done."),
    ]
    script = serve(lambda asked: replies.pop(0))
    run = await answered(alice)
    assert run.answer.text == "It is done."
    await compare(script)
    statuses = await read(lambda: list(run.steps.filter(kind="model").values_list("status", flat=True)))
    assert sorted(statuses) == ["done", "error", "error"]
    shown = await read(rows.talk, run.conversation_id)
    assert not shown.thoughts.get(run.pk)


@pytest.mark.parametrize("mode", ["", "react"])
async def test_a_run_that_acts_by_lines_is_made_again(alice: User, serve: Serve, mode: str) -> None:
    def rule(asked: dict[str, Any]) -> Reply:
        if asked["messages"][-1]["content"].startswith("Observation:"):
            return says("Thought: Good.\nAnswer: It is 4.")
        return says('Thought: I add.\nAction: calculate({"expression": "2 + 2"})\nAction: calculate(2)\n')

    script = serve(rule, refuses={"tools": "m does not support tools"})
    run = await answered(alice, mode=mode)
    await answered(alice, "Again!", run.conversation_id)
    steps = await compare(script)
    assert [step.input.get("without") for step in steps] == [None, ["tools"], ["tools"], ["tools"], ["tools"]]
    observed = script.requests[2]["messages"][-1]["content"]
    assert '"result":4}' in observed
    assert "calculate was not run" in observed
    if mode:
        assert run.answer.text == "It is 4."


async def test_a_run_that_thinks_in_the_open_is_made_again_and_answers_without_its_thoughts(
    alice: User, serve: Serve
) -> None:
    script = serve(counts(2, text="Thought: I add. "))
    run = await answered(alice, mode="react")
    assert run.answer.text == "It is done."
    await answered(alice, "In plain!", run.conversation_id, mode="")
    await compare(script)
    plain = script.requests[-1]["messages"]
    assert "Think in the open" not in plain[0]["content"]
    assert "Think in the open" in script.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("limit", "reason"), [({"AGENT_MAX_TURNS": 2}, "max_turns"), ({"AGENT_MAX_TOKENS": 12_000}, "budget")]
)
async def test_a_run_at_its_limit_is_made_again(alice: User, serve: Serve, limit: Any, reason: str) -> None:
    made = 0

    def rule(asked: dict[str, Any]) -> Reply:
        nonlocal made
        made += 1
        if "tools" not in asked:
            return asks(call("calculate", {}), text="So far.")  # it asks for more all the same
        return asks(call("calculate", {"expression": f"{made} + 1"}, id=f"id{made}"))

    script = serve(rule)
    with override_settings(**limit):
        run = await answered(alice)
    assert (run.status, run.stop_reason, run.answer.text) == ("done", reason, "So far.")
    steps = await compare(script)
    assert steps[-1].input["last"] == reason
    with override_settings(AGENT_MAX_TURNS=1):
        await answered(alice, "Again!", run.conversation_id)
    await compare(script)
    assert script.requests[len(steps)]["messages"][-2:] == [
        {"role": "assistant", "content": "So far."},
        {"role": "user", "content": "Again!"},
    ]


@pytest.fixture
def spare() -> Iterator[Ruled]:
    """A fallback as set up in the admin, whose endpoint is in this process."""
    url = "http://spare.invalid/v1"
    transport = ruled(counts(1))[1]
    connections.on_this_machine[url] = connections.OnThisMachine(transport)
    yield transport
    del connections.on_this_machine[url]


def fallback_row() -> None:
    stored = StoredEndpoint.objects.create(name="Spare", base_url="http://spare.invalid/v1")
    EndpointModel.objects.create(endpoint=stored, name="spare", fallback=True)


async def test_a_run_that_a_fallback_took_over_is_made_again(alice: User, serve: Serve, spare: Ruled) -> None:
    await read(fallback_row)
    script = serve(lambda asked: refusal("bad key", 401))
    run = await answered(alice)
    assert run.answer.text == "It is done. "
    script.bodies += spare.bodies
    steps = await compare(script)
    assert [step.name for step in steps] == ["m", "spare", "spare"]
    waits = await read(lambda: [step.input["reason"] for step in run.steps.filter(kind=StepKind.RETRY)])
    assert "The model spare takes over." in waits[0]


def titled(title: Reply) -> Rule:
    """A model that answers, and makes this title."""
    return lambda asked: title if asked["model"] == "little" else says("It is done.")


async def test_a_title_is_a_step_of_its_own_that_is_made_again(alice: User, serve: Serve) -> None:
    script = serve(titled(says('"A fine', ' title"\nand more')))
    with override_settings(AGENT_SMALL_MODEL="little"):
        run = await answered(alice, "What a question this is")
        await answered(alice, "Another one", run.conversation_id)
    assert run.conversation.title == "A fine title"
    steps = await compare(script)
    assert [step.input["purpose"] for step in steps] == ["answer", "title", "answer"]
    assert script.requests[1]["messages"][1] == {"role": "user", "content": "What a question this is"}
    assert run.answer.text == "It is done."


@pytest.mark.parametrize("title", [says(), says(" ", "\n"), refusal("on fire", 500), asks(call("look", {}))])
async def test_a_title_that_cannot_be_had_changes_nothing_and_is_asked_for_once(
    alice: User, serve: Serve, title: Reply
) -> None:
    script = serve(titled(title))
    with override_settings(AGENT_SMALL_MODEL="little"):
        run = await answered(alice, "What a question this is")
    assert (run.status, run.answer.text) == ("done", "It is done.")
    assert run.conversation.title == "What a question this is"
    assert len(script.bodies) == 2


async def test_a_title_does_not_replace_the_one_that_a_person_gave(alice: User, serve: Serve) -> None:
    hold = asyncio.Event()
    last = event(delta(content="A title")) + event(delta("stop")) + b"data: [DONE]\n\n"
    script = serve(titled(Body([], hold=hold, after=[last])))
    with override_settings(AGENT_SMALL_MODEL="little"):
        sent = await runs.send(alice.pk, "Go!", str(uuid4()), "m", None)
        await asked_for_a_title(script)
        await read(Conversation.objects.filter(pk=sent.conversation).update, title="Mine")
        hold.set()
        assert (await finished(sent)).conversation.title == "Mine"


async def asked_for_a_title(script: Ruled) -> None:
    async with asyncio.timeout(20):
        while len(script.bodies) < 2:  # noqa: ASYNC110  The endpoint tells nobody that it was asked.
            await asyncio.sleep(0)


async def test_while_a_title_is_made_the_answer_stays_and_a_stop_does_not_take_it(alice: User, serve: Serve) -> None:
    script = serve(titled(Body([event(delta(content="A ti", reasoning="Hm, a title"))], hold=asyncio.Event())))
    with override_settings(AGENT_SMALL_MODEL="little"):
        sent = await runs.send(alice.pk, "Go!", str(uuid4()), "m", None)
        await asked_for_a_title(script)
        talk = await read(rows.talk, sent.conversation)
        assert talk.partial == {sent.run: "It is done."}
        assert not talk.thoughts.get(sent.run)
        showing = preview_of(sent.run)
        assert showing is not None
        assert showing.read() == ""
        await runs.stop(sent.conversation)
        run = await finished(sent)
    assert (run.status, run.answer.text, run.conversation.title) == ("stopped", "It is done.", "Go!")


async def test_no_title_is_made_of_a_run_that_is_at_its_limit(alice: User, serve: Serve) -> None:
    script = serve(lambda asked: asks(call("calculate", {"expression": "1 + 1"}), text="So far."))
    with override_settings(AGENT_SMALL_MODEL="little", AGENT_MAX_TURNS=1):
        run = await answered(alice)
    assert run.stop_reason == "max_turns"
    assert [asked["model"] for asked in script.requests] == ["m", "m"]


async def test_the_rate_is_that_of_the_last_answer_and_within_reason(alice: User, serve: Serve) -> None:
    usage = [{"prompt_tokens": 1, "completion_tokens": 1}, {"prompt_tokens": 10**9, "completion_tokens": 1}]
    serve(lambda asked: says("Hello", usage=usage.pop(0)), reports=False)
    first = await answered(alice)
    second = await answered(alice, "Again!", first.conversation_id)
    rates = [(await read(history, run)).rate for run in (first, second)]
    assert rates == [pytest.approx(TOKENS_A_BYTE / 3), 1.0]
