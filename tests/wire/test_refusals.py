"""What an endpoint does not take, in the words of those that there are: it is asked without that, and only then."""

import json
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from chat.agent.asking import ATTEMPTS
from chat.agent.events import ModelStarted, WaitStarted
from chat.agent.limits import Limits
from chat.agent.transcript import Answered, Asked, Entry, Frozen, Said, request
from chat.wire.endpoint import Target
from chat.wire.errors import NoReply
from chat.wire.refusals import REFUSALS
from chat.wire.stream import Assembler
from chat.wire.values import Call
from tests.agent.working import Reply, ended, events, is_summary, of, refusal, ruled, task
from tests.scripted import Body, asks, call, delta, event, says
from tests.scripted import endpoint as scripted

JSON = {"content-type": "application/json"}


def forbidden(*where: object) -> Body:
    """What FastAPI says of a field that it does not know."""
    detail = [{"type": "extra_forbidden", "loc": ["body", *where], "msg": "Extra inputs are not permitted"}]
    return Body([json.dumps({"detail": detail}).encode()], 422, JSON)


REFUSED = [
    ("stream_options", refusal("Unknown parameter: 'stream_options'.")),
    ("stream_options", refusal("Unrecognized request argument supplied: stream_options")),
    ("stream_options", forbidden("stream_options")),
    ("tools", refusal("registry.ollama.ai/library/gemma:2b does not support tools")),
    ("tools", refusal('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set')),
    (
        "tools",
        refusal("No endpoints found that support tool use. To learn more, visit: https://openrouter.ai/docs", 404),
    ),
    ("tools", refusal("tools param requires --jinja flag", 500)),
    ("tools", refusal("Tool calling is not supported for this model")),
    ("tools", forbidden("tools")),
    ("reasoning", refusal("'messages.2' : for 'role:assistant' : property 'reasoning_content' is unsupported")),
    ("reasoning", forbidden("messages", 2, "reasoning_content")),
    ("stop", refusal("Unsupported parameter: 'stop' is not supported with this model.")),
    (
        "roles",
        refusal("After the optional system message, conversation roles must alternate user and assistant roles"),
    ),
    ("roles", refusal("Conversation roles must alternate user/assistant/user/assistant/...", 500)),
    ("roles", refusal('messages: roles must alternate between "user" and "assistant", but found multiple')),
    ("roles", refusal("user or tool message(s) should alternate with assistant message(s).")),
    ("roles", refusal("Please ensure that multiturn requests alternate between user and model.")),
    ("roles", refusal("Unexpected role 'user' after role 'tool'", 422)),
    ("system", refusal("System role not supported")),
    ("system", refusal("Developer instruction is not enabled for models/gemma-3-27b-it")),
    ("system", refusal("'messages.0' : system messages are not supported with this model")),
    ("ids", refusal("Tool call id was call_abc but must be a-z, A-Z, 0-9, with a length of 9.")),
]
INNOCENT = [
    refusal("Invalid schema for function 'look': 'tools[0].function.parameters' is not supported"),
    refusal("Unknown parameter: 'tools[0].strict'."),
    forbidden("tools", 0, "function", "strict"),
    refusal("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."),
    refusal("max_tokens must be at least 1"),
    refusal("Invalid API key", 401),
    refusal("The `reasoning_content` in the thinking mode must be passed back to the API."),
    refusal("An assistant message with 'tool_calls' must be followed by tool messages responding to each one."),
    refusal("Tool choice is none, but model called a tool"),
    refusal("The model `m` does not exist or you do not have access to it.", 404),
    refusal("Internal server error", 500),
    Body([b"no JSON at all"], 400, {"content-type": "text/plain"}),
]
DEAR: list[Entry] = [
    Said("user", "Look!"),
    Asked("", (Call("call_abcdef", "look", {}),), "Hm", "reasoning_content", "scripted.invalid"),
    Answered("call_abcdef", "a tree"),
    Said("user", "And?"),
]


@pytest.mark.parametrize(("name", "said"), REFUSED)
async def test_what_is_refused_is_left_out_and_remembered(name: str, said: Body) -> None:
    served, script = scripted(said, says("A tree."), says("A house."))
    target = Target(served, "m")
    if name == "stop":  # that is asked for only where tools are not taken
        served.learn("tools", "m")
    found = await events(task(target, said=DEAR))
    assert ended(found).text == "A tree."
    (wait,) = of(WaitStarted, found)
    assert (wait.kind, wait.seconds) == ("retry", 0)
    assert "It is asked without that from now on." in wait.reason
    assert name in of(ModelStarted, found)[-1].without
    assert script.bodies[0] != script.bodies[1]
    again = await events(task(target, said=DEAR))
    assert not of(WaitStarted, again)
    assert script.bodies[2] == script.bodies[1]


@pytest.mark.parametrize(("name", "said"), REFUSED[::4])
@pytest.mark.parametrize("code", [400, None, "invalid_request_error"])
async def test_what_is_refused_at_the_beginning_of_a_stream_is_understood_too(
    name: str, said: Body, code: object
) -> None:
    error = {"message": said.parts[0].decode(), **({"code": code} if code else {})}
    served, _ = scripted(Body([event({"error": error})]), says("A tree."))
    if name == "stop":
        served.learn("tools", "m")
    found = await events(task(Target(served, "m"), said=DEAR))
    assert ended(found).text == "A tree."
    assert name in of(ModelStarted, found)[-1].without


async def test_what_sounds_like_a_refusal_after_the_reply_began_is_none() -> None:
    error = event({"error": {"message": "Unknown parameter: 'stream_options'.", "code": 500}})
    served, _ = scripted(Body([event(delta(content="Half")), error]), says("A tree."))
    assert ended(await events(task(Target(served, "m"), said=DEAR))).text == "A tree."
    assert served.refused("m") == ()


def asked_of(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(message["role"], message.get("content", "")) for message in messages[1:]]


async def test_where_roles_must_alternate_no_message_of_the_user_follows_another_or_a_result() -> None:
    """A summary stands before the question, and the last request after a result."""

    def strict(asked: dict[str, Any]) -> Reply:
        roles = [role for role, _ in asked_of(asked["messages"])]
        if any(pair in (("user", "user"), ("tool", "user")) for pair in pairwise(roles)):
            return refusal("Conversation roles must alternate user/assistant/user/assistant/...")
        return says("Summed up.") if is_summary(asked) else asks(call("look", {"place": "here"}))

    said: list[Entry] = [Said("user", "First."), Said("assistant", "x" * 11_000), Said("user", "Look!")]
    served, script = ruled(strict)
    found = await events(task(Target(served, "m", 4_000), said=said, limits=Limits(turns=1)))
    assert ended(found).stop_reason == "max_turns"
    (refused,) = of(WaitStarted, found)
    assert "roles must alternate" in refused.reason
    (_, both), *_, (role, last) = asked_of(script.requests[-1]["messages"])
    assert both.endswith("Summed up.\n\nLook!")
    assert (role, last.startswith("a tree at here\n\nThe limit of turns")) == ("tool", True)
    sent = [one.sha256 for one in of(ModelStarted, found)]
    assert sent == [sha256(body).hexdigest() for body in script.bodies]


async def test_a_template_that_counts_the_system_prompt_as_a_role_gets_it_in_the_first_message() -> None:
    def first_must_be_the_user(asked: dict[str, Any]) -> Reply:
        if asked["messages"][0]["role"] != "user":
            return refusal("Conversation roles must alternate user/assistant/user/assistant/...")
        return says("Summed up." if "You write the summary" in str(asked) else "A tree.")

    said: list[Entry] = [Said("user", "First."), Said("assistant", "x" * 11_000), Said("user", "Look!")]
    served, script = ruled(first_must_be_the_user)
    found = await events(task(Target(served, "m", 4_000), said=said))
    assert ended(found).text == "A tree."
    assert served.refused("m") == ("roles", "system")
    assert [len(asked["messages"]) for asked in script.requests[2:]] == [1, 1]
    assert script.requests[-1]["messages"][0]["content"].startswith("Be brief.\n\n")


def test_each_thing_that_may_be_refused_is_refused_here() -> None:
    assert {name for name, _ in REFUSED} == set(REFUSALS)


@pytest.mark.parametrize("said", INNOCENT)
async def test_other_errors_are_not_mistaken_for_a_refusal(said: Body) -> None:
    served, _ = scripted(*[said] * ATTEMPTS)
    found = await events(task(Target(served, "m"), said=DEAR))
    assert ended(found).status == "failed"
    assert served.refused("m") == ()


async def test_tools_and_roles_are_a_matter_of_the_model_and_the_rest_of_the_endpoint() -> None:
    served, _ = scripted()
    assert served.learn("tools", "tiny")
    assert served.learn("roles", "tiny")
    assert served.learn("stream_options", "tiny")
    assert served.refused("tiny") == ("stream_options", "tools", "roles")
    assert served.refused("large") == ("stream_options",)
    assert not served.learn("tools", "tiny")  # no news
    assert served.learn("roles", "tiny")  # it did not help
    assert served.refused("tiny") == ("stream_options", "tools", "roles", "system")


async def test_a_refusal_that_another_one_passes_on_is_found_inside() -> None:
    inside = json.dumps({"error": {"message": "Unknown parameter: 'stream_options'"}})
    passed_on = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": inside}}}
    served, _ = scripted(Body([json.dumps(passed_on).encode()], 400, JSON), says("Hello"))
    assert ended(await events(task(Target(served, "m")))).text == "Hello"


async def test_one_thing_after_the_other_may_be_refused_without_using_up_the_attempts() -> None:
    said = [forbidden("stream_options"), forbidden("tools"), refusal("busy", 503), refusal("'stop' is not supported")]
    served, script = scripted(*said, refusal("busy", 503), says("Hello"))
    assert ended(await events(task(Target(served, "m")))).text == "Hello"
    assert set(json.loads(script.bodies[-1])) == {"model", "messages", "stream"}


TOO_LONG = [
    ("This model's maximum context length is 4097 tokens. However, your messages resulted in 5000 tokens.", 4097),
    ("Your input exceeds the context window of this model. Please adjust your input and try again.", None),
    ("the request exceeds the available context size, try increasing it", None),
    ("request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it", 8192),
    ("prompt is too long: 210000 tokens > 200000 maximum", 200_000),
    ("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", 1_048_576),
    ("Please reduce the length of the messages or completion.", None),
    ("This model's maximum prompt length is 131,072 but the request contains 200,000 tokens.", 131_072),
    ("Prompt contains 40000 tokens, too large for model with 32768 maximum context length", 32_768),
]


@pytest.mark.parametrize(("words", "window"), TOO_LONG)
async def test_that_a_request_is_too_long_is_understood_however_it_is_said(words: str, window: int | None) -> None:
    for said in (refusal(words), Body([event({"error": {"message": words}})])):
        served, _ = scripted(said)
        with pytest.raises(NoReply) as raised:
            async for _ in served.stream(request(Frozen(""), [Said("user", "x")], "m"), Assembler()):
                pass
        assert (raised.value.reason, raised.value.again, raised.value.window) == ("context", False, window)


async def test_that_a_request_is_too_long_is_understood_by_its_code() -> None:
    body = {"error": {"message": "Please shorten it.", "code": "context_length_exceeded"}}
    served, _ = scripted(Body([json.dumps(body).encode()], 400, JSON))
    assert ended(await events(task(Target(served, "m")))).stop_reason == "context"
