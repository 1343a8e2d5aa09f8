"""Small projects with a gate of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["MODEL", "project"]

#: a model with a demand that holds, one that is violated with `careful=False`, one that nothing asks, and a goal; 3 states
MODEL: Final = """from draincheck.lang import Model, variant


@variant("bug", careful=False, expect={"safe": "violated", "unasked": "never asked"})
@variant("fixed", expect={"unasked": "never asked"})
def build(careful: bool = True, size: int = 1) -> Model:
    m = Model("queue")
    x, y = m.int("x", 0, size), m.bool("y")
    with m.thread("t") as p:
        p.do("first", x.set(size))
        p.do("second", y.set(not careful))
    m.always("safe", ~y)
    m.assertion("unasked")
    m.reachable("goal", x.is_(size))
    return m
"""


def project(folder: Path, config: str, model: str = MODEL) -> Path:
    """A folder with a model, `ring.py`, and a configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ring.py").write_text(model, encoding="utf-8")
    (folder / "drain-gate.toml").write_text(config, encoding="utf-8")
    return folder
