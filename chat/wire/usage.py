"""What a model call used, from whatever the endpoint reports, and what that costs."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal, InvalidOperation

import genai_prices

from chat.wire.values import Reply, Usage

TOKENS_A_BYTE = 0.3  # where nothing is known; English has some 0.25, code and other scripts more
MOST_DOLLARS = 1_000  # of one call; more is a mistake, and would not fit its column


def read_usage(raw: object) -> Usage:
    """Turn a `usage` object of the Chat Completions API into disjoint counts.

    There `prompt_tokens` includes the cached ones and `completion_tokens` the reasoning
    (https://platform.openai.com/docs/api-reference/chat/object), so both are taken out.
    A `cost` in US dollars is taken as given (OpenRouter sends one).
    """
    if not isinstance(raw, Mapping):
        return Usage()
    prompt, completion = _count(raw.get("prompt_tokens")), _count(raw.get("completion_tokens"))
    details = _mapping(raw.get("prompt_tokens_details"))
    read, written = _count(details.get("cached_tokens")), _count(details.get("cache_write_tokens"))
    reasoning = _count(_mapping(raw.get("completion_tokens_details")).get("reasoning_tokens"))
    return Usage(
        input=None if prompt is None else max(0, prompt - (read or 0) - (written or 0)),
        cache_read=read,
        cache_write=written,
        reasoning=reasoning,
        output=None if completion is None else max(0, completion - (reasoning or 0)),
        cost=_dollars(raw.get("cost")),
    )


def estimated(reply: Reply, size: int) -> Reply:
    """Return a reply with counts of its tokens: our own guess, marked so, where the endpoint reported none."""
    usage = reply.usage
    if usage.input is not None and usage.output is not None:
        return reply
    said = (reply.text, reply.reasoning, *(part for call in reply.calls for part in (call.name, call.raw)))
    written = sum(len(part.encode("utf-8", "replace")) for part in said)
    guess = replace(
        usage,
        input=_tokens(size) if usage.input is None else usage.input,
        output=_tokens(written) if usage.output is None else usage.output,
        estimated=True,
    )
    return replace(reply, usage=guess)


def tokens_a_byte(prompt: int, size: int) -> float:
    """Return the rate at which an endpoint counts, within reason: some leave out what they have in their cache."""
    return min(max(prompt / size, TOKENS_A_BYTE / 3), 1.0)


def _tokens(size: int) -> int:
    return max(1, round(size * TOKENS_A_BYTE))


def price(usage: Usage, model: str, base_url: str) -> Decimal | None:
    """Return the cost in US dollars by the price list of genai-prices, or None where it lists no such model."""
    if usage.cost is not None or usage.input is None or usage.output is None:
        return usage.cost
    counted = genai_prices.Usage(
        input_tokens=usage.input + (usage.cache_read or 0) + (usage.cache_write or 0),
        cache_read_tokens=usage.cache_read or 0,
        cache_write_tokens=usage.cache_write or 0,
        output_tokens=usage.output + (usage.reasoning or 0),
    )
    for url in (base_url, None):
        with suppress(LookupError):
            cost = genai_prices.calc_price(counted, model, provider_api_url=url).total_price
            return cost if 0 <= cost < MOST_DOLLARS else None
    return None


def has_price(model: str, base_url: str) -> bool:
    """Say whether the price list has a model. An endpoint may report what a call costs all the same."""
    return price(Usage(input=1, output=1), model, base_url) is not None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else None


def _dollars(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < MOST_DOLLARS else None
