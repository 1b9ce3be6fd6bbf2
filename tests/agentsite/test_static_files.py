"""Static files are collected when one changed, and answered in one piece."""

import json
from pathlib import Path

import httpx2
import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from agentsite.static_files import collect_if_changed
from tests.serving import Site

CSS = "admin/css/base.css"


@pytest.fixture
def folders(settings: Settings, tmp_path: Path) -> tuple[Path, Path]:
    """Where a static file is written, and where it is collected."""
    source, root = tmp_path / "source", tmp_path / "static"
    source.mkdir()
    (source / "a.css").write_text("a {}")
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATICFILES_DIRS = [source]
    settings.STATIC_ROOT = root
    return source, root


def test_they_are_collected_once(folders: tuple[Path, Path]) -> None:
    _, root = folders
    collect_if_changed()
    (root / "a.css").unlink()

    collect_if_changed()

    assert list(root.iterdir()) == []


def test_a_change_collects_them_again_and_drops_what_is_gone(folders: tuple[Path, Path]) -> None:
    source, root = folders
    collect_if_changed()
    (source / "a.css").unlink()
    (source / "b.css").write_text("b {}")

    collect_if_changed()

    assert [path.name for path in root.iterdir()] == ["b.css"]


def test_what_an_older_process_serves_stays_for_one_change_more(folders: tuple[Path, Path], settings: Settings) -> None:
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    source, root = folders
    served = []
    for text in ("a {}", "a { }", "a {  }"):
        (source / "a.css").write_text(text)
        collect_if_changed()
        served.append(json.loads((root / "staticfiles.json").read_text())["paths"]["a.css"])

    assert [(root / name).exists() for name in served] == [False, True, True]
    assert (root / "a.css").read_text() == "a {  }"


def test_collecting_that_was_cut_short_is_done_again(folders: tuple[Path, Path]) -> None:
    source, root = folders
    root.write_text("in the way")
    with pytest.raises(NotADirectoryError):
        collect_if_changed()
    root.unlink()

    collect_if_changed()

    assert (root / "a.css").read_text() == (source / "a.css").read_text()


def test_a_file_is_answered_with_its_type_and_length(client: Client) -> None:
    answer = client.get(f"/static/{CSS}")

    assert answer.headers["Content-Type"] == 'text/css; charset="utf-8"'
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_name_with_a_hash_is_kept_for_years_and_others_for_a_minute(site: Site) -> None:
    manifest = Path(site.environment["VAR_DIR"], "static/staticfiles.json").read_text()
    hashed = json.loads(manifest)["paths"][CSS]

    with httpx2.Client(base_url=site.url + "/static/", trust_env=False) as client:
        kept, plain = client.get(hashed), client.get(CSS)

        assert kept.headers["cache-control"] == "max-age=315360000, public, immutable"
        assert plain.headers["cache-control"] == "max-age=60, public"
        assert kept.headers["content-encoding"] == "gzip"
        assert client.get(hashed, headers={"if-none-match": kept.headers["etag"]}).status_code == 304
        assert client.get(hashed, headers={"range": "bytes=0-9"}).status_code == 206
        assert client.head(hashed).content == b""
        assert client.post(hashed).status_code == 405


@pytest.mark.parametrize("path", ["../db.sqlite3", "%2e%2e/secret_key", "..%2fsecret_key", "static.stamp"])
def test_nothing_beside_them_is_answered(site: Site, path: str) -> None:
    assert httpx2.get(f"{site.url}/static/{path}", trust_env=False).status_code == 404
