"""What an endpoint does not take, in the words of those that there are: it is asked without that, and only then."""

import json

import pytest

from chat.agent.asking import ATTEMPTS
from chat.agent.events import ModelStarted, WaitStarted
from chat.agent.transcript import Answered, Asked, Entry, Frozen, Said, request
from chat.wire.endpoint import Target
from chat.wire.errors import EndpointError
from chat.wire.refusals import REFUSALS
from chat.wire.stream import Assembler
from chat.wire.values import Call
from tests.agent.working import ended, events, of, refusal, task
from tests.scripted import Body, says
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


def test_each_thing_that_may_be_refused_is_refused_here() -> None:
    assert {name for name, _ in REFUSED} == set(REFUSALS)


@pytest.mark.parametrize("said", INNOCENT)
async def test_other_errors_are_not_mistaken_for_a_refusal(said: Body) -> None:
    served, _ = scripted(*[said] * ATTEMPTS)
    found = await events(task(Target(served, "m"), said=DEAR))
    assert ended(found).status == "failed"
    assert served.refused("m") == ()


async def test_tools_are_a_matter_of_the_model_and_the_rest_of_the_endpoint() -> None:
    served, _ = scripted()
    assert served.learn("tools", "tiny")
    assert served.learn("stream_options", "tiny")
    assert served.refused("tiny") == ("stream_options", "tools")
    assert served.refused("large") == ("stream_options",)
    assert not served.learn("tools", "tiny")  # no news


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
    "This model's maximum context length is 4097 tokens. However, your messages resulted in 5000 tokens.",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "the request exceeds the available context size, try increasing it",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Please reduce the length of the messages or completion.",
    "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
]


@pytest.mark.parametrize("words", TOO_LONG)
async def test_that_a_request_is_too_long_is_understood_however_it_is_said(words: str) -> None:
    served, _ = scripted(refusal(words))
    with pytest.raises(EndpointError) as raised:
        async for _ in served.stream(request(Frozen(""), [Said("user", "x")], "m"), Assembler()):
            pass
    assert (raised.value.reason, raised.value.again) == ("context", False)


async def test_that_a_request_is_too_long_is_understood_by_its_code() -> None:
    body = {"error": {"message": "Please shorten it.", "code": "context_length_exceeded"}}
    served, _ = scripted(Body([json.dumps(body).encode()], 400, JSON))
    assert ended(await events(task(Target(served, "m")))).stop_reason == "context"
