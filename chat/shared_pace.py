"""The pace of requests toward an endpoint that all processes keep together, through Redis."""

import asyncio
import time
from collections.abc import Callable

import redis
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from chat.once_a_minute import OnceAMinute
from chat.wire.gate import MINUTE

ANSWER_SECONDS = 0.5
ALONE_SECONDS = 5.0  # how long a Redis that did not answer is not asked again

# The key holds the next free moment, in microseconds of Redis' own clock, so that the clocks of the processes need not
# agree. Each reservation is a minute / N after the one before, which keeps any minute to N. A moment that is more than
# a minute away can only come from a clock that was set back.
RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = tonumber(redis.call('GET', KEYS[1]) or 0) or 0
if free < now or free > now + 60000000 then free = now end
local after = free + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1)
return free - now
"""

log = structlog.get_logger("agentsite.pace")


class SharedPace:
    """A chat.wire.gate.Pace for the endpoint of that name; at `requests_per_minute` over all processes.

    While Redis does not answer nothing is reserved, so that each process keeps to its gate's own pace alone: at worst
    the endpoint then sees the limit once for each process. That is logged once a minute.
    """

    def __init__(
        self, url: str, endpoint: str, requests_per_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 1))
        self._reserve = self._redis.register_script(RESERVE)
        self._key = f"agentsite:pace:{endpoint}"
        self._apart = round(MINUTE / requests_per_minute * 1_000_000)
        self._clock = clock
        self._complaints = OnceAMinute(clock)
        self._alone_until = float("-inf")

    async def reserve(self) -> float:
        """Take the next free moment of all processes, and return in how many seconds it is."""
        if self._clock() < self._alone_until:
            return 0.0
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                microseconds = await self._reserve(keys=[self._key], args=[self._apart])
        except (redis.RedisError, OSError) as error:  # a TimeoutError is an OSError
            self._go_alone(error)
            return 0.0
        return float(microseconds) / 1_000_000

    async def close(self) -> None:
        await self._redis.aclose()

    def _go_alone(self, error: Exception) -> None:
        self._alone_until = self._clock() + ALONE_SECONDS
        if self._complaints.take():
            log.warning("redis does not answer, so the rate is kept by this process alone", error=type(error).__name__)
