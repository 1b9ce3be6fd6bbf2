"""Does by hand what Docker does with the Dockerfile, in a folder that stands in for the image's root."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.serving import ROOT
from tests.test_make_run import INSTALLS_WITHIN, ends_early, fresh_environment

INSIDE = ("/app", "/var/lib/agentsite")


@dataclass
class Image:
    """What building left: files below `root`, variables, the user, and what runs and checks a container."""

    root: Path
    environment: dict[str, str]
    workdir: Path
    user: str = "root"
    command: list[str] = field(default_factory=list)
    check: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """Put this image's root before the places that a text names."""
        return re.sub(rf"(?<![\w/])(?={'|'.join(INSIDE)})", str(self.root), text)


def instructions() -> list[tuple[str, str]]:
    """Return the lines of the Dockerfile as word and rest."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    split = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    assert not [rest for _, _, rest in split if rest.endswith("\\")], "a step is one line"
    return [(word, rest) for word, _, rest in split]


def build(files: Path, folder: Path) -> Image:
    """Follow the Dockerfile with these files, with a fresh virtual environment in the place of Python's own image."""
    image = Image(folder / "root", fresh_environment(), folder)
    subprocess.run([Path(sys.executable).resolve(), "-m", "venv", folder / "venv"], check=True)
    image.environment["PATH"] = f"{folder / 'venv' / 'bin'}{os.pathsep}{image.environment['PATH']}"
    for word, rest in instructions():
        follow(image, files, word, image.inside(rest))
    return image


def follow(image: Image, files: Path, word: str, rest: str) -> None:
    match word:
        case "ENV":
            image.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        case "WORKDIR":
            image.workdir = Path(rest)
            image.workdir.mkdir(parents=True)
        case "COPY":
            copy(files, image.workdir, *rest.split())
        case "RUN":
            run(image, rest)
        case "USER":
            image.user = rest
        case "HEALTHCHECK":
            image.check = json.loads(rest.partition(" CMD ")[2])
        case "CMD":
            image.command = json.loads(rest)
        case _:
            assert word in ("FROM", "VOLUME", "EXPOSE"), word


def copy(files: Path, workdir: Path, *names: str) -> None:
    *sources, target = names
    for source in sources:
        if source.endswith("/"):
            shutil.copytree(files / source, workdir / target)
        else:
            shutil.copy(files / source, workdir / target)


def run(image: Image, command: str) -> None:
    """Run a step. Only root may give files away, so others keep them."""
    if os.geteuid():
        command = re.sub(r" --(owner|group)=\S+", "", command)
    (image.root / "var/lib").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=image.workdir,
        env=image.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALLS_WITHIN,
    )
    if done.returncode:  # as `make run` says it, so that a machine without an index is told apart
        ends_early(done.stdout + ("Is a package index within reach?" if " pip " in command else ""))
