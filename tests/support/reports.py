"""Accounts to make reports of: one with everything there is, one of the names that nobody meant, and what to read reports with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from draincheck.checking import check
from draincheck.errors import SourceLine
from draincheck.lang import Model
from draincheck.model_file import ModelFile
from draincheck.report.account import Account, Item, SearchCounts, Standing, Suite, suite_of
from draincheck.run import Run
from draincheck.verdict import Outcome
from tests.support.scripted import bug_case_1

SCHEMAS = Path(__file__).parents[1] / "schemas"

#: what some format reads: markup, commands, ends of lines, characters that it cannot hold
NASTY = "a|b `c` ``d`` <e> &amp; *f* _g_ [h](i) #1; %0A :: , ]]> \x00\x1b[31m \r\n::error::x \u2028 \ud800 ü 𝄞 \\| \\u0041 end ~~x~~ $y$ @z !"


def item(standing: Standing, **fields: Any) -> Item:
    """An item that stands so."""
    outcomes = {
        Standing.FINE: Outcome.HOLDS,
        Standing.NOTED: Outcome.NEVER_ASKED,
        Standing.WRONG: Outcome.VIOLATED,
        Standing.UNDECIDED: Outcome.UNKNOWN,
    }
    known: dict[str, Any] = {
        "name": standing.value,
        "outcome": outcomes.get(standing),
        "why": "",
        "place": SourceLine("models/m.py", 3),
    }
    if standing is not Standing.FINE:
        known["why"] = f"because it is {standing.value}"
    return Item(standing=standing, **{**known, **fields})


def account(*items: Item, **fields: Any) -> Account:
    """An account of one suite with these items."""
    known: dict[str, Any] = {
        "title": "gate",
        "command": "check-invariants gate",
        "exit_code": 10 if any(one.standing.bad for one in items) else 0,
        "seconds": 1234.5678,
        "version": "1.2.3",
        "suites": [Suite(title="models/m.py:build", items=items, scenario="mirror", seconds=0.25)],
    }
    return Account(**{**known, **fields})


def scripted_run() -> Run:
    """The story's first case: a guest, a coroutine, calls, marks, and a check that fails in the last step."""
    return Run.of(*bug_case_1())


def everything() -> Account:
    """An item of each standing, traces, counts that differ, a place that is missing."""
    counts, pinned = SearchCounts(12, 30, 7), SearchCounts(10, 31, 7)
    shown = item(Standing.WRONG, name="no request at (c)", run=scripted_run(), expected=Outcome.HOLDS, meaning="safe")
    rule = item(Standing.WRONG, name="a rule", matters=False, place=None)
    first = Suite(title="first", items=[*map(item, Standing), shown, rule], counts=counts, pinned=pinned)
    return account(suites=[first, waiting()], exit_code=12, place=SourceLine("drain-gate.toml", 1))


def waiting() -> Suite:
    """A model of a user's: one thread spins for ever, so what the other waits for never comes."""
    m = Model("spinning")
    flag, turn = m.bool("flag"), m.bool("turn", history=True)
    with m.thread("spinner") as p, p.loop():
        p.do("turn", turn.set(~turn))
    m.progress()
    m.eventually("comes", flag)
    m.always("never", ~flag)
    system = m.compile()
    return suite_of(ModelFile("m.py", "build", system), check(system))


def nasty() -> Account:
    """Every text is one that nobody meant."""
    where = SourceLine(f"models/{NASTY}.py", 3)
    items = [
        item(standing, name=f"{NASTY}{standing.value}", why=NASTY, meaning=NASTY, reason=NASTY, place=where)
        for standing in Standing
    ]
    suite = Suite(title=NASTY, items=items, scenario=NASTY)
    return account(
        title=NASTY, command=NASTY, exit_code=12, why=NASTY, folder=NASTY, suites=[suite, nasty_suite()], version=NASTY
    )


def nasty_suite() -> Suite:
    """A model whose every name is one that nobody meant, with its counterexample."""
    m = Model(NASTY)
    done = m.bool(f"variable {NASTY}")
    with m.thread(f"thread {NASTY}") as p, p.call(f"call {NASTY}"):
        p.do(f"label {NASTY}", done.set())
    m.always(f"property {NASTY}", ~done, meaning=NASTY)
    system = m.compile()
    return suite_of(ModelFile("m.py", "build", system), check(system))


def schema(name: str) -> Any:
    """A schema of others, as JSON."""
    return json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
