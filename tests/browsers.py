"""Finds the Chromium that the browser tests use, and how it is to be started here."""

import os
import shutil


def chromium() -> str | None:
    """Its path: what CHROMIUM says, else the one that the system has installed."""
    said = os.environ.get("CHROMIUM")
    names = (said,) if said else ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


def launch_arguments() -> list[str]:
    """Quiet: it looks up nothing of its own, and no page can make it reach another machine."""
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ]
    # Chromium's sandbox does not start for root, who runs the tests in containers.
    return [*arguments, "--no-sandbox"] if os.geteuid() == 0 else arguments
