"""A run as Markdown: what it came to, a table of what was decided, what has to be looked at with its trace.

Written for GitHub's and GitLab's dialect (tables, fenced code). Names are free: they stand in code spans, whose fences are longer than any run of
backticks in them; sentences have a backslash before whatever Markdown could read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from draincheck.escape import harmless
from draincheck.report.account import Account, Item, Standing, Suite
from draincheck.report.text import render_trace
from draincheck.words import counted

__all__ = ["SIGNS", "Block", "blocks_of", "code", "fenced", "joined", "markdown_report", "prose", "trace_block"]

#: how each standing looks; only the first is green
SIGNS = {
    Standing.FINE: "✅",
    Standing.NOTED: "⚪",
    Standing.WRONG: "❌",
    Standing.UNDECIDED: "❓",
    Standing.FAULT: "💥",
    Standing.MISCONFIGURED: "🔧",
}

#: a piece of a report, which can be left out
Block = str


def markdown_report(account: Account) -> str:
    """The whole report."""
    return joined([*blocks_of(account), *_traces(account)])


def joined(blocks: Iterable[Block]) -> str:
    """Blocks with an empty line between them."""
    return "\n".join(blocks)


def blocks_of(account: Account) -> Iterator[Block]:
    """The blocks of a report but for traces, the most important first."""
    yield f"## {_sign(account)} {prose(account.title)}\n"
    yield _facts(account)
    if account.bad:
        yield "### To look at\n"
        heads = ["", "where", "what", "expected", "found", "why", "shown by"]
        yield _table(heads, (_bad_row(account, suite, item) for suite, item in account.bad))
    if warnings := [f"- {code(suite.title)}: {prose(warning)}\n" for suite, warning in account.warnings]:
        yield f"### Warnings\n\n{''.join(warnings)}"
    if account.shown:
        yield "### All\n"
        yield _all(account.shown)


def _sign(account: Account) -> str:
    """The sign of the worst that there is; a run in which nothing was decided is not green either."""
    tally = account.tally
    order = [Standing.MISCONFIGURED, Standing.FAULT, Standing.WRONG, Standing.UNDECIDED, Standing.FINE]
    return SIGNS[next((standing for standing in order if tally[standing]), Standing.NOTED)]


def _facts(account: Account) -> Block:
    numbers = "" if account.exit_meaning.startswith(account.summary) else f"{prose(account.summary)}; "
    return (
        f"{numbers}exit code {account.exit_code}: {prose(account.exit_meaning)}; {account.seconds:.1f} s; "
        f"check-invariants {prose(account.version)}\n\n{fenced(account.typed(account.command), 'sh')}"
    )


# -- tables -----------------------------------------------------------------------------------------

#: the columns of numbers
_WORDS = {
    Standing.FINE: "as it should be",
    Standing.NOTED: "noted",
    Standing.WRONG: "wrong",
    Standing.UNDECIDED: "undecided",
    Standing.FAULT: "faults",
    Standing.MISCONFIGURED: "configuration",
}


def _all(suites: Sequence[Suite]) -> Block:
    """A row for each; what is violated as expected only where something is."""
    accepted = ["outcome"] if any(suite.accepted for suite in suites) else []
    heads = ["", "what was checked", *accepted, *_WORDS.values(), "states"]
    return _table(heads, (_suite_row(suite, bool(accepted)) for suite in suites))


def _suite_row(suite: Suite, accepted: bool) -> list[str]:
    numbers = [str(suite.has(standing) or "") for standing in _WORDS]
    worst = next((standing for standing in reversed(Standing) if suite.has(standing)), Standing.NOTED)
    only_noted = worst is Standing.NOTED and suite.has(Standing.FINE)
    fine = only_noted or worst is Standing.FINE
    sign = SIGNS[(Standing.NOTED if suite.accepted else Standing.FINE) if fine else worst]
    return [sign, code(suite.title), *([prose(suite.accepted)] if accepted else []), *numbers, _states(suite)]


def _states(suite: Suite) -> str:
    """The counts, with how they differ from those that are pinned."""
    if suite.counts is None:
        return ""
    delta = f" (**{suite.delta}** since they were pinned)" if suite.delta else ""
    return prose(str(suite.counts)) + delta


def _bad_row(account: Account, suite: Suite, item: Item) -> list[str]:
    said = item.place is None or item.why.startswith(f"{item.place}: ")
    place = "" if said or item.place is None else f" at {code(str(account.located(item.place)))}"
    meaning = f": {prose(item.meaning)}" if item.meaning else ""
    what, why, shown_by = code(item.name) + meaning, prose(item.why) + place, code(account.command_of(item))
    return [SIGNS[item.standing], code(suite.title), what, item.wanted, item.found, why, shown_by]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Block:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# -- traces -----------------------------------------------------------------------------------------


def _traces(account: Account) -> Iterator[Block]:
    """Each counterexample of what has to be looked at; several suites may have the same."""
    with_runs = [(suite, item) for suite, item in account.bad if item.run is not None]
    if with_runs:
        yield f"### {counted(len(with_runs), 'counterexample').capitalize()}\n"
    for suite, item in with_runs:
        yield trace_block(suite, item)


def trace_block(suite: Suite, item: Item) -> Block:
    """A trace under its name."""
    assert item.run is not None
    return f"#### {code(item.name)} in {code(suite.title)}\n\n{fenced(render_trace(item.run), 'text')}"


# -- escaping ---------------------------------------------------------------------------------------


def prose(text: str) -> str:
    """Text as a sentence of its own in a paragraph or in a table's cell: nothing of it is Markdown."""
    return re.sub(r"([\\`*_\[\]<>|~&#!$])", r"\\\1", _one_line(text))


def code(text: str) -> str:
    """A name in a code span, fit for a table's cell too."""
    said = _one_line(text) or " "
    fence = "`" * (_longest(said) + 1)
    space = " " if said.startswith("`") or said.endswith("`") else ""
    return f"{fence}{space}{said}{space}{fence}".replace("|", r"\|")


def fenced(text: str, language: str) -> Block:
    """Lines as they are."""
    fence = "`" * max(3, _longest(text) + 1)
    return f"{fence}{language}\n{harmless(text).rstrip()}\n{fence}\n"


def _longest(text: str) -> int:
    """The longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


def _one_line(text: str) -> str:
    return " ".join(harmless(text).split())
