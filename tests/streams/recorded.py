"""Streams as endpoints send them, a file each, made by hand after what was seen of them; and what each one says.

Their bytes count: line ends, comments that keep a connection alive, fields that nobody asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Recorded:
    """`calls` are those that may run, `problems` the number of others, `fails`: it ends in an error."""

    text: str = ""
    reasoning: str = ""
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    problems: int = 0
    fails: bool = False


WARM = "It is warm."
LONDON, TOKYO = ("look", {"place": "London"}), ("look", {"place": "Tokyo"})

STREAMS = {
    "azure_filtered.sse": Recorded(),
    "azure_filters.sse": Recorded(WARM),
    "beyond_ascii.sse": Recorded("Grüße, 世界 🌡 😀"),
    "deepseek_reasoning_call.sse": Recorded("", "I must look.", [LONDON]),
    "encoded_twice.sse": Recorded(calls=[LONDON]),
    "event_fields.sse": Recorded(WARM),
    "first_index_one.sse": Recorded("Let me look.", calls=[LONDON]),
    "gemini_signed_call.sse": Recorded(calls=[LONDON, TOKYO]),
    "groq_call.sse": Recorded("", "Need a look.", [LONDON]),
    "id_in_each_delta.sse": Recorded(calls=[LONDON]),
    "interleaved.sse": Recorded(calls=[LONDON, TOKYO]),
    "length.sse": Recorded(problems=1),
    "llamacpp_name_repeated.sse": Recorded(calls=[LONDON]),
    "llamacpp_object.sse": Recorded(calls=[LONDON]),
    "lmstudio_fragments.sse": Recorded(calls=[LONDON]),
    "mistral_call.sse": Recorded(calls=[LONDON]),
    "never_finished.sse": Recorded("\n\n", calls=[LONDON]),
    "nulls.sse": Recorded(WARM),
    "ollama_thinking.sse": Recorded(WARM, "Let me see."),
    "ollama_two_calls.sse": Recorded(calls=[LONDON, TOKYO]),
    "openai_parallel_calls.sse": Recorded(calls=[LONDON, TOKYO]),
    "openai_refusal.sse": Recorded(),
    "openai_text.sse": Recorded(WARM),
    "openrouter_error.sse": Recorded("It is", fails=True),
    "openrouter_reasoning.sse": Recorded(WARM, "Thinking."),
    "together_no_blank.sse": Recorded(WARM),
    "two_choices.sse": Recorded(WARM),
    "vllm_call.sse": Recorded(calls=[LONDON]),
    "vllm_truncated_call.sse": Recorded(problems=1),
    "whole.json": Recorded(calls=[LONDON]),
    "without_arguments.sse": Recorded(calls=[("wait", {})]),
}


def read_stream(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def content_type(name: str) -> str:
    return "application/json" if name.endswith(".json") else "text/event-stream; charset=utf-8"
