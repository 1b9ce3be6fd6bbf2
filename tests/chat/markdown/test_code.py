"""Code in an answer is coloured where its language is known, and always readable as it was written."""

import re
import time
from html import escape, unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.markdown.code import CLASSES, LANGUAGES, LONGEST, coloured


def plain(html: str) -> str:
    """Return the text of highlighted code, after a look at its markup."""
    assert set(re.findall(r"<[^>]*>", html)) <= {"</span>"} | {f'<span class="{name}">' for name in CLASSES}
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_parts_of_code_have_classes_by_what_they_are() -> None:
    assert coloured('def f(x): return "<" + 1  # <b>', "python") == (
        '<span class="keyword">def</span> <span class="name">f</span>(x): <span class="keyword">return</span> '
        '<span class="string">&quot;&lt;&quot;</span> <span class="operator">+</span> <span class="number">1</span>  '
        '<span class="comment"># &lt;b&gt;</span>'
    )


@pytest.mark.parametrize("language", ["", "text", "klingon", "<script>", "python\x00", "__class__", "markdown"])
def test_code_of_no_known_language_is_plain(language: str) -> None:
    assert coloured("if a < b: pass", language) == "if a &lt; b: pass"


@pytest.mark.parametrize("language", ["Python", "py", "JS", "C++", "c#", "sh", "yml", "dockerfile"])
def test_languages_are_known_by_their_usual_names(language: str) -> None:
    assert "<span" in coloured("FROM x # 'a' \"b\" if: 1", language)


def test_the_last_line_is_coloured_like_the_others() -> None:
    assert coloured("x = 1 # b", "python").endswith('<span class="comment"># b</span>')
    assert coloured("int x; // b", "c").endswith('<span class="comment">// b</span>')


@given(st.sampled_from(sorted(LANGUAGES)), st.text("aif01 \t\n\r(){}[]<>&'\"`/\\*#-=:;,.$@%!?|_é\ufeff", max_size=60))
@settings(max_examples=300, deadline=None)
def test_colours_change_nothing_but_colours(language: str, code: str) -> None:
    assert plain(coloured(code, language)) == code


@pytest.mark.parametrize(
    "code",
    ["\n" * 6_000, "a " * 3_000, "a\n" * 3_000, " " * 6_000, "\\" * 6_000, '"' + "\\a" * 3_000, "x = 1\n" * LONGEST],
)
@pytest.mark.parametrize("language", ["c", "java", "c#", "php"])
def test_what_lexers_are_slow_at_is_plain(language: str, code: str) -> None:
    start = time.process_time()
    assert coloured(code, language) == escape(code)
    assert time.process_time() - start < 5
