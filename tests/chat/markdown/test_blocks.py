"""What is said to be closed never changes again, and rendering it apart from the rest makes no difference."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.markdown import render
from chat.markdown.blocks import SHORT, Blocks

ANSWER = """Here is what I found:

1. **Berlin**: 14 °C, cloudy.
   The wind comes from the west.
2. **Tokyo**: 22 °C

   - partly cloudy
   - dry

| City | Temperature |
|:-----|------------:|
| Berlin | 14 °C |
| Tokyo | 22 °C |
As a mean, `18`.

```python
def mean(values):

    # text
    return sum(values) / len(values)
```

## To keep in mind
- Forecasts are *guesses*.
- They are not of the street.
Nor of the wind.

Setext
------
Would you like more? See https://example.com/a_b.
***
That is all.
"""
LISTS = """- a
  - b

    c
- d

e
* f
+ g

  h

    i

1. j
1) k
2) l
   > m
   n

   ```
   o
   ```
p

- q
-
- r
  s
 - t
   - u
      - v
- - - w
- - -
10. x
    y

        code
"""
QUOTES = """> a
b
> c
>
> > d
e

> - f
g
> ```
> h
i
> | j | k |
> |---|---|
> | l | m |
n

> o

> p
# q
> # r
s
"""
FENCES = """````text
```
not closed

~~~
````
~~~ a
```
  ~~~
    ~~~
   ~~~~
After
    not code

    code

    more
\tcode
text
``` ` not a fence
```
open

- to the end
"""
EDGES = """a | b
c | d
--|--
e | f
    code
g
===
h
- i
---
j

#not
# heading #
#
**k** l
__m__ n
* * *
\\
&amp; `o
p`
|q|
|-|
r
- | s
  -|-
- t|u
--|--
"""
DOCUMENTS = [ANSWER, LISTS, QUOTES, FENCES, EDGES, ANSWER.replace("\n", "\r\n"), "\n\n" + LISTS + QUOTES]
LINES = sorted({"", " ", "\t", "      deep", "--", "1."}.union(*(text.splitlines() for text in DOCUMENTS)))


def closed(text: str) -> int:
    return Blocks().grow(text)


def apart(text: str, at: int) -> str:
    return render(text[:at]) + render(text[at:])


def check(text: str) -> None:
    """Let a text grow character by character and look at each new closed part, now and when all is there."""
    blocks, whole, before = Blocks(), render(text), 0
    for end in range(len(text) + 1):
        now = blocks.grow(text[:end])
        assert before <= now == closed(text[:end]) <= end
        if now > before or end % 20 == 0:
            assert apart(text[:end], now) == render(text[:end])
        if now > before:
            assert apart(text, now) == whole
        before = now


@pytest.mark.parametrize("text", DOCUMENTS)
def test_closed_parts_of_a_document_never_change(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from(LINES), max_size=12), st.sampled_from(["\n", "\n", "\r\n", "\r"]))
@settings(max_examples=60, deadline=None)
def test_closed_parts_of_any_mixture_of_lines_never_change(lines: list[str], end: str) -> None:
    check(end.join(lines))


@pytest.mark.parametrize("seed", range(10))
def test_the_pieces_sent_once_and_the_rest_are_the_whole(seed: int) -> None:
    cut = random.Random(seed)  # noqa: S311
    text = "\n".join(cut.choices(DOCUMENTS, k=4))
    blocks, sent, end, html = Blocks(), 0, 0, ""
    while end < len(text):
        end += cut.randint(1, 300)
        now = blocks.grow(text[:end])
        html += render(text[sent:now])
        sent = now
    assert html + render(text[sent:]) == render(text)


@pytest.mark.parametrize(
    ("text", "closed_part"),
    [
        ("A paragraph", ""),
        ("A paragraph\n", ""),
        ("A paragraph\n\n", "A paragraph\n"),
        ("A paragraph\n- ", ""),
        ("A paragraph\n- item\n", "A paragraph\n"),
        ("# Heading", ""),
        ("# Heading\n", "# Heading\n"),
        ("A paragraph\n## H", "A paragraph\n"),
        ("- a\n\n", ""),
        ("- a\n\nT", "- a\n\n"),
        ("- a\nT", ""),
        ("- a\n\n1", ""),
        ("- a\n\n**T", "- a\n\n"),
        ("```\ncode\n\n# no\n", ""),
        ("```\ncode\n```", ""),
        ("```\ncode\n```\n", "```\ncode\n```\n"),
        ("a|b\n-|-\n1|2\n", ""),
        ("a|b\n-|-\n1|2\n\n", "a|b\n-|-\n1|2\n"),
        ("> quote\n", ""),
        ("> quote\n\n", "> quote\n"),
        ("    code\n\n", ""),
        ("    code\n\nT", "    code\n"),
    ],
)
def test_a_block_is_closed_as_soon_as_nothing_can_change_it(text: str, closed_part: str) -> None:
    assert text[: closed(text)] == closed_part


def test_a_definition_stays_open_so_that_it_serves_what_follows() -> None:
    text = "Before.\n\n[1]: https://example.com\n\nSee [it][1].\n\nAnd [again][1].\n\n# End\n"
    assert text[: closed(text)] == "Before.\n"
    assert apart(text, closed(text)) == render(text)


@pytest.mark.parametrize(
    ("opening", "line", "closing"),
    [
        ("```python\n", "x = 1\n", "```\n"),
        ("a | b\n--|--\n", "| 1 | 2 |\n", "\n"),
        ("> a\n", "> word\n", "\n"),
        ("", "word and word\n", "\n"),
    ],
)
def test_a_long_block_is_closed_by_the_line_that_ends_it(opening: str, line: str, closing: str) -> None:
    text = opening + line * (SHORT // 2)
    blocks = Blocks()
    for end in range(0, len(text), 50):
        assert blocks.grow(text[:end]) == 0
    assert blocks.grow(text) == 0
    assert blocks.grow(text + closing) >= len(text)


@pytest.mark.parametrize(
    "text",
    [
        ANSWER * 60,
        "```\n" + "x = 1\n" * 10_000,
        "````\n" + "```\n" * 10_000,
        "- an item\n" * 5_000,
        "1. a\n   - b\n\n     c\n" * 1_000,
        "a|b\n-|-\n" + "| 1 | 2 |\n" * 5_000,
        "> a\n" * 5_000,
        "a\n" * 10_000,
        "word " * 20_000,
        "[a]: https://example.com\n" + "a\n\n" * 10_000,
    ],
    ids=lambda text: text[:8],
)
def test_following_a_long_text_costs_in_proportion_to_it(text: str) -> None:
    blocks, start = Blocks(), time.process_time()
    for end in range(5, len(text) + 5, 5):
        blocks.grow(text[:end])
    assert time.process_time() - start < 20
