"""Outbound requests: to checked addresses only, bounded, and under the host's own name. Over real sockets."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tools.http import OutboundHttp, resolve
from tools.registry import HttpError

METADATA = "169.254.169.254"


@dataclass
class Server:
    """Answers each path with the bytes laid down for it, and keeps what it was asked."""

    pages: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(request)
            self.asked.set()
            page = self.pages[request.split()[1].partition("?")[0]]
            writer.write(page)
            await writer.drain()
            if page.endswith(b"never ends"):
                await self.held.wait()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def reply(
    body: str | bytes = "", kind: str = "text/plain; charset=utf-8", status: str = "200 OK", **headers: str
) -> bytes:
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *([f"Content-Type: {kind}"] if kind else [])]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    server.held.set()
    listening.close()
    await listening.wait_closed()


def names(**addresses: list[str] | str) -> Callable[[str, int], "asyncio.Future[list[str]]"]:
    """A resolver that knows these hosts (a_b stands for a.b); of several answers the next each time."""
    known = {name.replace("_", "."): value for name, value in addresses.items()}
    asked: dict[str, int] = {}

    async def resolve(host: str, port: int) -> list[str]:
        if host not in known:
            raise OSError("no such host")
        asked[host] = asked.get(host, 0) + 1
        answers = known[host]
        return [answers] if isinstance(answers, str) else answers[asked[host] - 1].split()

    return resolve  # type: ignore[return-value]


def local(server: Server, **options: object) -> OutboundHttp:
    """A client that may ask the test's server, as 127.0.0.1 and as site.example."""
    hosts = [f"127.0.0.1:{server.port}", f"site.example:{server.port}"]
    resolver = names(site_example="127.0.0.1")
    return OutboundHttp(private_hosts=hosts, **({"resolve": resolver} | options))  # type: ignore[arg-type]


async def refused(http: OutboundHttp, url: str, timeout: float = 10.0) -> str:  # noqa: ASYNC109
    with pytest.raises(HttpError) as error:
        await http.get(url, timeout=timeout)
    return str(error.value)


async def test_a_page_is_read_as_text(server: Server) -> None:
    server.pages["/page"] = reply("Zürich", X_Note="hello")
    response = await local(server).get(f"http://site.example:{server.port}/page", {"q": "a b"})
    assert (response.status, response.text, response.headers["x-note"]) == (200, "Zürich", "hello")
    assert response.url == f"http://site.example:{server.port}/page?q=a+b"


async def test_the_host_is_asked_by_its_name_and_told_nothing_of_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.pages["/"] = reply("ok", Set_Cookie="a=b; Path=/")
    http = local(server)
    await http.get(f"http://site.example:{server.port}/")
    await http.get(f"http://site.example:{server.port}/")
    for request in server.requests:
        lines = [line.partition(":") for line in request.lower().splitlines()[1:] if line]
        headers = {name: value.strip() for name, _, value in lines}
        assert headers["host"] == f"site.example:{server.port}"
        assert headers["accept-encoding"] == "gzip, deflate"
        assert not {"cookie", "authorization", "proxy-authorization"} & set(headers)


async def test_any_status_is_a_response(server: Server) -> None:
    server.pages["/gone"] = reply("gone", status="410 Gone")
    assert (await local(server).get(f"http://127.0.0.1:{server.port}/gone")).status == 410


# Where to


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "0.0.0.0", METADATA, "100.100.100.200", "168.63.129.16", "192.0.0.192"),  # noqa: S104
        *("224.0.0.1", "::1", "fd00:ec2::254", "fe80::1%eth0", "::ffff:127.0.0.1", "::127.0.0.1"),
        *("64:ff9b::127.0.0.1", "2002:7f00:1::", "2001:0:7f00:1::", "ff02::1"),
    ],
)
async def test_a_name_that_leads_to_an_address_that_is_not_public_is_refused(address: str) -> None:
    for answer in (address, f"93.184.215.14 {address}"):
        http = OutboundHttp(resolve=names(evil_example=[answer]))
        assert "may not be asked" in await refused(http, "http://evil.example/")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "0.0.0.0", METADATA, "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::]"),  # noqa: S104
        *("[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fd00:ec2::254]", "127。0。0。1"),
        *("127.1", "0x7f000001", "2130706433", "0", "0177.0.0.1", "１２７.０.０.１", "localhost.", "localhost"),
    ],
)
async def test_this_machine_and_its_neighbours_are_refused_however_they_are_written(host: str) -> None:
    await refused(OutboundHttp(), f"http://{host}/")


async def test_the_systems_resolver_understands_numbers_and_what_it_says_is_checked() -> None:
    for number in ("127.1", "0x7f000001", "2130706433", "localhost"):
        assert "127.0.0.1" in await resolve(number, 80)
    assert "may not be asked" in await refused(OutboundHttp(), "http://localhost/")


async def test_a_metadata_service_stays_closed_to_a_private_host() -> None:
    http = OutboundHttp(private_hosts=["wiki.example", METADATA], resolve=names(wiki_example=METADATA))
    assert "metadata" in await refused(http, "http://wiki.example/")
    assert "metadata" in await refused(http, f"http://{METADATA}/")


async def test_odd_ports_are_refused_unless_they_were_opened(server: Server) -> None:
    server.pages["/"] = reply("ok")
    resolver = names(site_example="127.0.0.1", other_example="127.0.0.1")
    http = local(server, resolve=resolver)
    assert (await http.get(f"http://site.example:{server.port}/")).text == "ok"
    assert "port 22 is not open" in await refused(http, "http://site.example:22/")
    assert "is not open" in await refused(http, f"http://other.example:{server.port}/")
    closed = OutboundHttp(private_hosts=["site.example"], resolve=resolver)
    assert "is not open" in await refused(closed, f"http://site.example:{server.port}/")


async def test_the_address_that_was_checked_is_the_one_connected_to(server: Server) -> None:
    """The name is asked for once; a second question, which could be answered differently, would fail here."""
    server.pages["/"] = reply("ok")
    http = local(server, resolve=names(site_example=["127.0.0.1"]))
    assert (await http.get(f"http://site.example:{server.port}/")).text == "ok"


async def test_a_name_that_changes_its_address_is_checked_again_at_every_redirect(server: Server) -> None:
    server.pages["/"] = reply(status="302 Found", Location="/")
    http = local(server, resolve=names(site_example=["127.0.0.1", METADATA]))
    assert "metadata" in await refused(http, f"http://site.example:{server.port}/")
    assert len(server.requests) == 1


async def test_the_next_address_is_tried_where_the_first_does_not_answer(server: Server) -> None:
    server.pages["/"] = reply("ok")
    http = local(server, resolve=names(site_example=["127.0.0.9 ::1 127.0.0.1"]))
    assert (await http.get(f"http://site.example:{server.port}/")).text == "ok"


async def test_a_name_without_an_address_is_an_error() -> None:
    assert "no such host" in await refused(OutboundHttp(resolve=names()), "http://example.com/")
    assert "no such host" in await refused(OutboundHttp(resolve=names(a_b=[""])), "http://a.b/")


# Redirects


async def test_three_redirects_are_followed_and_no_fourth(server: Server) -> None:
    for n in range(4):
        server.pages[f"/{n}"] = reply(status="302 Found", Location=f"/{n + 1}")
    server.pages["/4"] = reply("arrived")
    base = f"http://127.0.0.1:{server.port}"
    response = await local(server).get(f"{base}/1")
    assert (response.text, response.url) == ("arrived", f"{base}/4")
    assert "more than 3 redirects" in await refused(local(server), f"{base}/0")


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/",
        f"http://{METADATA}/latest/meta-data/",
        "http://127.1/",
        "http://[::ffff:10.0.0.1]/",
        "//inner.example/",
        "http://127.0.0.1:22/",
        "file:///etc/passwd",
        "http://user:pass@127.0.0.1/",
        r"http://example.com\@127.0.0.1/",
    ],
)
async def test_a_redirect_is_checked_like_the_first_url(server: Server, location: str) -> None:
    server.pages["/"] = reply(status="307 Temporary Redirect", Location=location)
    http = local(server, resolve=names(inner_example="192.168.0.1"))
    await refused(http, f"http://127.0.0.1:{server.port}/")
    assert len(server.requests) == 1


# How much, and of what


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
async def test_a_body_over_a_megabyte_is_refused_after_decompression(server: Server, encoding: str) -> None:
    body = b"x" * 20_000_000
    packed = {"identity": body, "gzip": gzip.compress(body), "deflate": zlib.compress(body)}[encoding]
    server.pages["/"] = reply(packed, Content_Encoding=encoding)
    assert "more than 1 MB" in await refused(local(server), f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "GZip"])
async def test_a_compressed_body_is_unpacked(server: Server, encoding: str) -> None:
    packed = zlib.compress(b"hello") if encoding == "deflate" else gzip.compress(b"hello")
    server.pages["/"] = reply(packed, Content_Encoding=encoding)
    assert (await local(server).get(f"http://127.0.0.1:{server.port}/")).text == "hello"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "compress"])
async def test_stacked_and_unknown_compressions_are_refused(server: Server, encoding: str) -> None:
    server.pages["/"] = reply(gzip.compress(gzip.compress(b"x")), Content_Encoding=encoding)
    assert "packed" in await refused(local(server), f"http://127.0.0.1:{server.port}/")


async def test_packing_that_unpacks_to_nothing_is_counted_as_sent(server: Server) -> None:
    empty = b"\x00\x00\x00\xff\xff" * 400_000  # stored blocks of no length
    server.pages["/"] = reply(b"\x78\x9c" + empty, Content_Encoding="deflate")
    assert "more than 1 MB" in await refused(local(server), f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"hello")[:-9]], ids=["not packed", "cut"])
async def test_damaged_packing_is_an_error(server: Server, body: bytes) -> None:
    server.pages["/"] = reply(body, Content_Encoding="gzip")
    assert "damaged" in await refused(local(server), f"http://127.0.0.1:{server.port}/")


async def test_packing_of_an_empty_body_is_an_empty_body(server: Server) -> None:
    server.pages["/"] = reply(b"", Content_Encoding="gzip")
    assert (await local(server).get(f"http://127.0.0.1:{server.port}/")).text == ""


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "application/pdf", "", "textual/x"])
async def test_only_text_is_read(server: Server, kind: str) -> None:
    server.pages["/"] = reply("x", kind)
    assert "not text" in await refused(local(server), f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    "kind", ["text/html", "Application/JSON; charset=utf-8", "application/ld+json", "image/svg+xml"]
)
async def test_what_counts_as_text(server: Server, kind: str) -> None:
    server.pages["/"] = reply("x", kind)
    http = local(server)
    if kind == "image/svg+xml":
        await refused(http, f"http://127.0.0.1:{server.port}/")
    else:
        assert (await http.get(f"http://127.0.0.1:{server.port}/")).text == "x"


async def test_an_empty_body_needs_no_type(server: Server) -> None:
    server.pages["/"] = reply(kind="", status="204 No Content")
    assert (await local(server).get(f"http://127.0.0.1:{server.port}/")).text == ""


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("iso-8859-1", b"\xfc", "ü"),
        ('"shift_jis"', "日本".encode("shift_jis"), "日本"),
        ("punycode", b"abc-", "abc-"),
        ("unicode_escape", rb"\u0041", r"\u0041"),
        ("no-such", "ü".encode(), "ü"),
        ("utf-8", b"\xff", "\N{REPLACEMENT CHARACTER}"),
    ],
)
async def test_the_charset_is_one_of_those_that_pages_use(server: Server, charset: str, body: bytes, text: str) -> None:
    server.pages["/"] = reply(body, f"text/plain; charset={charset}")
    assert (await local(server).get(f"http://127.0.0.1:{server.port}/")).text == text


# How long


async def test_a_server_that_never_ends_is_left_at_the_limit(server: Server) -> None:
    server.pages["/"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nnever ends"
    url = f"http://127.0.0.1:{server.port}/?key=canary"
    assert await refused(local(server), url, timeout=0.05) == "127.0.0.1 did not answer within 0.05 s"


async def test_a_resolver_that_hangs_is_left_at_the_limit() -> None:
    async def hang(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    assert "did not answer" in await refused(OutboundHttp(resolve=hang), "http://example.com/", timeout=0.01)


async def test_a_stop_ends_a_request(server: Server) -> None:
    server.pages["/"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nnever ends"
    asking = asyncio.create_task(local(server).get(f"http://127.0.0.1:{server.port}/"))
    await asyncio.wait_for(server.asked.wait(), 10)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asking, 5)


# What is said of a failure


@pytest.mark.parametrize(
    "page", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Type: text/plain\r\n\r\nshort", b"canary\r\n\r\n"]
)
async def test_a_broken_reply_is_an_error_without_anything_of_the_request(server: Server, page: bytes) -> None:
    server.pages["/"] = page
    message = await refused(local(server), f"http://127.0.0.1:{server.port}/?key=canary")
    assert message == "127.0.0.1: it broke off or does not speak HTTP"


async def test_a_closed_port_is_an_error() -> None:
    http = OutboundHttp(private_hosts=["127.0.0.1:9"])
    assert await refused(http, "http://127.0.0.1:9/?key=canary") == "127.0.0.1: no connection could be made"


async def test_json_is_parsed_and_everything_else_is_an_error(server: Server) -> None:
    base = f"http://127.0.0.1:{server.port}"
    server.pages |= {
        "/good": reply('{"a": [1]}', "application/json"),
        "/bad": reply("<html>", "text/html"),
        "/deep": reply("[" * 100_000, "application/json"),
        "/error": reply('{"secret": "canary"}', "application/json", status="400 Bad Request"),
    }
    http = local(server)
    assert await http.get_json(f"{base}/good") == {"a": [1]}
    for path, reason in [("/bad", "not JSON"), ("/deep", "not JSON"), ("/error", "status 400")]:
        with pytest.raises(HttpError, match=reason) as error:
            await http.get_json(base + path, {"key": "canary"})
        assert "canary" not in str(error.value)


# TLS


def certificate(folder: Path, host: str) -> Path:
    """A certificate for the host that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def test_the_certificate_must_be_that_of_the_name_that_was_asked_for(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "site.example")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(pem)
    asked_for: list[str | None] = []
    served.sni_callback = lambda socket, name, context: asked_for.append(name)
    server = Server({"/": reply("secret")})
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0, ssl=served)
    port = listening.sockets[0].getsockname()[1]
    hosts = [f"site.example:{port}", f"other.example:{port}"]
    resolver = names(site_example="127.0.0.1", other_example="127.0.0.1")
    trusting = OutboundHttp(private_hosts=hosts, resolve=resolver, tls=ssl.create_default_context(cafile=str(pem)))
    usual = OutboundHttp(private_hosts=hosts, resolve=resolver)
    async with listening:
        assert (await trusting.get(f"https://site.example:{port}/")).text == "secret"
        assert "certificate" in await refused(trusting, f"https://other.example:{port}/")
        assert "certificate" in await refused(usual, f"https://site.example:{port}/")
    assert asked_for == ["site.example", "other.example", "site.example"]
    assert len(server.requests) == 1
