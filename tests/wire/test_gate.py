"""Requests toward an endpoint: in order, fair between users, evenly, never too many; all in virtual time."""

import asyncio
from collections import deque
from collections.abc import Awaitable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.wire.gate import Gate
from tests import virtual_time
from tests.virtual_time import in_virtual_time, now


def near(*moments: float) -> object:
    return pytest.approx(list(moments), abs=1e-5)


class Passed:
    """Who passed a gate, and when; `request` passes it, and stays inside for `takes` seconds."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.names: list[str] = []
        self.moments: list[float] = []
        self.whys: list[str] = []

    async def request(self, name: str, user: str = "alice", takes: float = 0.0) -> None:
        with await self.gate.join(user) as ticket:
            self.whys.append(ticket.why)
            await ticket.wait()
            self.names.append(name)
            self.moments.append(now())
            await asyncio.sleep(takes)


def gate(rate: int | None = 60, places: int | None = None) -> Gate:
    return Gate(rate, places, clock=now)


async def together(*requests: Awaitable[None]) -> None:
    """All of them, begun in this order."""
    await asyncio.gather(*requests)


@in_virtual_time
async def test_ten_waiters_at_sixty_a_minute_leave_one_second_apart() -> None:
    passed = Passed(gate(60))
    await together(*(passed.request(str(n)) for n in range(11)))
    assert passed.moments == near(*range(11))
    assert passed.names == [str(n) for n in range(11)]


@in_virtual_time
async def test_an_idle_gate_lets_the_first_through_at_once_and_has_no_burst() -> None:
    passed = Passed(gate(60))
    await passed.request("first")
    await asyncio.sleep(3600)
    await together(passed.request("second"), passed.request("third"))
    assert passed.moments == near(0, 3600, 3601)
    assert passed.whys == ["", "", "the rate limit of 60 requests a minute"]


@settings(max_examples=60, deadline=None)
@given(
    rate=st.integers(1, 50),
    places=st.none() | st.integers(1, 3),
    pauses=st.lists(st.floats(0, 90), max_size=70),
    takes=st.floats(0, 5),
)
def test_no_minute_sees_more_than_the_limit(rate: int, places: int | None, pauses: list[float], takes: float) -> None:
    async def check() -> list[float]:
        passed, begun = Passed(gate(rate, places)), []
        for pause in pauses:
            await asyncio.sleep(pause)
            begun.append(asyncio.create_task(passed.request("one", takes=takes)))
        await asyncio.gather(*begun)
        return passed.moments

    moments, minute = virtual_time.run(check()), deque[float]()
    assert len(moments) == len(pauses)
    for moment in moments:
        minute.append(moment)
        while minute[0] <= moment - 60 + 1e-5:
            minute.popleft()
        assert len(minute) <= rate


@in_virtual_time
async def test_only_so_many_are_inside_and_the_next_comes_as_one_leaves() -> None:
    passed = Passed(gate(None, places=2))
    await together(*(passed.request(str(n), f"user {n}", takes=5) for n in range(5)))
    assert passed.moments == near(0, 0, 5, 5, 10)
    assert passed.whys == ["", "", *["one of 2 places"] * 3]


@in_virtual_time
async def test_hanging_requests_of_one_user_leave_a_place_for_the_others() -> None:
    passed = Passed(gate(None, places=3))
    hers = [asyncio.create_task(passed.request(f"alice {n}", "alice", takes=600)) for n in range(5)]
    await asyncio.sleep(1)
    assert passed.names == ["alice 0", "alice 1"]
    assert passed.whys[2:] == ["one of 3 places, the last of which is kept for others"] * 3
    await together(*(passed.request(f"{name} {n}", name, takes=1) for name in ("bob", "carol") for n in range(2)))
    assert passed.names[2:] == ["bob 0", "carol 0", "bob 1", "carol 1"]
    assert passed.moments[2:] == near(1, 2, 3, 4)
    for one in hers:
        one.cancel()
    await asyncio.gather(*hers, return_exceptions=True)


@in_virtual_time
async def test_who_waits_for_a_place_and_leaves_is_in_nobodys_way() -> None:
    passed = Passed(gate(60, places=2))
    hers = [asyncio.create_task(passed.request(f"alice {n}", "alice", takes=10)) for n in range(3)]
    await asyncio.sleep(5)
    hers[1].cancel()
    await together(*hers[::2], passed.request("bob", "bob", takes=20))
    assert passed.names == ["alice 0", "bob", "alice 2"]
    assert passed.moments == near(0, 5, 10)


@in_virtual_time
async def test_users_who_wait_take_turns() -> None:
    passed = Passed(gate(60))
    hers = [passed.request(f"alice {n}", "alice") for n in range(5)]
    his = [passed.request(f"bob {n}", "bob") for n in range(2)]
    await together(*hers, *his)
    assert passed.names == ["alice 0", "alice 1", "bob 0", "alice 2", "bob 1", "alice 3", "alice 4"]


@in_virtual_time
async def test_a_newcomer_does_not_pass_those_who_wait() -> None:
    passed = Passed(gate(60, places=1))
    first = asyncio.create_task(passed.request("first", takes=10))
    await asyncio.sleep(1)
    second = asyncio.create_task(passed.request("second", takes=10))
    await asyncio.sleep(9)  # the place becomes free at the moment in which the third comes
    await together(first, second, passed.request("third", "bob"))
    assert passed.names == ["first", "second", "third"]


@in_virtual_time
async def test_nobody_leaves_while_the_endpoint_wants_to_be_left_alone() -> None:
    lets = gate(60)
    passed = Passed(lets)
    await passed.request("before")
    waiting = asyncio.create_task(passed.request("waiting"))
    await asyncio.sleep(0.5)
    lets.rest(20)
    lets.rest(5)  # a shorter one does not end the longer
    await together(waiting, passed.request("late"), passed.request("later"))
    assert passed.moments == near(0, 20.5, 21.5, 22.5)
    assert passed.whys[2] == "the pause that the endpoint asked for"


@in_virtual_time
async def test_one_who_waits_no_longer_gives_its_turn_to_the_next() -> None:
    passed = Passed(gate(60))
    await passed.request("first")
    waiting = [asyncio.create_task(passed.request(str(n))) for n in range(4)]
    await asyncio.sleep(0.5)
    waiting[0].cancel()  # it had the turn
    waiting[2].cancel()  # it stood in line
    await asyncio.gather(*waiting, return_exceptions=True)
    assert passed.names == ["first", "1", "3"]
    assert passed.moments == near(0, 1, 2)


@in_virtual_time
async def test_a_place_that_becomes_free_as_its_waiter_gives_up_is_not_lost() -> None:
    lets = gate(None, places=1)
    passed = Passed(lets)
    first = await lets.join("alice")
    second, third = (asyncio.create_task(passed.request(name)) for name in ("second", "third"))
    await asyncio.sleep(5)
    lets.leave(first)
    second.cancel()  # woken, and not run yet
    await asyncio.gather(second, third, return_exceptions=True)
    assert passed.names == ["third"]
    assert passed.moments == near(5)


@in_virtual_time
async def test_a_ticket_is_left_once_however_often_that_is_said() -> None:
    lets = gate(None, places=1)
    ticket = await lets.join("alice")
    waiting = await lets.join("alice")
    lets.leave(waiting)
    lets.leave(waiting)
    lets.leave(ticket)
    lets.leave(ticket)
    assert (await lets.join("bob")).admitted
    assert not (await lets.join("bob")).admitted


@settings(max_examples=100, deadline=None)
@given(
    requests=st.lists(
        st.tuples(st.sampled_from("abc"), st.floats(0, 8), st.floats(0, 3), st.none() | st.floats(0, 12)), max_size=25
    )
)
def test_whoever_is_not_cancelled_passes(requests: list[tuple[str, float, float, float | None]]) -> None:
    """Each request: its user, when it begins, how long it takes, and after how long its task is cancelled."""

    async def check() -> None:
        lets = gate(120, places=2)
        passed = Passed(lets)

        async def one(name: str, user: str, begins: float, takes: float) -> None:
            await asyncio.sleep(begins)
            await passed.request(name, user, takes)

        tasks = []
        for number, (user, begins, takes, cancelled) in enumerate(requests):
            tasks.append(asyncio.create_task(one(str(number), user, begins, takes)))
            if cancelled is not None:
                asyncio.get_running_loop().call_later(cancelled, tasks[-1].cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert {str(n) for n, request in enumerate(requests) if request[3] is None} <= set(passed.names)
        await asyncio.sleep(60)
        first, second = await lets.join("y"), await lets.join("z")
        await second.wait()
        assert first.admitted  # every place is free again
        assert second.admitted

    virtual_time.run(check())


class Reserves:
    """A shared pace as its answers say; with `stuck`, one that does not answer."""

    def __init__(self, *answers: float, stuck: bool = False) -> None:
        self.answers = list(answers)
        self.stuck = stuck

    async def reserve(self) -> float:
        if self.stuck:
            await asyncio.sleep(3600)
        return self.answers.pop(0)


@in_virtual_time
async def test_a_shared_pace_makes_it_wait_longer_and_never_shorter() -> None:
    passed = Passed(Gate(60, None, now, Reserves(0, 0, 7)))
    await together(*(passed.request(str(n)) for n in range(3)))
    assert passed.moments == near(0, 1, 8)


@in_virtual_time
async def test_what_was_reserved_for_one_who_went_away_is_used_by_the_next() -> None:
    pace = Reserves(0, 5)
    passed = Passed(Gate(60, None, now, pace))
    await passed.request("first")
    leaves = asyncio.create_task(passed.request("leaves"))
    await asyncio.sleep(3)
    leaves.cancel()
    await passed.request("next")
    assert passed.moments == near(0, 5)
    assert not pace.answers


@in_virtual_time
async def test_a_moment_that_is_long_gone_by_is_reserved_anew() -> None:
    lets = Gate(60, None, now, Reserves(0, 5, 0.25))
    passed = Passed(lets)
    await passed.request("first")
    waiting = asyncio.create_task(passed.request("waiting"))
    await asyncio.sleep(3)
    lets.rest(20)
    await waiting
    assert passed.moments == near(0, 23.25)


@in_virtual_time
async def test_one_who_is_cancelled_while_the_shared_pace_is_asked_leaves_no_trace() -> None:
    pace = Reserves(0, stuck=True)
    passed = Passed(Gate(60, 1, now, pace))
    joining = asyncio.create_task(passed.request("cancelled"))
    await asyncio.sleep(1)
    joining.cancel()
    await asyncio.gather(joining, return_exceptions=True)
    pace.stuck = False
    await passed.request("next")
    assert passed.moments == near(1)
