"""The explorer as one file: the document, the text of it for those who run no script, styles and scripts, and a policy that lets nothing else in.

The scripts and styles in `page/` go into the file as they are; the content-security policy names their digests, so that nothing runs that is
not theirs, and nothing is ever loaded. What a model calls anything is data: scripts make text of it, never markup.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

from draincheck.explorer.body import body_of, text
from draincheck.explorer.document import ExplorerDocument
from draincheck.explorer.packing import embedded

__all__ = ["SCRIPTS", "render", "script"]

_FILES: Final = Path(__file__).with_name("page")
#: the scripts, in the order in which they are run: the last one begins
SCRIPTS: Final = (
    "dom.js", "document.js", "calls.js", "walk.js", "lanes.js", "panels.js", "waiting.js", "export.js", "keys.js", "overview.js",
    "walkpage.js", "main.js",
)  # fmt: skip

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main><div class="static">
{body}
</div></main>
<script type="application/json" id="document">{document}</script>
<script>{script}</script>
</body>
</html>
"""


def render(document: ExplorerDocument) -> str:
    """The file."""
    style, code = _style(), script()
    return _PAGE.format(
        policy=_policy(style, code),
        title=text(document.title),
        style=style,
        body=body_of(document),
        document=embedded(document),
        script=code,
    )


def _style() -> str:
    return (_FILES / "explorer.css").read_text(encoding="utf-8")


def script() -> str:
    """All scripts, in a scope of their own: what the page executes."""
    parts = [(_FILES / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _policy(style: str, code: str) -> str:
    """Nothing from anywhere, but these styles and this script."""
    return f"default-src 'none'; script-src {_digest(code)}; style-src {_digest(style)}; img-src data:; base-uri 'none'; form-action 'none'"


def _digest(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"
