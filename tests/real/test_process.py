"""The process of a local model: when it starts, when it cannot, and that it outlives nobody."""

import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from chat.local import process
from chat.local.process import CannotStart, Engine, start
from tests import databases
from tests.serving import ROOT, free_port, site_environment

ENDS_WITHIN = 10.0
START = "import sys, pathlib; from chat.local.process import start; print(start(pathlib.Path(sys.argv[1])).base_url)"
WAIT = "; sys.stdout.flush(); sys.stdin.read()"


def test_it_ends_with_the_process_that_started_it_however_that_ends(gguf: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START + WAIT, str(gguf)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        url = next(line.strip() for line in parent.stdout if line.startswith("http"))
        assert answers(url)
        parent.kill()
    end = time.monotonic() + ENDS_WITHIN
    while answers(url):
        assert time.monotonic() < end, "It lives on."


def test_a_file_that_is_no_whole_model_is_said_in_llama_cpps_words(gguf: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    with gguf.open("rb") as whole:
        cut.write_bytes(whole.read(3_000_000))
    with pytest.raises(CannotStart, match=r"cut\.gguf', which llama\.cpp cannot load: .*corrupted or incomplete"):
        start(cut)


def test_a_model_that_does_not_say_what_it_can_do_in_time_is_not_started(
    gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PROPERTIES_SECONDS", 0)
    with pytest.raises(CannotStart, match="was loaded, and does not say what it can do: "):
        start(gguf)


def test_without_the_extra_the_start_says_how_to_install_it(gguf: Path, tmp_path: Path) -> None:
    hidden = (
        "import sys; sys.modules['xllamacpp'] = None; sys.argv = ['manage.py', 'serve']; import manage; manage.main()"
    )
    databases.make(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", hidden],
        cwd=ROOT,
        env=site_environment(tmp_path, AGENT_LOCAL_GGUF=str(gguf), PORT=str(free_port())),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("AGENT_LOCAL_GGUF needs the extra [local], which is not installed.")
    assert done.stderr.count("\n") == 1


def test_it_knows_that_this_model_is_told_of_no_tools(engine: Engine) -> None:
    assert not engine.tools


def answers(url: str) -> bool:
    try:
        return httpx2.get(url.removesuffix("/v1") + "/health", trust_env=False).is_success
    except httpx2.TransportError:
        return False
