"""From what is wanted to the next turn: the calls still needed, or the answer."""

from chat.demo.about_user import tells_something
from chat.demo.clock import times
from chat.demo.context import Context
from chat.demo.conversation import Conversation
from chat.demo.intents import (
    Calculation,
    Compare,
    Forget,
    Given,
    Intent,
    Recall,
    Remember,
    Report,
    Say,
    Times,
    Unknown,
)
from chat.demo.parts import Call, Reply
from chat.demo.remembering import forget, recall, remember
from chat.demo.sums import calculate, given
from chat.demo.texts import NOT_KEPT, NOT_THE_REST, UNKNOWN
from chat.demo.weather import compare, paragraphs, report


def act(intents: tuple[Intent, ...], conversation: Conversation, context: Context) -> Reply:
    """One turn for all that a message wants: every call that can be made now, or else the answers."""
    replies = [_act(intent, conversation, context, alone=len(intents) == 1) for intent in intents]
    calls: list[Call] = []
    for reply in replies:
        calls += [call for call in reply.calls if call not in calls]
    return Reply("", tuple(calls)) if calls else Reply(paragraphs(reply.text for reply in replies))


def _act(intent: Intent, conversation: Conversation, context: Context, *, alone: bool) -> Reply:
    match intent:
        case Report():
            return report(intent, conversation, context)
        case Compare():
            return compare(intent, conversation)
        case Calculation():
            return calculate(intent, conversation)
        case Times():
            return times(intent, conversation)
        case Remember():
            return remember(intent, conversation)
        case Forget():
            return forget(intent, conversation)
        case Recall():
            return recall(intent, conversation)
        case Given():
            return given(intent)
        case Say(text):
            return Reply(text)
        case Unknown(question):
            if tells_something(question):
                return Reply(NOT_KEPT.format(question))
            return Reply(UNKNOWN if alone else NOT_THE_REST.format(question))
