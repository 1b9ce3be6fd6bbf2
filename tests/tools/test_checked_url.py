"""A URL is parsed once, and every form that two readers might read differently is refused."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.checked_url import CheckedUrl, ports_of
from tools.context import HttpError


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("http://example.com", "example.com", 80, "http://example.com"),
        ("HTTPS://EXAMPLE.com/a?b=c#d", "example.com", 443, "https://example.com/a?b=c"),
        ("http://example.com.:8080/", "example.com", 8080, "http://example.com:8080/"),
        ("http://bücher.example/ü", "xn--bcher-kva.example", 80, "http://xn--bcher-kva.example/%C3%BC"),
        ("http://127.0.0.1/", "127.0.0.1", 80, "http://127.0.0.1/"),
        ("http://[::1]:81/", "::1", 81, "http://[::1]:81/"),
        ("http://[0:0::1]/", "::1", 80, "http://[::1]/"),
        ("http://a_b.example/", "a_b.example", 80, "http://a_b.example/"),
    ],
)
def test_a_url_has_one_reading(text: str, host: str, port: int, url: str) -> None:
    target = CheckedUrl.parse(text)
    assert (target.host, target.port, str(target.url)) == (host, port, url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "//example.com/",
        "http:example.com",
        "http:///etc/passwd",
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "http://user@example.com/",
        "http://user:pass@example.com/",
        "http://example.com@127.0.0.1/",
        "http://:@example.com/",
        r"http://example.com\@127.0.0.1/",
        r"http:\\example.com",
        "http://example.com/\r\nHost: evil",
        "http://example.com/a b",
        "http://exa\tmple.com/",
        "http://example.com\x00/",
        "http://example.com/\x85",
        "http://example.com/\u2028",
        " http://example.com/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://2130706433/",
        "http://0/",
        "http://0177.0.0.1/",
        "http://1.2.3.4.5/",
        "http://example.0x10/",
        "http://１２７.０.０.１/",
        "http://127。0。0。1.1/",
        "http://[::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[v1.x]/",
        "http://exa%6dple.com/",
        "http://a..b/",
        "http://-a.example/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 150}example/",
        "http://example.com:port/",
        "http://example.com:80:80/",
        "http://ex\ud800ample.com/",
        "http://" + "a" * 70_000,
    ],
)
def test_what_can_be_misread_is_refused(text: str) -> None:
    with pytest.raises(HttpError):
        CheckedUrl.parse(text)


def test_full_width_dots_become_the_address_that_is_then_checked() -> None:
    assert CheckedUrl.parse("http://127。0。0。1/").host == "127.0.0.1"


def test_parameters_are_added_to_the_query() -> None:
    target = CheckedUrl.parse("http://example.com/?a=1", {"b": "x y&c", "n": 0.5})
    assert str(target.url) == "http://example.com/?a=1&b=x+y%26c&n=0.5"


@pytest.mark.parametrize(
    "text", ["http://user:canary@example.com/", "http://x:canary/?canary", "canary://x/", "http://[canary]/"]
)
def test_an_error_holds_nothing_of_the_url_but_its_host(text: str) -> None:
    with pytest.raises(HttpError) as error:
        CheckedUrl.parse(text, {"key": "canary"})
    assert "canary" not in "".join(traceback.format_exception(error.value)).partition("HttpError: ")[2]
    assert error.value.__context__ is None or error.value.__suppress_context__


def test_a_redirect_is_read_from_where_it_came() -> None:
    target = CheckedUrl.parse("https://example.com/a/b?c=d")
    assert str(target.join("../e").url) == "https://example.com/e"
    assert target.join("//other.example/").host == "other.example"
    for location in (
        "file:///etc/passwd",
        "http://user@example.com/",
        "http://[",
        "/a\\b",
        "http://x/\r\n",
        "http://0/",
    ):
        with pytest.raises(HttpError):
            target.join(location)


def test_a_list_of_hosts_says_which_ports_are_open() -> None:
    assert ports_of(["Example.com", "wiki.internal:8080", "wiki.internal:8081", "[::1]:90"]) == {
        "example.com": {80, 443},
        "wiki.internal": {8080, 8081},
        "::1": {90},
    }
    for entry in ("http://x/", "x/y", "user@x", "", "x y", "127.1"):
        with pytest.raises(ValueError, match="is not a host or host:port"):
            ports_of([entry])


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    for whole in (text, f"http://{text}", f"https://example.com{text}"):
        try:
            target = CheckedUrl.parse(whole)
        except HttpError:
            continue
        again = CheckedUrl.parse(str(target.url))
        assert (again.host, again.port, str(again.url)) == (target.host, target.port, str(target.url))
