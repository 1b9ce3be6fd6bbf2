"""Log lines for people or machines: one event each, not to be forged, with the run's id, without secrets."""

import json
import logging
import logging.config
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

import structlog
from structlog.typing import Processor

from chat.wire.redact import is_secret

TALKATIVE = ("asyncio", "daphne", "httpcore2", "httpx2", "openai", "procrastinate")


def configure(settings: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: structlog, Django and every library write through one handler, to stderr."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": _line(settings)},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": settings["level"]},
            "loggers": {
                # Django hangs handlers of its own on these two: mails to administrators, and its access log.
                "django": {"handlers": [], "level": "NOTSET", "propagate": True},
                "django.server": {"handlers": [], "level": "NOTSET", "propagate": True},
                # These tell of every connection, request and job at INFO.
                **{name: {"level": "WARNING"} for name in TALKATIVE},
            },
        }
    )


def _shared() -> list[Processor]:
    """What is done to each event, whoever logs it."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        in_brief,
        structlog.processors.format_exc_info,
    ]


def _line(settings: dict[str, Any]) -> dict[str, Any]:
    """The formatter that makes a line of an event, as dictConfig wants it."""
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _shared(),
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            Redact(settings["secrets"]),
            as_text if settings["form"] == "text" else as_json,
        ],
    }


def in_brief(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: a request that Django refuses is one line, or anybody could fill the log with tracebacks."""
    if str(event.get("logger", "")).startswith("django.security"):
        event.pop("exc_info", None)
    return event


def hide(secret: str) -> None:
    """From here on keep out of every line a secret that came after the start: a key from the database."""
    if is_secret(secret):
        _hidden.update(dict.fromkeys(_forms(secret)))


_hidden: dict[str, None] = {}  # the forms of these secrets


class Redact:
    """A processor: where one of our secrets stands in an event, also inside other values, it becomes `***`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {form for secret in secrets if is_secret(secret) for form in _forms(secret)}
        self.forms = sorted(known, key=len, reverse=True)

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        return {self.text(key): self.value(value) for key, value in event.items()}

    def value(self, value: object) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self.value(inner) for inner in value]
            case _:
                return self.text(repr(value))

    def text(self, text: str) -> str:
        for form in (*self.forms, *_hidden):
            text = text.replace(form, "***")
        return text


def _forms(secret: str) -> set[str]:
    """The secret as it stands, and as it looks inside JSON, a Python repr and a URL."""
    return {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe="")}


def as_text(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """For people: time, level, logger, event and values; a traceback follows, each of its lines indented."""
    head = f"{event.pop('timestamp')} {event.pop('level').upper():<8} {event.pop('logger')}"
    said, below = harmless(str(event.pop("event", ""))), [event.pop("stack", ""), event.pop("exception", "")]
    lines = [" ".join([head, said, *(f"{key}={_shown(value)}" for key, value in event.items())])]
    for block in filter(None, below):
        lines += [f"    | {harmless(line)}" for line in str(block).split("\n")]
    return "\n".join(lines)


def as_json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """For machines: one JSON object a line, in ASCII, so that nothing in it can break the line."""
    return json.dumps(event, ensure_ascii=True)


def _shown(value: object) -> str:
    """A value as one word: as it is where it is plain, else as a JSON string."""
    word = value if isinstance(value, str) else repr(value)
    plain = word and word.isascii() and word.isprintable() and not set(word) & set(' "=')
    return word if plain else harmless(json.dumps(word, ensure_ascii=False))


def harmless(text: str) -> str:
    """The text, with each character that could break, colour or turn around a line written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
