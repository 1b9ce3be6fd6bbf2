"""The commands of docs/deployment.md, so that tests run what the page says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.serving import ROOT

PAGE = ROOT / "docs" / "deployment.md"
PYTHON = ".venv/bin/python"


def block(heading: str) -> str:
    """Return the lines that are set off below a heading of the page, without their indent."""
    _, found, rest = PAGE.read_text().partition(f"### {heading}\n")
    assert found, heading
    rest = re.split(r"^#", rest, maxsplit=1, flags=re.M)[0]
    return "\n".join(line.removeprefix("    ") for line in rest.splitlines() if line.startswith("    "))


def follow(heading: str, environment: dict[str, str], places: dict[str, Path]) -> None:
    """Run the commands below a heading, with these files in the place of those that the page names."""
    commands = block(heading).replace(PYTHON, shlex.quote(sys.executable))
    for named, place in places.items():
        assert named in commands, named
        commands = commands.replace(named, shlex.quote(str(place)))
    subprocess.run(["sh", "-euc", commands], cwd=ROOT, env=environment, check=True, timeout=120)
