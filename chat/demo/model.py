"""The demo model: a pure function from a request's body to the next turn."""

from collections.abc import Mapping

from chat.demo.acting import act
from chat.demo.context import Context
from chat.demo.conversation import read
from chat.demo.parts import Call, Reply
from chat.demo.summing_up import SUMMARY_ASKED_FOR, sum_up
from chat.demo.thinking import think
from chat.demo.understanding import understand

__all__ = ["Call", "Reply", "reply"]

REMEMBERED_EXCHANGES = 40  # further back nothing is followed up
NO_QUESTION = "There is no message to answer yet."


def reply(body: Mapping[str, object]) -> Reply:
    """The turn that answers a Chat Completions body. The same body always gets the same turn."""
    conversation = read(body)
    if not conversation.exchanges:
        return Reply(NO_QUESTION)
    if SUMMARY_ASKED_FOR in conversation.prompt:
        return sum_up(conversation.current.question)
    context = Context(conversation.memory)
    for exchange in conversation.exchanges[-REMEMBERED_EXCHANGES:-1]:
        for intent in understand(exchange.question, context):
            context = context.after(intent, exchange)
    turn = act(understand(conversation.current.question, context), conversation, context)
    turn = Reply(turn.text.removeprefix(conversation.current.said), turn.calls)
    return think(turn, conversation.prompt, [outcome.call.name for outcome in conversation.current.outcomes])
