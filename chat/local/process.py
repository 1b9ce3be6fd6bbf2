"""Starts the process of a local model, tells whether it lives, and logs what it says and how it ends."""

import json
import secrets
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx2
import structlog

from chat.local.config import EngineConfig

CONTEXT_TOKENS = 8192  # many models take in more, which a small machine has no memory for
REPLY_TOKENS = 2048  # a small model may go on and on
PROPERTIES_SECONDS = 10.0
PROJECT = Path(__file__).resolve().parent.parent.parent
NOT_INSTALLED = (
    "AGENT_LOCAL_GGUF needs the extra [local], which is not installed. `make run` installs it; "
    "by hand: python -m pip install --editable '.[local]'"
)

log = structlog.get_logger("agentsite.local")


class CannotStart(SystemExit):
    """The local model cannot be started. Uncaught it prints its sentence on stderr and exits with 1, no traceback."""


@dataclass(slots=True, eq=False)
class Engine:
    """A model served on this machine. `tools` says whether its chat template tells it of the tools it is offered."""

    name: str
    key: str
    process: "subprocess.Popen[str]"
    base_url: str = ""
    tools: bool = True
    trouble: str = ""
    stopping: bool = False
    watching: threading.Thread | None = None

    def ended(self) -> str:
        """Say how its process ended; "" while it lives."""
        code = self.process.poll()
        if code is None:
            return ""
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return f"The server of the local model has ended ({how}). The site must be started again."

    def stop(self) -> None:
        """End its process, which ends by itself where this one ends."""
        self.stopping = True
        self.process.terminate()
        self.process.wait()
        if self.watching:
            self.watching.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(BrokenPipeError):
                if pipe:
                    pipe.close()


def start(
    file: Path,
    context: int = CONTEXT_TOKENS,
    reply: int = REPLY_TOKENS,
    threads: int = -1,
    temperature: float | None = None,
) -> Engine:
    """Serve a GGUF file in a process of its own, see EngineConfig; return once it can be asked. Raises CannotStart."""
    if find_spec("xllamacpp") is None:
        raise CannotStart(NOT_INSTALLED)
    began, key = time.monotonic(), secrets.token_urlsafe(32)
    config = EngineConfig(str(file), file.stem, key, context, reply, threads, temperature)
    engine = Engine(config.name, config.key, _process())
    engine.watching = threading.Thread(target=_watch, args=(engine,), name="local model", daemon=True)
    engine.watching.start()
    address = _given(engine.process, config)
    if not address:
        engine.stop()
        trouble = engine.trouble or "what it said stands in the log."
        raise CannotStart(f"AGENT_LOCAL_GGUF is {str(file)!r}, which llama.cpp cannot load: {trouble}")
    engine.base_url = f"{address}/v1"
    try:
        engine.tools = _tells_of_tools(address, key)
    except (httpx2.HTTPError, ValueError) as error:
        engine.stop()
        raise CannotStart(f"The local model was loaded, and does not say what it can do: {error}") from None
    log.info(
        "local model started", model=config.name, pid=engine.process.pid, seconds=round(time.monotonic() - began, 3)
    )
    return engine


def _process() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "chat.local.engine"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C is for the site alone, whose end then ends it
    )


def _given(process: "subprocess.Popen[str]", config: EngineConfig) -> str:
    """Hand over the config; return the address it is served at, "" if the process ends instead."""
    with suppress(BrokenPipeError):
        print(json.dumps(asdict(config)), file=process.stdin, flush=True)
    return process.stdout.readline().strip() if process.stdout else ""


def _watch(engine: Engine) -> None:
    """Log what the process says until it ends, then how it ended."""
    for line in engine.process.stderr or ():
        match line.split(maxsplit=2):
            case [_, "E", text]:  # its clock and the level stand before it
                engine.trouble = engine.trouble or text.strip()
                log.warning("local model says", said=text.strip())
            case [_, *_]:
                log.info("local model says", said=line.strip())
    engine.process.wait()
    if not engine.stopping:
        log.error("local model ended", reason=engine.ended())


def _tells_of_tools(address: str, key: str) -> bool:
    """Ask whether the model's chat template has a place for tools. Where it has none, llama.cpp drops them silently."""
    asked = httpx2.get(
        f"{address}/props", headers={"Authorization": f"Bearer {key}"}, timeout=PROPERTIES_SECONDS, trust_env=False
    )
    said = asked.json().get("chat_template_caps", {})
    return bool(said.get("supports_tools", True))
