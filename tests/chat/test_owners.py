"""Which processes are known to be gone, by the names under which they own runs."""

import os
import subprocess
from dataclasses import replace

import pytest
from django.db import connection

from chat import owners, runs
from chat.models import Run
from chat.owners import is_dead, this_process
from tests.faults.dying import DEAD


def known_to_be_dead(**parts: str) -> bool:
    """Say whether a process is, that is called as this one but for some parts of the name."""
    return is_dead(str(replace(this_process(), **parts)), runs.PROCESS)


def test_a_process_is_dead_where_that_is_known() -> None:
    one_machine = connection.vendor == "sqlite"
    assert is_dead(DEAD, runs.PROCESS)
    assert known_to_be_dead(pid="4194305")  # above the highest number that Linux gives
    assert known_to_be_dead(start="1")
    assert known_to_be_dead(boot="another") is one_machine
    assert known_to_be_dead(boot="another", host="elsewhere") is one_machine


@pytest.mark.parametrize(
    "parts", [{}, {"host": "elsewhere", "pid": "4194305"}, {"namespace": "1", "pid": "4194305"}, {"boot": ""}]
)
def test_where_it_is_not_known_only_the_lease_tells(parts: dict[str, str]) -> None:
    assert not known_to_be_dead(**parts)
    assert not is_dead("nonsense", runs.PROCESS)
    assert not is_dead("host:4194305:x", runs.PROCESS)


def test_a_process_that_ended_and_that_nobody_asked_for_its_end_is_dead() -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        name = replace(this_process(), pid=str(other.pid), start=owners._start(str(other.pid)))
        assert not is_dead(str(name), runs.PROCESS)
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(str(name), runs.PROCESS)


def test_a_name_fits_into_its_column() -> None:
    longest = replace(this_process(), host="x" * owners.LONGEST_HOST, pid="4194304", start="9" * 12, namespace="9" * 10)
    assert len(str(longest)) <= (Run._meta.get_field("owner").max_length or 0)
