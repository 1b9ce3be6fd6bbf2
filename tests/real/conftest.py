"""A real engine for tests: llama.cpp with a real, very small model. It proves the protocol, and no quality."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.local.process import Engine, start
from tests.gguf import MISSING, small_model

CONTEXT, REPLY, LONG_REPLY, THREADS, TEMPERATURE = 4096, 48, 4000, 1, 0.0


@pytest.fixture(scope="session")
def gguf() -> Path:
    """The model's file. Without it or the engine these tests skip, and in CI they fail."""
    file = small_model()
    if file is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return file


@pytest.fixture(scope="session")
def engine(gguf: Path) -> Iterator[Engine]:
    """The engine, started once, with room for 4096 tokens and replies of 48 at most."""
    started = start(gguf, CONTEXT, REPLY, THREADS, TEMPERATURE)
    yield started
    started.stop()


@pytest.fixture
def talkative(gguf: Path) -> Iterator[Engine]:
    """One that may talk for half a minute."""
    started = start(gguf, CONTEXT, LONG_REPLY, THREADS, TEMPERATURE)
    yield started
    started.stop()
