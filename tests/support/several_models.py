"""`check` of several models, and what it prints."""

from __future__ import annotations

import json
from typing import Any

from tests.golden.documents import validator
from tests.support.cli import run

__all__ = ["COUNTER", "document", "lines"]

#: a function with variants, as a file has it
COUNTER = """
from draincheck.lang import Model, variant

@variant("low", last=2)
@variant("high", last=4, expect={"below": "violated"})
def counter(last: int = 2, step: int = 1, ask: bool = True) -> Model:
    m = Model("counter")
    n = m.int("n", 0, 9)
    with m.thread("thread") as p, p.while_(n < last):
        p.do("up", n.inc(step))
    m.always("below", n < 3)
    m.assertion("asked")
    if ask:
        with m.thread("other") as p:
            p.check("asked", n < 9)
    return m
"""


def document(*arguments: str, code: int) -> dict[str, Any]:
    """The JSON document, checked against its schema."""
    result = run("check", *arguments, "--json")
    assert result.exit_code == code, result.output
    data: dict[str, Any] = json.loads(result.stdout)
    validator("check-models").validate(data)
    assert data["exit_code"] == code
    return data


def lines(*arguments: str, code: int) -> list[str]:
    """What is printed."""
    result = run("check", *arguments)
    assert result.exit_code == code, result.output
    return result.stdout.splitlines()
