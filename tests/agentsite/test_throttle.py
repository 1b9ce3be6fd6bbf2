"""Attempts are counted per key, for a while, and in little memory."""

from concurrent.futures import ThreadPoolExecutor

from agentsite import throttle
from agentsite.throttle import Throttle
from tests.clocks import Clock


def test_the_limit_is_reached_and_says_how_long_it_holds(clock: Clock) -> None:
    attempts = Throttle(limit=2, seconds=60, clock=clock)

    assert [attempts.attempt("alice") for _ in range(2)] == [0, 0]
    clock.now += 45
    assert attempts.attempt("alice") == 15


def test_refused_attempts_do_not_make_the_wait_longer(clock: Clock) -> None:
    attempts = Throttle(limit=1, seconds=60, clock=clock)
    for _ in range(5):
        attempts.attempt("alice")

    clock.now += 60

    assert attempts.attempt("alice") == 0


def test_one_key_says_nothing_about_another(clock: Clock) -> None:
    attempts = Throttle(limit=1, seconds=60, clock=clock)
    attempts.attempt("alice")

    assert attempts.attempt("alice") > 0
    assert attempts.attempt("bob") == 0


def test_what_is_forgotten_starts_anew(clock: Clock) -> None:
    attempts = Throttle(limit=1, seconds=60, clock=clock)
    attempts.attempt("alice")

    attempts.forget("alice")

    assert attempts.attempt("alice") == 0


def test_a_good_attempt_is_given_back(clock: Clock) -> None:
    attempts = Throttle(limit=2, seconds=60, clock=clock)
    for _ in range(10):
        assert attempts.attempt("here") == 0
        attempts.give_back("here")

    assert [attempts.attempt("here") == 0 for _ in range(3)] == [True, True, False]
    attempts.give_back("never seen")


def test_many_at_once_get_no_more_than_the_limit() -> None:
    attempts = Throttle(limit=5, seconds=60)

    with ThreadPoolExecutor(20) as pool:
        waits = list(pool.map(attempts.attempt, ["alice"] * 200))

    assert waits.count(0) == 5


def test_a_flood_of_keys_pushes_out_the_oldest(clock: Clock) -> None:
    attempts = Throttle(limit=1, seconds=60, clock=clock)
    for number in range(throttle.MOST_KEYS + 1):
        attempts.attempt(f"name {number}")

    assert attempts.attempt(f"name {throttle.MOST_KEYS}") > 0
    assert attempts.attempt("name 0") == 0
