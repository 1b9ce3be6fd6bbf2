"""Where a link goes is read as a browser reads it, and anything that two readers may take differently is no link."""

import pytest

from chat.markdown import render
from chat.markdown.links import destination

REST = 'target="_blank" rel="noopener noreferrer nofollow"'


def linked(href: str, text: str, host: str = "") -> str:
    shown = f' <span class="host" dir="ltr">({host})</span>' if host else ""
    return f'<p dir="auto"><a href="{href}" {REST}>{text}</a>{shown}</p>\n'


@pytest.mark.parametrize(
    ("url", "href", "shown"),
    [
        ("https://example.com", "https://example.com", "example.com"),
        ("HTTPS://EXAMPLE.com:8443/a%20b?c=d#e", "https://example.com:8443/a%20b?c=d#e", "example.com"),
        ("https://example.com/Köln", "https://example.com/K%C3%B6ln", "example.com"),
        ("https://paypal.com@evil.com/", "https://evil.com/", "evil.com"),
        ("https://user:paypal.com@evil.com:1", "https://evil.com:1", "evil.com"),
        ("https://a@paypal.com@evil.com", "https://evil.com", "evil.com"),
        ("https://аpple.com", "https://xn--pple-43d.com", "xn--pple-43d.com"),
        ("https://ｅｘａｍｐｌｅ。com", "https://example.com", "example.com"),
        ("https://straße.de", "https://xn--strae-oqa.de", "xn--strae-oqa.de"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/", "127.0.0.1"),
        ("http://[::1]/", "http://[::1]/", "[::1]"),
        ("mailto:ada@example.com", "mailto:ada@example.com", "ada@example.com"),
        ("mailto:ada@example.com?bcc=eve@evil.com&body=x", "mailto:ada@example.com", "ada@example.com"),
        ('https://example.com/"onmouseover="x', "https://example.com/%22onmouseover=%22x", "example.com"),
        ("https://example.com/\\..\\x", "https://example.com/%5C..%5Cx", "example.com"),
    ],
)
def test_a_link_is_written_so_that_its_host_is_what_is_shown(url: str, href: str, shown: str) -> None:
    assert destination(url) == (href, shown)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "/accounts/logout/",
        "//evil.com",
        "?q",
        "#id",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "javascript://example.com/%0aalert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://example.com/1",
        "ftp://example.com",
        "httpſ://example.com",
        "ws://example.com",
        " https://example.com",
        "https:example.com",
        "https:/example.com",
        "https:///example.com",
        "https://",
        "https://.",
        "https://evil.com\\@paypal.com",
        "https://evil.com\t.paypal.com",
        "https://%65vil.com",
        "https://a b.com",
        "https://a\u3000b.com",
        "https://paypal.com\u202e.com",
        "https://☃.net",
        "https://" + "ü" * 300,
        "https://" + "a" * 300 + ".com",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://1.2.3.4.5/",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "https://example.com:port/",
        "mailto:a@b.com,c@d.com",
        "mailto:a%0abcc:c@d.com",
        "mailto:",
    ],
)
def test_everything_else_is_no_link(url: str) -> None:
    assert destination(url) is None


def test_a_link_shows_its_host_beside_its_words() -> None:
    assert render("[my bank](https://evil.com/login)") == linked("https://evil.com/login", "my bank", "evil.com")


@pytest.mark.parametrize("text", ["example.com", "EXAMPLE.com/a", "https://example.com/a", "http://example.com"])
def test_the_host_is_not_repeated_when_the_words_are_its_address(text: str) -> None:
    assert render(f"[{text}](https://example.com/a)") == linked("https://example.com/a", text)


@pytest.mark.parametrize(
    "text",
    ["paypal.com", "paypal.com evil.com", "evil.com.paypal.com", "https://paypal.com@evil.com", "evil.com\u202e", "a"],
)
def test_words_that_are_another_address_do_not_hide_the_host(text: str) -> None:
    assert '<span class="host" dir="ltr">(evil.com)</span>' in render(f"[{text}](https://evil.com)")


def test_a_look_alike_is_shown_as_it_is_looked_up() -> None:
    assert "(xn--pple-43d.com)" in render("[аpple.com](https://аpple.com)")
    assert "(xn--pple-43d.com)" in render("<https://аpple.com>")


def test_a_link_to_nowhere_safe_is_its_words() -> None:
    assert render("[**a** `b`](javascript:alert(1)) [c](/admin/)") == (
        '<p dir="auto"><strong>a</strong> <code>b</code> c</p>\n'
    )


def test_a_link_without_words_shows_its_host() -> None:
    assert render("[](https://example.com/a)") == linked("https://example.com/a", "example.com")


def test_addresses_in_angle_brackets_are_links() -> None:
    assert render("<https://example.com/a>") == linked("https://example.com/a", "https://example.com/a")
    assert render("<ada@example.com>") == linked("mailto:ada@example.com", "ada@example.com")
    assert render("<javascript:alert(1)>") == '<p dir="auto">javascript:alert(1)</p>\n'


@pytest.mark.parametrize(
    ("before", "url", "after"),
    [
        ("See ", "https://example.com/a_b_c?d=e", "."),
        ("(", "https://example.com/a", ")"),
        ("", "https://en.wikipedia.org/wiki/Ada_(name)", ", and more"),
        ("", "https://de.wikipedia.org/wiki/K%C3%B6ln", "!"),
        ("“", "http://example.com/", "”"),
        ("<b>", "http://example.com", "</b>"),
    ],
)
def test_a_bare_address_is_a_link_and_the_punctuation_after_it_is_not(before: str, url: str, after: str) -> None:
    found = destination(url)
    assert found
    html = render(before + url + after)
    assert f'<a href="{found.href}" {REST}>{url}</a>' in html
    assert html.count("<a ") == 1
    assert "host" not in html


@pytest.mark.parametrize(
    "text", ["`https://example.com`", "xhttps://example.com", "https://", "https://...", "http://a:b"]
)
def test_what_only_looks_like_an_address_stays_text(text: str) -> None:
    assert "<a " not in render(text)


def test_a_bare_address_inside_a_link_is_its_words() -> None:
    html = render("[https://paypal.com](https://evil.com)")
    assert html == linked("https://evil.com", "https://paypal.com", "evil.com")


def test_links_by_reference_are_judged_alike() -> None:
    html = render("[a][1] [b][2]\n\n[1]: https://example.com 'title'\n[2]: javascript:alert(1)\n")
    assert html == linked("https://example.com", "a", "example.com").replace("</p>", " b</p>")
