"""Static files: collected for serving when one of them changed, and answered by the process itself."""

import hashlib
import json
import os
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise with each file answered in one piece: they are small, and Django warns of streams here."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:  # type: ignore[override]  # As there.
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file as file:
                content = file.read()
        # Its headers alone: Django's default type would be wrong, and a HEAD has a length without a body.
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response


def collect_if_changed() -> None:
    """Collect them if one changed. Those with a hash stay for one change more: an older process may be serving them."""
    root = Path(settings.STATIC_ROOT)
    stamp = root.with_suffix(".stamp")
    now = fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return
    stamp.unlink(missing_ok=True)  # Collecting that is cut short must be done again.
    clear_but(hashed(root), root)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(now)


def hashed(root: Path) -> set[str]:
    """The names with a hash that were given when files were last collected here."""
    manifest = root / "staticfiles.json"
    return set(json.loads(manifest.read_text())["paths"].values()) if manifest.exists() else set()


def clear_but(kept: set[str], root: Path) -> None:
    """Delete all other files, so that a copy that is younger than a changed source is made again, too."""
    for path in root.rglob("*"):
        if path.is_file() and path.relative_to(root).as_posix().removesuffix(".gz") not in kept:
            path.unlink()


def fingerprint() -> str:
    """Changes with the name, size or time of any static file, wherever it comes from."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(None):
            found = os.stat(storage.path(name))
            digest.update(os.fsencode(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n"))
    return digest.hexdigest()
