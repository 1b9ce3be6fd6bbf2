"""What is counted of runs, for Prometheus, in this process and since it began.

Labels are names of our own, of registered tools and of models that can be chosen: never text that somebody sent, and
never more of them than this page says.
"""

from prometheus_client import Counter, Histogram

from chat.wire.values import Usage, known_sum
from tools.registry import registry

MOST_MODELS = 50  # an endpoint may list others every day
OTHER, UNKNOWN = "other", "unknown"

SHORT = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
LONG = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)

RUNS = Counter("agentsite_runs", "Runs that ended.", ["reason"])
TAKEN_OVER = Counter("agentsite_runs_taken_over", "Runs that went on here after their process was gone.")
RUN_SECONDS = Histogram("agentsite_run_seconds", "Time from a run's begin to its end.", buckets=LONG)
MODEL_SECONDS = Histogram("agentsite_model_call_seconds", "Model calls.", ["model", "outcome"], buckets=LONG)
FIRST_TOKEN_SECONDS = Histogram(
    "agentsite_first_token_seconds", "Time from a request to the first piece of text.", ["model"], buckets=SHORT
)
TOKENS = Counter(
    "agentsite_tokens",
    "Tokens: in (without those from a cache), cached, out; as the endpoint reported them, or as we guessed.",
    ["model", "kind", "source"],
)
COST = Counter("agentsite_cost_dollars", "What the model calls cost, where that is known.", ["model"])
WAIT_SECONDS = Histogram(
    "agentsite_wait_seconds",
    "Waits of model calls: retry, to be sent again; wait, for their turn.",
    ["kind"],
    buckets=SHORT,
)
TOOL_SECONDS = Histogram("agentsite_tool_call_seconds", "Tool calls.", ["tool", "outcome"], buckets=SHORT)

known_models: set[str] = set()


def model_label(name: str) -> str:
    """Return a model's name, or "other" once there are too many of them."""
    if len(known_models) < MOST_MODELS:
        known_models.add(name)
    return name if name in known_models else OTHER


def tool_label(name: str) -> str:
    """Return the name of a tool that there is, else "unknown": models make names up."""
    return name if registry.get(name) else UNKNOWN


def count_model_call(label: str, outcome: str, seconds: float, first_token: float | None) -> None:
    MODEL_SECONDS.labels(label, outcome).observe(seconds)
    if first_token is not None:
        FIRST_TOKEN_SECONDS.labels(label).observe(first_token)


def count_usage(label: str, usage: Usage, cost: float | None) -> None:
    """Count what is known of it; None is left out."""
    kinds = {"in": known_sum(usage.input, usage.cache_write), "cached": usage.cache_read, "out": output(usage)}
    for kind, count in kinds.items():
        if count is not None:
            TOKENS.labels(label, kind, "estimated" if usage.estimated else "reported").inc(count)
    if cost is not None:
        COST.labels(label).inc(cost)


def output(usage: Usage) -> int | None:
    return known_sum(usage.reasoning, usage.output)
