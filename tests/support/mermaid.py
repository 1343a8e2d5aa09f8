"""Mermaid itself, in a browser: what it makes of diagrams."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.parts import FILES

PAGE = """<!doctype html><meta charset="utf-8"><script src="mermaid.min.js"></script><body><script>
(async () => {
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
  const drawn = [];
  for (const [number, text] of DIAGRAMS.entries()) {
    try {
      const box = document.createElement("div");
      box.innerHTML = (await mermaid.render("diagram" + number, text)).svg;
      drawn.push([...box.querySelectorAll("text")].map(line => line.textContent));
    } catch (error) { drawn.push("error: " + error); }
  }
  const told = document.createElement("pre");
  told.id = "told";
  told.textContent = JSON.stringify(drawn);
  document.body.replaceChildren(told);
})();
</script>"""


def drawn(diagrams: Sequence[str], folder: Path) -> list[list[str] | str]:
    """For each diagram the lines of text in the picture, or what Mermaid objects to; `folder` holds the page."""
    (folder / "mermaid.min.js").symlink_to(FILES / "mermaid.min.js")
    page = folder / "page.html"
    page.write_text(PAGE.replace("DIAGRAMS", json.dumps(diagrams).replace("<", "\\u003c")), encoding="utf-8")
    browser = ["chromium-headless-shell", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
    command = [*browser, "--virtual-time-budget=60000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    told = re.search('<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told is not None, done.stdout[:1000] + done.stderr[:1000]
    found: list[list[str] | str] = json.loads(html.unescape(told.group(1)))
    return found
