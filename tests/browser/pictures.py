"""`python -m tests.browser.pictures` takes the pictures in docs/pictures of a real site, with the demo model.

They show Inter where it is installed (Debian: fonts-inter), else the system's own face.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests import browsers
from tests.browser.chatting import answered, ask, head, start, steps, trace
from tests.serving import ROOT, Site, served

FOLDER = ROOT / "docs" / "pictures"
DESK: ViewportSize = {"width": 1440, "height": 900}
TALL: ViewportSize = {"width": 1440, "height": 1680}  # a whole page of the admin
PHONE: ViewportSize = {"width": 390, "height": 844}
FACE = ':root { --sans: "Inter", system-ui, sans-serif; --font-family-primary: var(--sans) }'
PASSWORD = "only for these pictures"
EARLIER = ("Show me Markdown", "What time is it in New York?", "What's the square root of the humidity in Sydney?")
NOT_OURS = {"OPENAI_BASE_URL": "", "OPENAI_API_KEY": "", "AGENT_MODELS": ""}


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), WEATHER_SOURCE="sample", **NOT_OURS) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=browsers.chromium(), args=browsers.launch_arguments())
        page = opened(browser, site)
        begin(page, site)
        take_all(page)
        browser.close()


def opened(browser: Browser, site: Site) -> Page:
    # Pictures need styles that the site's policy forbids: Playwright's own, and the face.
    return browser.new_page(base_url=site.url, viewport=DESK, device_scale_factor=1.5, bypass_csp=True)


def begin(page: Page, site: Site) -> None:
    """The first account, what is remembered of it, and some conversations."""
    page.goto(site.link)
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/")
    for text in ("Remember that I live in Berlin", *EARLIER):
        start(page, text)
        answered(page)
    page.goto("/settings/")
    for name, value in (("temperature_units", "celsius"), ("answer_length", "short")):
        page.get_by_label("Name").fill(name)
        page.get_by_label("Value").fill(value)
        page.get_by_role("button", name="Add preference").click()
        expect(page.get_by_role("list", name="Preferences")).to_contain_text(name)


def take_all(page: Page) -> None:
    start(page, "What's the weather like in London and Tokyo?")
    answered(page)
    ask(page, "What's the average temperature in London and Tokyo?")
    answered(page, 2)
    chat = page.url
    run = str(trace(page).get_by_role("link", name="Open full trace").get_attribute("href"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(chat)
        head(steps(page, "tool").first).click()
        head(steps(page, "model").last).click()
        take(page, f"chat-{scheme}")
    page.emulate_media(color_scheme="light")
    page.goto("/settings/")
    take(page, "settings")
    review(page, run)
    page.set_viewport_size(PHONE)
    start(page, "What's the weather like in London and Tokyo?")
    answered(page)
    take(page, "phone")


def review(page: Page, run: str) -> None:
    """A run as staff sees it in the admin, one call opened."""
    page.set_viewport_size(TALL)
    page.goto(f"/admin/chat/run/{run.strip('/').split('/')[-1]}/change/")
    call = page.get_by_role("group", name="Steps").get_by_role("row", name="6. calculate")
    call.get_by_text("Input").click()
    call.get_by_text("Output").click()
    take(page, "admin-run")


def take(page: Page, name: str) -> None:
    """A picture of what is on the screen, without marks of the mouse and the keyboard."""
    page.add_style_tag(content=FACE)
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur(), document.fonts.ready")
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    main()
