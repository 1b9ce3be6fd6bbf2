"""Acts on wishes about memory: stores, removes, or tells what is remembered."""

import re

from chat.demo.about_user import third_person
from chat.demo.asking import ask
from chat.demo.conversation import Conversation, Memory, Outcome
from chat.demo.intents import Forget, Recall, Remember
from chat.demo.parts import Call, Reply
from chat.demo.vocabulary import words
from chat.demo.wording import words_of

SETTINGS = "Everything remembered is listed on the Settings page (`/settings/`), where you can change and delete it."
SMALL = words(
    "i i'm my me is are am was do does did what what's where who who's when which how you your the a an in of to that",
    "it know remember remembered about have has called name's tell can please again",
)


def remember(intent: Remember, conversation: Conversation) -> Reply:
    arguments: dict[str, object] = {"fact": intent.fact}
    if intent.preference:
        arguments["preference"] = intent.preference
    call = Call("remember", arguments)
    told = _told(call, conversation)
    if not told:
        return ask([call], conversation)
    return Reply(f"{_sentence(told, f'“{_fact(told)}”', 'remembered')}\n\n{SETTINGS}")


def forget(intent: Forget, conversation: Conversation) -> Reply:
    if intent.words == "everything":
        return Reply(f"I forget one thing at a time. {SETTINGS}")
    call = Call("forget", {"fact": _remembered_as(intent.words, conversation.memory)})
    told = _told(call, conversation)
    return Reply(_sentence(told, f"“{_fact(told)}”", "forgotten")) if told else ask([call], conversation)


def recall(intent: Recall, conversation: Conversation) -> Reply:
    memory = conversation.memory
    if intent.question:
        return _answer(intent.question, memory)
    if not (memory.facts or memory.preferences):
        return Reply(
            "Nothing is remembered about you yet. Tell me, for example: *Remember that I live in Berlin.*\n\n"
            + SETTINGS
        )
    lines = [f"- {fact}" for fact in memory.facts]
    lines += [f"- {key.replace('_', ' ').capitalize()}: {value}" for key, value in memory.preferences.items()]
    return Reply("This is what is remembered about you:\n\n" + "\n".join(lines) + f"\n\n{SETTINGS}")


def _told(call: Call, conversation: Conversation) -> Outcome | None:
    """The outcome of a call, or of one to the same tool: a person may have changed it before allowing it."""
    same_tool = conversation.current.outcomes_named(call.name)
    return conversation.current.outcome_of(call) or next(iter(same_tool), None)


def _fact(outcome: Outcome) -> str:
    return str(outcome.call.arguments.get("fact", ""))


def _answer(question: str, memory: Memory) -> Reply:
    """The remembered facts that share most words with the question."""
    asked = _stems(question)
    if re.search(r"\bwhere am i from\b", question, re.IGNORECASE):
        asked |= {"from"}
    known = [*memory.facts, *(f"{key.replace('_', ' ')}: {value}" for key, value in memory.preferences.items())]
    shared = [len(asked & _stems(fact)) for fact in known]
    best = [fact for fact, count in zip(known, shared, strict=True) if count and count == max(shared)]
    if not best:
        return Reply(f"That is not among the things remembered about you. {SETTINGS}")
    return Reply("This is remembered about you: " + "; ".join(f"**{fact}**" for fact in best) + ".")


def _remembered_as(said: str, memory: Memory) -> str:
    """The remembered fact, or the key of the preference, that these words mean; else the words as a fact."""
    wanted = _stems(said)
    known = {fact: _stems(fact) for fact in memory.facts}
    known |= {key: _stems(f"{key.replace('_', ' ')} {value}") for key, value in memory.preferences.items()}
    best = max(known, key=lambda name: len(wanted & known[name]), default="")
    return best if best and wanted & known[best] else third_person(said)


def _stems(text: str) -> set[str]:
    """Words that carry meaning, cut so that "live" and "lives" are the same."""
    return {re.sub(r"(?:'s|ies|es|s|y|e)$", "", word) for word in words_of(text) if word not in SMALL}


def _sentence(outcome: Outcome, about: str, done: str) -> str:
    if outcome.error:
        return f"{about} was not {done}: {outcome.error.rstrip('.')}."
    said = outcome.text.strip() or f"It is {done}."
    return said if about.strip("“”").casefold() in said.casefold() else f"{about}: {said}"
