"""nginx before a served site, as docs/nginx.conf has it, on ports and with a certificate of the tests' own."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.serving import ROOT

HOST = "chat.example.com"
CONFIGURATION = ROOT / "docs" / "nginx.conf"
STARTED = "start worker processes"
# All that belongs to the whole server: Debian's own is for one that runs for good.
AROUND = """\
user root;
daemon off;
worker_processes 1;
error_log stderr notice;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    {temporary}
    {site}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Ports:
    """Where the site, the proxy's https and its plain http listen."""

    site: int
    https: int
    http: int


def program() -> str:
    """Where nginx is. Without it its tests skip, and in CI they fail."""
    found = shutil.which("nginx", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))
    if found is None:
        missing = "No nginx found. On Debian: apt-get install nginx-light"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def proxied(folder: Path, ports: Ports, silence: int) -> Iterator[ssl.SSLContext]:
    """Run nginx until the block ends; give what trusts its certificate. It waits for so many seconds, not sixty."""
    nginx = program()
    make_certificate(folder)
    replaced = {
        "127.0.0.1:8000": f"127.0.0.1:{ports.site}",
        "listen 443": f"listen 127.0.0.1:{ports.https}",
        "listen 80": f"listen 127.0.0.1:{ports.http}",
        "/etc/nginx/certificates": str(folder),
        "timeout 60s": f"timeout {silence}s",
    }
    file = folder / "nginx.conf"
    file.write_text(configuration(folder, replaced))
    process = subprocess.Popen([nginx, "-c", str(file)], stderr=subprocess.PIPE, text=True)
    try:
        wait_until_started(process)
        yield ssl.create_default_context(cafile=folder / "fullchain.pem")
    finally:
        process.terminate()
        process.communicate()


def configuration(folder: Path, replaced: dict[str, str]) -> str:
    site = CONFIGURATION.read_text()
    for word, other in replaced.items():
        assert word in site, word
        site = site.replace(word, other)
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    return AROUND.format(folder=folder, temporary=temporary, site=site)


def wait_until_started(process: "subprocess.Popen[str]") -> None:
    said = []
    for line in process.stderr or ():
        said.append(line)
        if STARTED in line:
            return
    raise AssertionError("".join(said))


def make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    today = datetime.now(UTC)
    known = [x509.DNSName(HOST), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(known), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
