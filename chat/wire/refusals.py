"""What endpoints do not take, in the words in which they say so."""

import re

# What a request holds that some endpoints refuse, and how they say so. Asked without it, they answer.
_NO = r"(un(supported|known|recognized|expected)|extra|forbidden|(not|n't) (support|permit|allow|accept)|require)"
_TOOLS = r"\btool(s| use| calling| choice)\b(?!\W{0,4}\d)"  # with a number it is one tool that is at fault
REFUSALS = {
    "stream_options": rf"\bstream_options\b.{{0,80}}{_NO}|{_NO}.{{0,60}}\bstream_options\b",
    "tools": rf"{_TOOLS}.{{0,50}}{_NO}|{_NO}.{{0,40}}{_TOOLS}|found that support tool use",
    "reasoning": rf"\breasoning_(content|details)\b.{{0,80}}{_NO}|{_NO}.{{0,60}}\breasoning_(content|details)\b",
    "stop": rf"['\"`]stop\b.{{0,40}}{_NO}|{_NO}.{{0,40}}['\"`]stop\b",
    "ids": r"tool[ _]call[ _]id.{0,80}\b9\b",
    "roles": r"\b(must|should|requests) alternate\b|unexpected role\b.{0,20}\bafter role\b",
    "system": r"\bsystem (role|message|prompt|instruction)s?\b.{0,30}\b(not|n't|un)\W?(support|allow|enabled)"
    r"|developer instruction is not enabled",
}
OF_A_MODEL = frozenset({"tools", "roles", "system"})  # the rest is a matter of the endpoint
ELSE_IT_IS = {"roles": "system"}  # what is meant if the refusal stays: the oldest templates count every role
MAY_REFUSE = (400, 404, 422, 500, 501)  # some fail where they should refuse

# How they say, by code or in words, that a request does not fit into the model's window.
TOO_LONG = (
    "context_length",
    "context length",
    "context window",
    "context_size",
    "context size",
    "maximum context",
    "maximum number of tokens",
    "too many tokens",
    "maximum prompt length",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input too long",
    "input token count",
    "reduce the length",
)
_COUNT = r"(\d{1,3}(?:,\d{3}){1,2}|\d{3,9})"  # of tokens
_WINDOW = (
    rf"\b{_COUNT}(?: tokens?)? (?:is the )?maximum\b|\bn_ctx\W{{1,4}}{_COUNT}\b"
    rf"|\b(?:maximum (?:context|prompt|number|input)|context.(?:size|length|window))[^\d.]{{0,50}}\b{_COUNT}\b"
)


def refused_in(said: str, status: int = 400) -> str:
    """Return what of a request an endpoint does not take, "" if it says nothing of the kind."""
    if status not in MAY_REFUSE:
        return ""
    return next((name for name, words in REFUSALS.items() if re.search(words, said, re.IGNORECASE)), "")


def is_too_long(*said: object) -> bool:
    """Say whether an endpoint's words or codes mean that the request is too long for the model."""
    text = " ".join(str(part) for part in said).lower()
    return any(phrase in text for phrase in TOO_LONG)


def window_in(said: str) -> int | None:
    """Return the tokens that the model takes in, where the words with which a request is found too long name them."""
    found = re.search(_WINDOW, said, re.IGNORECASE)
    return int(next(filter(None, found.groups())).replace(",", "")) if found else None
