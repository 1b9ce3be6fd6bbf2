"""What a run may use: counted as reported, with enough kept back for one last request."""

from decimal import Decimal
from typing import Any

import pytest

from chat.agent.limits import WORDS, WORK_SHARE, Budget, Limits
from chat.wire.values import Usage
from tests.clocks import Clock


def budget(**limits: Any) -> tuple[Budget, Clock]:
    clock = Clock()
    return Budget(Limits(**limits), clock), clock


def test_without_limits_only_turns_end_a_run() -> None:
    free, clock = budget(turns=2)
    clock.now += 10**6
    free.spend(Usage(input=10**6, output=10**6), Decimal(999))
    assert [free.reached(turn, 10**6) for turn in (1, 2, 3)] == ["", "", "max_turns"]
    assert free.left(last=False) == free.left(last=True) == free.spare(10**6) == float("inf")


def test_all_that_was_read_and_written_counts() -> None:
    counted, _ = budget(tokens=10_000)
    counted.spend(Usage(input=1, cache_read=20, cache_write=300, reasoning=4_000, output=50_000), None)
    assert counted.tokens == 54_321


@pytest.mark.parametrize("prompt", [10, 500, 900])
@pytest.mark.parametrize("reply", [1, 200, 350])
def test_the_last_request_still_fits_into_the_tokens(prompt: int, reply: int) -> None:
    """Whatever the sizes: as long as the limit is not reached, one more call and the last one have room."""
    limit = 5_000
    counted, _ = budget(tokens=limit)
    turn = 1
    while not counted.reached(turn, prompt):
        counted.spend(Usage(input=prompt, output=reply, estimated=True), None)
        turn += 1
        assert counted.reached(turn, prompt) or counted.spare(prompt) >= prompt  # for what its tools answer
    assert counted.reached(turn, prompt) in ("budget", "max_turns")
    assert counted.tokens + prompt + reply <= limit


def test_a_reply_longer_than_all_before_raises_what_is_kept_back() -> None:
    counted, _ = budget(tokens=10_000)
    assert counted.reached(1, 4_700) == ""
    counted.spend(Usage(input=100, output=3_000), None)
    assert counted.reached(2, 450) == ""
    assert counted.reached(2, 451) == "budget"  # 3,100 used, and two calls of 3,451 would be too many


def test_results_may_be_so_long_that_the_last_request_has_room_for_them() -> None:
    counted, _ = budget(tokens=10_000)
    counted.spend(Usage(input=2_000, output=500), None)
    assert counted.spare(2_000) == 10_000 - 2_500 - 2_000 - 2 * 500


def test_a_cost_keeps_the_dearest_call_back() -> None:
    paid, _ = budget(cost=Decimal("1.00"))
    assert paid.reached(1, 10) == ""  # nothing is known of what a call costs
    paid.spend(Usage(), Decimal("0.30"))
    assert paid.reached(2, 10) == ""
    paid.spend(Usage(), Decimal("0.20"))
    assert paid.reached(3, 10) == "budget"
    assert paid.cost + Decimal("0.30") <= Decimal("1.00")


def test_an_unknown_cost_is_none_and_reaches_no_limit() -> None:
    paid, _ = budget(cost=Decimal("0.01"))
    for turn in range(1, 10):
        paid.spend(Usage(input=10), None)
        assert paid.reached(turn, 10) == ""
    assert paid.cost == 0


def test_the_time_for_work_ends_before_the_time_for_summing_up() -> None:
    timed, clock = budget(seconds=100.0)
    clock.now += 100 * WORK_SHARE - 1
    assert timed.reached(1, 10) == ""
    assert timed.left(last=False) == pytest.approx(1)
    clock.now += 1
    assert timed.reached(1, 10) == "timeout"
    assert timed.left(last=True) == pytest.approx(100 * (1 - WORK_SHARE))
    clock.now += 100
    assert timed.left(last=True) < 0


def test_time_is_said_before_tokens_and_tokens_before_turns() -> None:
    all_of_them, clock = budget(turns=1, tokens=1_000, seconds=10.0)
    all_of_them.spend(Usage(input=900, output=90), None)
    assert all_of_them.reached(2, 10) == "budget"
    clock.now += 10
    assert all_of_them.reached(2, 10) == "timeout"


def test_every_limit_has_words_for_the_model_and_the_trace() -> None:
    assert set(WORDS) == {"max_turns", "budget", "timeout"}
