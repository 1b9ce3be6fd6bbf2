"""Hints from process to process, through one group of the channel layer that all processes are in.

While Redis is away hints are lost, which is logged once a minute. Nobody waits for it: neither a run nor a page.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from channels.layers import get_channel_layer
from redis import RedisError

from chat.away import Away, complain
from chat.hints import tell_here
from chat.once_a_minute import OnceAMinute

PROCESSES = "processes"
ANSWER_SECONDS = 0.5
AWAY_SECONDS = 0.5  # how long a Redis that did not answer is left alone
AWAY = "redis does not answer, so viewers in other processes see news late"

log = structlog.get_logger("agentsite.hints")

_me = uuid.uuid4().hex
_outbox: dict[tuple[str, bool], None] = {}  # in order, and each once however often it was told meanwhile
_posting: "asyncio.Task[None] | None" = None
_complaints = OnceAMinute()


def post(conversation: uuid.UUID, stop: bool) -> None:
    """Send a hint soon; called with the event loop running."""
    global _posting
    _outbox[conversation.hex, stop] = None
    if _posting is None or _posting.done():
        _posting = asyncio.create_task(_post_all())


async def _post_all() -> None:
    while _outbox:
        conversation, stop = next(iter(_outbox))
        del _outbox[conversation, stop]
        hint = {"type": "hint", "from": _me, "conversation": conversation, "stop": stop}
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await get_channel_layer().group_send(PROCESSES, hint)
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            _complain(error)
            await asyncio.sleep(AWAY_SECONDS)


async def listen(stopped: Callable[[], Awaitable[None]]) -> None:
    """Hear what the other processes tell; where a run is to stop, `stopped` sees whether that is one of ours.

    Neither a hint that makes no sense ends it, nor what `stopped` raises.
    """
    # It says each second, with a traceback, that Redis is away.
    if _in_our_words not in (pubsub := logging.getLogger("channels_redis.pubsub")).filters:
        pubsub.addFilter(_in_our_words)
    layer = get_channel_layer()
    to_stop = asyncio.Event()
    stopping = asyncio.create_task(_stop_each_time(to_stop, stopped))
    try:
        channel = await _join(layer)
        while True:  # once it is in the group, the layer itself comes back to a Redis that was away
            _heed_cancel()
            try:
                _heard(await layer.receive(channel), to_stop)
            except (RedisError, OSError):
                raise
            except Exception as error:  # whoever may write to this Redis can say anything here
                _complain(error, "hint not understood")
    finally:
        stopping.cancel()
        await layer.flush()  # else what it goes on receiving would be kept for nobody


async def _join(layer: Any) -> str:
    """Return a channel of the processes' group, as soon as Redis answers."""
    while True:
        _heed_cancel()
        try:
            channel: str = await layer.new_channel()
            await layer.group_add(PROCESSES, channel)
            return channel
        except (RedisError, OSError) as error:
            _complain(error)
            await layer.flush()
            await asyncio.sleep(AWAY_SECONDS)


def _heed_cancel() -> None:
    """Raise CancelledError where this task was told so: the client of Redis swallows it while it connects."""
    if (task := asyncio.current_task()) and task.cancelling():
        raise asyncio.CancelledError


def _heard(hint: Any, to_stop: asyncio.Event) -> None:
    if hint["from"] == _me:
        return
    conversation = uuid.UUID(hint["conversation"])
    if hint["stop"]:
        to_stop.set()
    tell_here(conversation)


async def _stop_each_time(to_stop: asyncio.Event, stopped: Callable[[], Awaitable[None]]) -> None:
    """Look whether runs are to stop: beside the hints, since it asks the database, and once for many of them."""
    while True:
        await to_stop.wait()
        to_stop.clear()
        try:
            await stopped()
        except Away as gone:  # the process looks for itself every second
            complain(gone.reason)
        except Exception:
            log.exception("runs not stopped")


def _in_our_words(record: logging.LogRecord) -> bool:
    """A filter of a log: take the place of its lines."""
    _complain(record.exc_info[1] if record.exc_info else None)
    return False


def _complain(error: BaseException | None, words: str = AWAY) -> None:
    if _complaints.take(words):
        log.warning(words, error=type(error).__name__)
