"""AGENT_LOCAL_GGUF is a file of a model or nothing, and the only endpoint that the environment names."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT, site_environment

SHOW = "import agentsite.settings as s; print(s.AGENT_MODELS)"


def read(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=ROOT,
        env=site_environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "some-model.Q4.gguf"
    file.write_bytes(b"GGUF and more")
    return file


def test_the_model_is_named_as_its_file(tmp_path: Path, model: Path) -> None:
    assert read(tmp_path, AGENT_LOCAL_GGUF=str(model)).stdout == "['some-model.Q4']\n"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/no/such.gguf", "AGENT_LOCAL_GGUF is '/no/such.gguf', which cannot be read: No such file or directory."),
        ("/", "AGENT_LOCAL_GGUF is '/', which cannot be read: Is a directory."),
        ("manage.py", "AGENT_LOCAL_GGUF is 'manage.py', which is no GGUF file."),
    ],
)
def test_a_path_to_no_model_stops_the_start(tmp_path: Path, path: str, sentence: str) -> None:
    done = read(tmp_path, AGENT_LOCAL_GGUF=path)
    assert (done.returncode, done.stderr) == (1, sentence + "\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_BASE_URL", "http://localhost:11434/v1"),
        ("OPENAI_API_KEY", "sk-0123456789"),
        ("AGENT_MODELS", "gpt-5"),
    ],
)
def test_another_endpoint_beside_it_stops_the_start(tmp_path: Path, model: Path, name: str, value: str) -> None:
    done = read(tmp_path, AGENT_LOCAL_GGUF=str(model), **{name: value})
    assert (done.returncode, done.stderr) == (1, f"AGENT_LOCAL_GGUF and {name} are both set; keep one of them.\n")
