"""An endpoint that is down is left alone, then asked once to see."""

from chat.wire.breaker import Breaker
from tests.clocks import Clock


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, rest=30, clock=clock)
    for _ in range(3):
        assert breaker.open_for() == 0
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row_and_says_how_long_it_rests(clock: Clock) -> None:
    breaker = opened(clock)
    assert breaker.open_for() == 30
    clock.now += 20
    assert breaker.open_for() == 10


def test_failures_with_a_success_between_them_are_not_in_a_row(clock: Clock) -> None:
    breaker = Breaker(failures=3, clock=clock)
    for _ in range(4):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.open_for() == 0


def test_after_the_rest_one_probe_may_go_and_the_others_wait(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    assert [breaker.open_for() for _ in range(3)] == [0, 30, 30]


def test_a_probe_that_succeeds_closes_it(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    assert breaker.open_for() == 0
    breaker.succeeded()
    assert [breaker.open_for() for _ in range(3)] == [0, 0, 0]


def test_a_probe_that_fails_begins_the_rest_anew(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    assert breaker.open_for() == 0
    clock.now += 5
    breaker.failed()
    assert breaker.open_for() == 30


def test_a_probe_that_tells_nothing_does_not_keep_it_open_for_ever(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    assert breaker.open_for() == 0
    clock.now += 30
    assert breaker.open_for() == 0
