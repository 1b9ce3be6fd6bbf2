"""Asks for tool calls, or says which tool would be needed and is not on offer."""

from collections.abc import Iterable

from chat.demo.conversation import Conversation, Outcome
from chat.demo.parts import Call, Reply

MOST_ROUNDS = 5
SHOWN = 300  # characters of a result that no answer was made of


def ask(calls: Iterable[Call], conversation: Conversation) -> Reply:
    """The calls as a reply. Without the tool, or after too many rounds, an explanation and what was found so far."""
    calls = tuple(calls)
    missing = sorted({call.name for call in calls} - set(conversation.tools))
    if missing:
        tools = " and ".join(f"`{name}`" for name in missing)
        return Reply(f"For this I need the tool {tools}, which is not on offer here.{findings(conversation)}")
    if conversation.current.rounds >= MOST_ROUNDS:
        return Reply(f"I asked several times and did not get what I needed, so I stop here.{findings(conversation)}")
    return Reply("", calls)


def findings(conversation: Conversation) -> str:
    """What the tools of this exchange told, as a list to end a text with."""
    lines = [f"- `{_shown(outcome)}`" for outcome in conversation.current.outcomes]
    return "\n\nThis is what I found so far:\n\n" + "\n".join(lines) if lines else ""


def _shown(outcome: Outcome) -> str:
    arguments = ", ".join(str(value) for value in outcome.call.arguments.values())
    return f"{outcome.call.name}({arguments}): {outcome.text.strip()[:SHOWN]}".replace("`", "'").replace("\n", " ")
