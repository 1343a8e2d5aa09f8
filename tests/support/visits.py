"""A page in a real browser: what happens there that should not is kept, and what can be measured of what is seen."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from tests.support.processes import LONG

__all__ = ["CONTRAST", "Visit", "browsing", "unnamed"]

#: the program that draws the pages
CHROMIUM: Final = "chromium-headless-shell"

#: texts that are hard to read: for each its words and the contrast with what is behind it (WCAG 2, 1.4.3), where it is below 4.5
CONTRAST: Final = """() => {
  const parsed = (text) => (text.match(/[0-9.]+/g) ?? []).map(Number);
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parsed(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const hard = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, words = walker.currentNode.textContent.trim();
    if (!words || !element.checkVisibility() || element.closest("script, style, .sr, svg, :disabled")) continue;
    const [a, b] = [light(parsed(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) hard.push(`${words.slice(0, 40)}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return hard;
}"""


@contextmanager
def browsing() -> Generator[Browser]:
    """A browser."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


class Visit:
    """A page that somebody looks at.

    Attributes:
        page: as the browser has it.
        problems: what was written to the console, which errors came, what was asked of the network, which windows opened.
    """

    def __init__(self, browser: Browser, file: Path, place: str = "", **options: Any) -> None:
        wanted: dict[str, Any] = {"viewport": {"width": 1400, "height": 900}, **options}
        self.context = browser.new_context(**wanted)
        self.context.set_default_timeout(LONG * 1000)
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("console", lambda message: self.problems.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("dialog", self._opened)
        self.page.on("request", lambda request: self._asked(request.url, file.as_uri()))
        self.go(file, place)

    def go(self, file: Path, place: str) -> None:
        """Open a file at a place of it."""
        self.page.goto(f"{file.as_uri()}{place}")
        self.ready()

    def ready(self) -> None:
        """Wait until the page has drawn what it shows; one without scripts has."""
        if self.page.evaluate("document.documentElement.classList.contains('live')"):
            self.page.wait_for_function("document.querySelector('.app')?.childElementCount > 0")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.evaluate("() => new Promise((done) => setTimeout(done))")

    @property
    def place(self) -> str:
        """Where it stands, as its URL says."""
        return str(self.page.evaluate("location.hash"))

    def close(self) -> None:
        """End the visit."""
        self.context.close()

    def _opened(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, url: str, own: str) -> None:
        if url.partition("#")[0] != own and not url.startswith("blob:"):
            self.problems.append(f"request: {url[:80]}")


def unnamed(visit: Visit) -> list[str]:
    """The controls and pictures that have no name for those who do not see them, by their roles."""
    session = visit.context.new_cdp_session(visit.page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "link", "image", "img", "textbox", "dialog", "combobox", "checkbox"}
    shown = (node for node in nodes if not node.get("ignored") and node["role"]["value"] in roles)
    return [node["role"]["value"] for node in shown if not node.get("name", {}).get("value", "").strip()]
