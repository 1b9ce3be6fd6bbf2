"""What alice owns, one row of every kind, each holding a word that nobody else may ever read."""

import hashlib
import zlib
from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth.models import User

from chat.models import Conversation, Fact, FactKind, Payload, Run
from tests.chat.made import NOW, conversation_of, run_in, step_of

WORD = "marzipan"


NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Hers:
    conversation: Conversation
    run: Run
    fact: Fact
    preference: Fact

    @property
    def tool_step(self) -> int:
        return 3


def things_of(owner: User, word: str = WORD) -> Hers:
    """A conversation with a finished run, its steps, a whole result kept apart, a fact and a preference."""
    conversation = conversation_of(owner, f"The {word} title")
    Conversation.objects.filter(pk=conversation.pk).update(instructions=f"The {word} instructions")
    run = run_in(conversation, f"The {word} question", f"The {word} answer", steps=1)
    frozen = {"system": f"The {word} prompt", "tools": [], "mode": ""}
    Run.objects.filter(pk=run.pk).update(request=frozen)
    sent = {"purpose": "answer", "turn": 1, "after": 1, "host": "", "sha256": NOTHING, "bytes": 0}
    step_of(run, 2, input=sent, output={"text": f"The {word} reply"})
    result = f"The {word} result. " * 400
    tool = step_of(run, 3, input={"id": "c1", "arguments": {"city": word}}, output={"text": result})
    Payload.objects.create(step=tool, body=zlib.compress(result.encode()), created=NOW)
    fact = Fact.objects.create(owner=owner, text=f"Likes {word}", message=run.message)
    preference = Fact.objects.create(owner=owner, kind=FactKind.PREFERENCE, key="tone", text=word)
    return Hers(conversation, run, fact, preference)


def all_rows() -> dict[str, list[dict[str, object]]]:
    """Every row of every table, to be compared with later."""
    models = (model for model in apps.get_models() if not model._meta.proxy)
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}
