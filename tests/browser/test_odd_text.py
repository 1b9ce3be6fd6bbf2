"""Text that is drawn in odd ways: everywhere it is stored and read literally, and nothing beside it moves or is hidden.

For each text there is a conversation with that title, whose message, tool argument, tool result, tool error, answer and
run error it is.
"""

import json
from base64 import b64encode
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import databases
from tests.browser.chatting import answers, head, questions, steps
from tests.browser.conftest import Visit, session_of
from tests.scripted import asks, call, says
from tests.security.endpoint import Reply
from tests.security.markup import words
from tests.security.talking import Talking, talking
from tests.security.test_endpoint_text import failing
from tests.serving import hidden
from tools.text import clean

TEXTS = {
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \U0001f3f3\ufe0f\u200d\U0001f308 so",
    "right to left": "\u05e9\u05dc\u05d5\u05dd 12 world!",
    "override": "from \u202ehere to the end",
    "override that ended": "only \u202ethis\u202c turns",
    "isolates": "\u2067turned \u2069\u2069\u202eand out",
    "marks": "e" + "\u0301" * 3000,
    "wide marks": "e" + "\u0489" * 1000,
    "NUL": "zero\x00in it",
    "half a character": "half \ud800 of it",
    "separators": "one\u2028two\u2029three\xa0\xa0four",
    "script": "</script><script>alert(1)</script>",
}
TURNING = r"[\u202a-\u202e\u2066-\u2069]"
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
# What else is read on the page and stands elsewhere once the turning characters are taken out.
MOVED = f"""
(() => {{
  const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) texts.push(walker.currentNode);
  const read = texts.filter((text) => text.data.trim() && text.parentElement.checkVisibility());
  const [odd, others] = [true, false].map((is) => read.filter((text) => /{TURNING}/.test(text.data) === is));
  const place = (text) => {{
    const range = document.createRange();
    range.selectNodeContents(text);
    return range.getBoundingClientRect();
  }};
  const before = others.map(place);
  for (const text of odd) text.data = text.data.replace(/{TURNING}/g, "");
  const far = ({{ x, y }}, there) => Math.abs(x - there.x) > 2 || Math.abs(y - there.y) > 2;
  const moved = others.filter((text, n) => far(before[n], place(text))).map((text) => text.data);
  return odd.length ? moved : ["There is no odd text here."];
}})()
"""
PILED = r"""
(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (!/[\u0301\u0489]{2}/.test(data)) continue;
    (parentElement.closest("tr, .entries > li") ?? parentElement.closest("div, p, pre, h1, a")).dataset.piled = "";
  }
  return document.querySelectorAll("[data-piled]").length;
})()
"""
UNPILED = r"""
document.querySelectorAll("[data-piled]").forEach((one) => {
  const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replace(/\u0301/g, "");
})
"""
DIFFERENT = """
async (pictures) => {
  const [before, after] = await Promise.all(pictures.map(async (picture) => {
    const image = new Image();
    image.src = `data:image/png;base64,${picture}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  }));
  return before.filter((pixel, n) => pixel !== after[n]).length;
}
"""
EDGES = 50  # pixels, of rounded corners, which are not always drawn alike
LEAST = 100  # characters of an endpoint's words, which are cut


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talking]:
    with talking(tmp_path_factory.mktemp("odd"), TOOL_MODULES="tests.browser.echoing") as site:
        yield site


@pytest.fixture(scope="module")
def told(odd: Talking) -> dict[str, tuple[str, str]]:
    """For each text the path of its conversation, and the frames that told of its second run."""
    found = {name: _tell(odd, text) for name, text in TEXTS.items()}
    with databases.opened(odd.site.environment) as database:
        first = "SELECT MIN(id) FROM chat_message WHERE chat_message.text = chat_fact.text"
        database.execute(f"UPDATE chat_fact SET message_id = ({first})")  # noqa: S608
    return found


def _tell(odd: Talking, text: str) -> tuple[str, str]:
    """Ask in a text, be answered in it, then fail in it."""
    odd.alice.post("/settings/facts/", data={**hidden(odd.alice, "/settings/"), "text": clean(text)[:500]})
    odd.conversation = odd.ask(clean(text), asks(call("echo", {"text": text})), says(text))
    odd.answered(odd.conversation)
    failure: list[Reply] = [asks(call("fail", {"words": text})), failing(text)]
    odd.endpoint.replies[clean(text)] = failure
    frames = odd.frames(text, *failure)
    return odd.conversation, "".join(frames)


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_stored_sent_and_read_literally(
    odd: Talking, told: dict[str, tuple[str, str]], visit: Visit, name: str
) -> None:
    (path, frames), text = told[name], clean(TEXTS[name])

    with databases.opened(odd.site.environment) as database:
        stored = database.execute(
            f"SELECT role, text FROM chat_message WHERE conversation_id = '{key(path)}' ORDER BY id"  # noqa: S608
        ).fetchall()
    assert [tuple(row) for row in stored[:3]] == [("user", text), ("assistant", text), ("user", text)]
    assert text in words(frames)

    page = visit(odd.site, session_of(odd.site, "alice"))
    page.goto(path)
    title = page.locator("#title").inner_text()
    assert title
    assert " ".join(text.split()).startswith(title.removesuffix("…"))
    assert [said(part) for part in questions(page).locator(".text").all()] == [text, text]
    assert said(answers(page).first.locator(".said")) == text
    assert text[:LEAST] in said(answers(page).last.locator(".ending"))
    failed = steps(page, "tool").first
    open_all(page)
    assert text[:LEAST] in said(failed.locator(".name small"))
    assert shown_json(value(failed, "Arguments")) == {"words": text}
    assert text in said(value(failed, "Result"))

    answers(page).first.get_by_role("button", name="View run").click()
    expect(steps(page, "tool").locator("code")).to_have_text("echo")
    open_all(page)
    assert said(value(steps(page, "tool"), "Result")) == text
    assert shown_json(value(steps(page, "tool"), "Arguments")) == {"text": text}


@pytest.mark.parametrize("name", ["override", "isolates"])
def test_nothing_beside_it_moves(odd: Talking, told: dict[str, tuple[str, str]], visit: Visit, name: str) -> None:
    path, _ = told[name]
    staff = visit(odd.site, session_of(odd.site, "staff"))
    page = visit(odd.site, session_of(odd.site, "alice"))
    page.goto(path)
    run = str(page.get_by_role("link", name="Open full trace").get_attribute("href"))

    for own in (path, run, "/runs/", "/settings/", f"{path}delete/"):
        page.goto(own)
        page.evaluate(OPEN_ALL)
        assert page.evaluate(MOVED) == [], own
    reviews = (f"conversation/{path.split('/')[2]}/change", f"run/{run.split('/')[2]}/change", "message", "fact")
    for review in reviews:
        staff.goto(f"/admin/chat/{review}/")
        staff.evaluate(OPEN_ALL)
        assert staff.evaluate(MOVED) == [], review


def test_marks_piled_on_a_letter_hide_nothing_beside_it(
    odd: Talking, told: dict[str, tuple[str, str]], visit: Visit
) -> None:
    """But for the blocks that hold them, each page is the same picture with all of the marks and with none."""
    path, _ = told["marks"]
    page = visit(odd.site, session_of(odd.site, "alice"), bypass_csp=True)  # pictures bring styles of their own
    page.goto(path)
    run = str(page.get_by_role("link", name="Open full trace").get_attribute("href"))

    for own in (path, run, "/runs/", "/settings/", f"{path}delete/"):
        page.goto(own)
        page.evaluate(OPEN_ALL)
        assert page.evaluate(PILED) > 0, own
        page.wait_for_load_state("networkidle")
        pictures = []
        for _ in range(2):
            pictures.append(page.screenshot(mask=[page.locator("[data-piled]")], animations="disabled"))
            page.evaluate(UNPILED)
        first, second = (b64encode(picture).decode() for picture in pictures)
        assert page.evaluate(DIFFERENT, [first, second]) < EDGES, own

    page.goto(told["wide marks"][0])
    column = page.locator("#messages").bounding_box()
    assert column
    for part in page.locator(":is(.user .text, .words)").all():
        box = part.bounding_box()
        assert box
        assert box["x"] >= column["x"]
        assert box["x"] + box["width"] <= column["x"] + column["width"]


def key(path: str) -> str:
    """The id of a conversation as its database writes it."""
    return path.split("/")[2] if databases.POSTGRES else path.split("/")[2].replace("-", "")


def said(part: Locator) -> str:
    return part.inner_text().strip()


def open_all(page: Page) -> None:
    for step in steps(page).all():
        head(step).click()


def shown_json(part: Locator) -> object:
    return json.loads(part.inner_text())


def value(step: Locator, name: str) -> Locator:
    return step.locator("dl > div").filter(has_text=name).locator("pre")
