"""Does what a page asks for beside sending a message, over its socket or by a form. Who asks may be here."""

from chat import runs, store
from chat.db import write
from chat.frames import Act, Continue, Edit, Regenerate, Show, Stop, StopAndSend, Unqueue
from chat.models import Conversation


async def act(user: int, conversation: Conversation, frame: Act) -> str:
    """Do it; return the text that goes back into the box it came from, "" if there is none.

    Raises store.Refused or endpoints.NoModel, whose words are for the person.
    """
    here, text = conversation.pk, ""
    match frame:
        case Stop():
            await runs.stop(here, only=frame.run)
        case Edit(message_id=message):
            model = frame.model or conversation.model
            await runs.start(store.edit, here, user, message, frame.message, frame.client_id, model=model)
        case Regenerate(message_id=message):
            model = frame.model or conversation.model
            await runs.start(store.regenerate, here, message, model=model, client_id=frame.client_id)
        case Continue(message_id=message):
            model = frame.model or conversation.model
            await runs.start(store.continue_run, here, message, model=model, client_id=frame.client_id)
        case StopAndSend(message_id=message):
            await runs.stop_and_send(here, message)
        case Show(message_id=message):
            await write(store.show, here, message)
        case Unqueue(message_id=message):
            text = await write(store.unqueue, here, message)
    await runs.hint(here)
    return text
