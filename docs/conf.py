"""How Sphinx makes the documentation: `make docs` builds it into build/docs, and a warning is an error. README.md in this folder has the reasons."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import draincheck

sys.path.insert(0, str(Path(__file__).parents[1]))
from docs.command_tree import commands
from docs.included import FOLDER, as_built

project = "check-invariants"
author = "The check-invariants authors"
copyright = author
version = release = draincheck.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["README.md"]
nitpicky = True
#: types that signatures show, and that have no page: what a reader needs of them stands in the text
nitpick_ignore_regex = [("py:.*", ".*")]

default_role = "literal"  # what docstrings put between single backticks
highlight_language = "text"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # a page that is included begins with its own title

autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False
toc_object_entries = False

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_sphinx = False
html_copy_source = html_show_sourcelink = False
pygments_style, pygments_dark_style = "friendly", "native"


def setup(app: Any) -> None:
    """Fill the places that are written when the pages are built, and lead links to included files to the pages that include them."""
    app.connect("source-read", _fill)
    app.connect("source-read", _lead)


def _lead(_app: Any, page: str, source: list[str]) -> None:
    source[0] = as_built(FOLDER / f"{page}.md", source[0])


def _fill(_app: Any, page: str, source: list[str]) -> None:
    if page in FILLED:
        before, _, after = source[0].partition("<!-- filled: ")
        source[0] = before + FILLED[page]() + after.partition("-->")[2]


def _names() -> str:
    """The public names of the library, each with its docstring, and what a class can do."""
    return "\n".join(f"```{{eval-rst}}\n.. {_directive(name)}\n```\n" for name in draincheck.__all__)


def _directive(name: str) -> str:
    """What documents a name; of an enumeration its members say all."""
    found = getattr(draincheck, name)
    if not isinstance(found, type):
        return f"autofunction:: draincheck.{name}"
    return f"autoclass:: draincheck.{name}\n   :members:" + ("\n   :undoc-members:" if issubclass(found, Enum) else "")


#: page -> what comes in the place of its comment `filled`
FILLED: dict[str, Callable[[], str]] = {"reference/commands": commands, "reference/python": _names}
