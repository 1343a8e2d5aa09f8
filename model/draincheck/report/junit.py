"""A run as JUnit XML, in what all readers agree on: Jenkins' `junit-10.xsd`.

A suite is one, a property a test case. What is wrong is a failure, with the trace; what is unknown or could not be asked an error, never *skipped*,
which many readers show green. *Skipped* is what was never asked, as expected, and what is violated without being bad news by itself. A violation
that is expected passes, and its output says that it is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from draincheck.escape import escaped
from draincheck.report.account import Account, Item, Standing, Suite
from draincheck.report.text import render_trace

__all__ = ["junit_xml"]

#: the element of each standing; none for what is fine
_ELEMENTS = {
    Standing.NOTED: "skipped",
    Standing.WRONG: "failure",
    Standing.UNDECIDED: "error",
    Standing.FAULT: "error",
    Standing.MISCONFIGURED: "error",
}


def junit_xml(account: Account) -> str:
    """The document, with its declaration. Characters that XML cannot hold are written as `draincheck.escape` says."""
    suites = account.shown
    root = _element(None, "testsuites", name=account.title, time=_seconds(account.seconds), **_totals(suites))
    for suite in suites:
        _suite(root, account, suite)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(root: Element, account: Account, suite: Suite) -> None:
    skipped = str(suite.has(Standing.NOTED))
    totals = _totals([suite])
    element = _element(root, "testsuite", name=suite.title, time=_seconds(suite.seconds), skipped=skipped, **totals)
    properties = _element(element, "properties")
    for name, value in _facts(account, suite):
        _element(properties, "property", name=name, value=value)
    for item in suite.items:
        _case(element, account, suite, item)


def _case(parent: Element, account: Account, suite: Suite, item: Item) -> None:
    case = _element(parent, "testcase", name=item.name, classname=suite.title)
    if item.standing in _ELEMENTS:
        said = _element(case, _ELEMENTS[item.standing], type=item.found, message=item.why)
        said.text = escaped(_details(account, item)) if item.standing.bad else None
    elif item.why:
        _element(case, "system-out").text = escaped(item.why)


def _details(account: Account, item: Item) -> str:
    """What there is to read below the message."""
    place = "" if item.place is None else str(account.located(item.place))
    trace = "" if item.run is None else render_trace(item.run)
    parts = (item.meaning, place, f"shown by: {account.command_of(item)}", trace)
    return "\n".join(part for part in parts if part)


def _facts(account: Account, suite: Suite) -> Iterable[tuple[str, str]]:
    """What is said of a suite as a whole."""
    facts = {
        "check-invariants": account.version,
        "command": account.typed(account.command),
        "exit code": f"{account.exit_code} ({account.exit_meaning})",
        "scenario": suite.scenario,
        "counts": "" if suite.counts is None else str(suite.counts),
        "pinned": "" if suite.pinned is None else str(suite.pinned),
        "warnings": "\n".join(suite.warnings),
        "violated, as expected": suite.accepted,
    }
    return ((name, value) for name, value in facts.items() if value)


def _totals(suites: Iterable[Suite]) -> dict[str, str]:
    known = list(suites)
    errors = sum(suite.has(standing) for suite in known for standing, tag in _ELEMENTS.items() if tag == "error")
    return {
        "tests": str(sum(len(suite.items) for suite in known)),
        "failures": str(sum(suite.has(Standing.WRONG) for suite in known)),
        "errors": str(errors),
    }


def _element(parent: Element | None, tag: str, **attributes: str) -> Element:
    """An element, below another unless it is the root."""
    held = {name: escaped(value) for name, value in attributes.items()}
    return Element(tag, held) if parent is None else SubElement(parent, tag, held)


def _seconds(value: float) -> str:
    return f"{value:.3f}"
