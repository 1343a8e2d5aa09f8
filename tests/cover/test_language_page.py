"""LANGUAGE.md begins with all statements: held against what the language has."""

from __future__ import annotations

import re

import pytest

from draincheck import lang
from tests.support.house import ROOT

PAGE = (ROOT / "LANGUAGE.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## All statements\n")[2].partition("\n## ")[0]

#: what every variable is, and what the compiler does with it
VARIABLE = {
    "args", "counts", "exists", "initial", "internal", "name", "op", "operand", "rename", "settle", "settled", "sort", "start_with",
    "unused", "value",
}  # fmt: skip
#: what the compiler and libraries of parts call, or what is data of a term
INNER = {
    "Model": {"compile", "declare_assertion"},
    "Process": {"close", "token"},
    "Coroutine": {"close", "token"},
    "BoolVar": VARIABLE,
    "IntVar": VARIABLE,
    "EnumVar": VARIABLE | {"named"},
}
#: names of `draincheck.lang` that are types, for annotations
TYPES = {
    "BoolExpr",
    "BoolVar",
    "Coroutine",
    "EnumExpr",
    "EnumVar",
    "Expected",
    "IntExpr",
    "IntVar",
    "Model",
    "ModelError",
    "Process",
    "Update",
}
PUBLIC = {kind: {n for n in dir(getattr(lang, kind)) if not n.startswith("_")} - inner for kind, inner in INNER.items()}


def shown(table: str) -> set[str]:
    """The names that a table shows in code: `m.always(` is always."""
    code = " ".join(re.findall(r"`([^`]*)`", table))
    return set(re.findall(r"(?<!\")\b([A-Za-z_]\w*)\b(?!\")", code))


@pytest.mark.parametrize("kind", PUBLIC)
def test_every_statement_is_in_the_table(kind: str) -> None:
    """Whatever can be called on a model, a process, a coroutine and a variable."""
    assert sorted(PUBLIC[kind] - shown(TABLE)) == []


def test_every_function_is_in_the_table() -> None:
    """What `from draincheck.lang import ...` brings beside types."""
    assert sorted(set(lang.__all__) - TYPES - shown(TABLE)) == []


def test_the_table_shows_nothing_else() -> None:
    """What follows a dot is a method of something."""
    methods = set(re.findall(r"\b(?:m|p|co|c|n|x|e)\.(\w+)", TABLE))
    assert sorted(methods - set().union(*PUBLIC.values())) == []
    assert len(methods) > 40


def test_the_rows_name_sections_that_are_there() -> None:
    """By their numbers."""
    rows = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    numbers = {number.strip() for row in rows for number in row.rsplit("|", 2)[1].split(",")}
    assert {f"## {number}. " in PAGE for number in numbers} == {True}


def test_a_statement_that_is_missing_is_noticed() -> None:
    """Negative control: a row less."""
    assert "until" not in shown("\n".join(line for line in TABLE.splitlines() if not line.startswith("| loops")))
