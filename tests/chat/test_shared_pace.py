"""Processes that share an endpoint keep to its rate together, through a real Redis."""

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from chat import once_a_minute, shared_pace
from chat.shared_pace import SharedPace
from chat.wire.gate import Gate
from tests.clocks import Clock
from tests.serving import ROOT, free_port

# Passes a gate again and again, and prints when (of the machine's one monotonic clock).
PASSING = """
import asyncio, json, sys, time
from chat.wire.gate import Gate
from chat.shared_pace import SharedPace

async def main(url, endpoint, rate, requests):
    pace = SharedPace(url, endpoint, rate)
    gate, moments = Gate(rate, None, pace=pace), []
    async def request():
        with await gate.join("user") as ticket:
            await ticket.wait()
            moments.append(time.monotonic())
    await pace.reserve()
    print("ready", flush=True)
    sys.stdin.readline()
    await asyncio.gather(*(request() for _ in range(requests)))
    await pace.close()
    print(json.dumps(moments))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


@pytest.fixture
async def server(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def endpoint(server: Redis) -> AsyncIterator[str]:
    """A name that no other test has."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    await server.delete(key(name))


def key(endpoint: str) -> str:
    return f"agentsite:pace:{endpoint}"


async def test_reservations_of_two_are_one_after_the_other(redis_url: str, endpoint: str) -> None:
    hers, his = SharedPace(redis_url, endpoint, 60), SharedPace(redis_url, endpoint, 60)
    waits = [await pace.reserve() for pace in (hers, his, his, hers)]
    await hers.close()
    await his.close()
    assert waits == pytest.approx([0, 1, 2, 3], abs=0.5)
    assert waits == sorted(waits)


async def test_another_endpoint_has_a_pace_of_its_own(redis_url: str, endpoint: str, server: Redis) -> None:
    first, other = SharedPace(redis_url, endpoint, 1), SharedPace(redis_url, f"{endpoint}-other", 1)
    assert [await first.reserve(), await other.reserve()] == [0, 0]
    await first.close()
    await other.close()
    await server.delete(key(f"{endpoint}-other"))


async def test_what_is_kept_in_redis_goes_when_it_is_over(redis_url: str, endpoint: str, server: Redis) -> None:
    pace = SharedPace(redis_url, endpoint, 600)
    await pace.reserve()
    await pace.close()
    assert 0 < await server.pttl(key(endpoint)) <= 102


@pytest.mark.parametrize("odd", ["9" * 18, "no number", "-5"])
async def test_a_moment_that_makes_no_sense_holds_nobody_up(
    redis_url: str, endpoint: str, server: Redis, odd: str
) -> None:
    await server.set(key(endpoint), odd)
    pace = SharedPace(redis_url, endpoint, 60)
    assert await pace.reserve() == 0
    assert await pace.reserve() == pytest.approx(1, abs=0.5)
    await pace.close()


async def test_two_processes_keep_to_one_rate(redis_url: str, endpoint: str) -> None:
    requests, apart = 10, 0.1

    def begin() -> "subprocess.Popen[str]":
        arguments = [sys.executable, "-X", "dev", "-c", PASSING, redis_url, endpoint, "600", str(requests)]
        return subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    both = [begin(), begin()]
    for process in both:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    answers = await asyncio.gather(*(asyncio.to_thread(process.communicate, "go\n", 60) for process in both))
    hers, his = (json.loads(out) for out, _ in answers)
    together = sorted([*hers, *his])
    assert together[-1] - together[0] == pytest.approx((2 * requests - 1) * apart, rel=0.2)
    for n in range(2 * requests - 5):  # the scheduler may be late for one, not for all of them
        assert together[n + 5] - together[n] > 5 * apart - 0.07
    assert abs(hers[-1] - his[-1]) < 3 * apart  # they took turns


async def test_without_redis_each_process_keeps_its_own_pace_and_says_so_once_a_minute(clock: Clock) -> None:
    pace = SharedPace(f"redis://127.0.0.1:{free_port()}", "nobody", 60, clock)
    with capture_logs() as logs:
        for _ in range(4):
            assert await pace.reserve() == 0
            clock.now += shared_pace.ALONE_SECONDS
        assert len(logs) == 1
        clock.now += once_a_minute.SECONDS
        await pace.reserve()
    assert [line["error"] for line in logs] == ["ConnectionError"] * 2
    assert logs[0]["log_level"] == "warning"
    assert not (await Gate(60, None, pace=pace).join("alice")).why
    await pace.close()


async def test_a_redis_that_hangs_holds_nobody_up(clock: Clock) -> None:
    connected = 0

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        pace = SharedPace(f"redis://127.0.0.1:{port}", "hangs", 60, clock)
        async with asyncio.timeout(10):
            assert [await pace.reserve() for _ in range(20)] == [0] * 20
        assert connected == 1
        await pace.close()
