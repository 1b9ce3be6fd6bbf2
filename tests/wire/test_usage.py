"""Usage and its price."""

from decimal import Decimal

from chat.wire.usage import TOKENS_A_BYTE, estimated, price, read_usage
from chat.wire.values import Call, Reply, Usage

OPENAI = "https://api.openai.com/v1"


def test_counts_that_were_not_reported_stay_unknown() -> None:
    assert read_usage({"prompt_tokens": 7}) == Usage(input=7)
    assert price(Usage(input=7), "gpt-4o-mini", OPENAI) is None


def test_a_known_model_has_a_price() -> None:
    cost = price(Usage(input=1_000_000, output=0), "gpt-4o-mini", OPENAI)
    assert cost is not None
    assert cost > 0


def test_cached_tokens_are_not_paid_twice() -> None:
    fresh = price(Usage(input=1000, output=10), "gpt-4o-mini", OPENAI)
    cached = price(Usage(input=0, cache_read=1000, output=10), "gpt-4o-mini", OPENAI)
    assert fresh is not None
    assert cached is not None
    assert cached < fresh


def test_an_unknown_model_has_no_price() -> None:
    assert price(Usage(input=10, output=10), "some-local-model", "http://127.0.0.1:8080/v1") is None


def test_a_cost_that_the_endpoint_reports_is_taken_as_it_is() -> None:
    usage = read_usage({"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.5})
    assert price(usage, "gpt-4o-mini", OPENAI) == Decimal("0.5")


def test_a_cost_that_is_no_amount_is_none() -> None:
    odd: tuple[object, ...] = ("much", -1, float("nan"), True, None, [])
    for cost in odd:
        assert read_usage({"cost": cost}).cost is None


def test_counts_and_costs_that_cannot_be_are_unknown() -> None:
    usage = read_usage({"prompt_tokens": 10**30, "completion_tokens": 1, "cost": 1_000_000.5})
    assert (usage.input, usage.cost) == (None, None)


def test_a_guess_counts_the_bytes_of_all_that_was_written() -> None:
    said, reasoned, raw = "東京は晴れ", "思考", '{"city": "東京"}'
    usage = estimated(Reply(said, reasoned, (Call("a", "look", {}, raw),)), size=1_000).usage
    written = sum(len(part.encode()) for part in (said, reasoned, "look", raw))
    assert (usage.output, usage.estimated) == (round(written * TOKENS_A_BYTE), True)
