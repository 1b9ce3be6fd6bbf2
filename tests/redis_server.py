"""A Redis of the tests' own, which they may stop, start again and let hang."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests.serving import free_port

PATIENCE = 20.0


class RedisServer:
    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--save", "", "--loglevel", "warning"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        again = Retry(ConstantBackoff(0.05), int(PATIENCE / 0.05))
        with redis.Redis.from_url(self.url, retry=again) as client:
            client.ping()

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Without the program its tests skip, and in CI they fail."""
    if shutil.which("redis-server") is None:
        missing = "No redis-server found. On Debian: apt-get install redis-server"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.go_on()
        server.stop()
