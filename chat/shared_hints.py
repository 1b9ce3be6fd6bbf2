"""Hints from process to process, through one group of the channel layer that all processes are in.

While Redis is away hints are lost, which is logged once a minute. Nobody waits for it: neither a run nor a page.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable

import structlog
from channels.layers import get_channel_layer
from redis import RedisError

from chat.hints import tell_here

PROCESSES = "processes"
ANSWER_SECONDS = 0.5
AWAY_SECONDS = 0.5  # how long a Redis that did not answer is left alone
COMPLAIN_SECONDS = 60.0

log = structlog.get_logger("agentsite.hints")

_me = uuid.uuid4().hex
_outbox: dict[tuple[str, bool], None] = {}  # in order, and each once however often it was told meanwhile
_posting: "asyncio.Task[None] | None" = None
_silent_until = float("-inf")


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
    """Hear what the other processes tell; where a run is to stop, `stopped` sees whether that is one of ours."""
    # It says each second, with a traceback, that Redis is away.
    logging.getLogger("channels_redis.pubsub").addFilter(_in_our_words)
    layer = get_channel_layer()
    while True:
        try:
            channel = await layer.new_channel()
            await layer.group_add(PROCESSES, channel)
        except (RedisError, OSError) as error:
            _complain(error)
            await layer.flush()
            await asyncio.sleep(AWAY_SECONDS)
            continue
        while True:  # once it is in the group, the layer itself comes back to a Redis that was away
            hint = await layer.receive(channel)
            if hint["from"] != _me:
                tell_here(uuid.UUID(hint["conversation"]))
                if hint["stop"]:
                    await stopped()


def _in_our_words(record: logging.LogRecord) -> bool:
    """A filter of a log: take the place of its lines."""
    _complain(record.exc_info[1] if record.exc_info else None)
    return False


def _complain(error: BaseException | None) -> None:
    global _silent_until
    if (now := time.monotonic()) >= _silent_until:
        _silent_until = now + COMPLAIN_SECONDS
        log.warning("redis does not answer, so viewers in other processes see news late", error=type(error).__name__)
