"""Names a process as the owner of runs, and says of the one that a name stands for whether it is known to be gone.

A name is host:pid:start:boot:namespace:token: the machine, the process's number and when it started (so that a number
that was given anew is not taken for it), which start of the machine that was, and in which container. Where a part
cannot be read it is empty, and then only the lease tells.
"""

import os
import re
import socket
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import connection

PROC = Path("/proc")
LONGEST_HOST = 40
CONTAINER = re.compile(r"[0-9a-f]{12}")  # the host name that a container gets by itself: its own id


@dataclass(frozen=True, slots=True)
class Owner:
    host: str
    pid: str
    start: str
    boot: str
    namespace: str
    token: str

    def __str__(self) -> str:
        return ":".join((self.host, self.pid, self.start, self.boot, self.namespace, self.token))


def this_process() -> Owner:
    """Return the name of this process, another one each time."""
    pid = str(os.getpid())
    host = socket.gethostname().replace(":", "-")[:LONGEST_HOST]
    return Owner(host, pid, _start(pid), _boot(), _namespace(), uuid.uuid4().hex[:8])


def is_dead(owner: str, me: str) -> bool:
    """Say whether a process is known to be gone: it was on this machine, and is not there any more."""
    if owner == me or owner.count(":") != 5:
        return False
    other, own = Owner(*owner.split(":")), replace(this_process(), token="")
    if not (own.boot and own.start and other.boot and other.start):
        return False
    if other.boot != own.boot:  # before the machine was started anew, as far as all who use one file are on one
        return connection.vendor == "sqlite"
    if other.host != own.host:
        return False
    if other.namespace != own.namespace:  # a container runs once at a time
        return bool(CONTAINER.fullmatch(own.host))
    return _start(other.pid) != other.start


def _start(pid: str) -> str:
    """Return when a process started, in ticks since the machine did; "" if it is gone, or this is not Linux."""
    try:
        stat = (PROC / pid / "stat").read_text()
    except (OSError, ValueError):
        return ""
    state, *numbers = stat.rpartition(")")[2].split()  # the name before that may hold anything
    return "" if state in "ZX" else numbers[18]


def _boot() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()[:13].replace("-", "")
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return re.sub(r"\D", "", str((PROC / "self/ns/pid").readlink()))
    except OSError:
        return ""
