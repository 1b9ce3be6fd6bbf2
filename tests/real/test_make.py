"""`make run` with AGENT_LOCAL_GGUF set installs what a local model needs, and without it does not."""

import subprocess
from pathlib import Path

from tests.serving import ROOT


def test_the_extra_is_installed_where_a_local_model_is_wanted_and_only_there(tmp_path: Path) -> None:
    wanted, plain = steps(tmp_path, "AGENT_LOCAL_GGUF=model.gguf"), steps(tmp_path)
    assert '--editable ".[local]"' in wanted
    assert "[local]" not in plain
    assert wanted.splitlines()[-1] == plain.splitlines()[-1] == f"{tmp_path}/bin/python manage.py serve"


def steps(folder: Path, *variables: str) -> str:
    """What make would do in a checkout where nothing is installed."""
    command = ["make", "--dry-run", "--no-print-directory", "run", f"VENV={folder}", *variables]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
