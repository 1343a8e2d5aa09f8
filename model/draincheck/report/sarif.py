"""A run as SARIF 2.1.0, with what GitHub's code scanning demands besides.

Only what has to be looked at is a result, unless `everything` is asked for: GitHub makes an alert of each, whatever its `kind` says
(https://github.com/microsoft/PSRule/issues/955). What is unknown is *open*, and a notification at level *error*; what was never asked, as
expected, is no result, and a notification at level *note*, so that it is not taken for a pass.

A counterexample is a code flow, with a thread flow for each context: a thread, with the coroutines that run on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

from draincheck.errors import SourceLine
from draincheck.escape import harmless
from draincheck.jsonvalue import Json
from draincheck.report.account import Account, Item, Standing, Suite
from draincheck.report.calls import CallEvent, events_of
from draincheck.run import Run
from draincheck.system import State
from draincheck.words import assigned, counted

__all__ = ["SCHEMA", "sarif_log"]

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: GitHub shows no more locations of a result's code flows
MOST_LOCATIONS = 1000
#: GitHub cuts a longer description
LONGEST_DESCRIPTION = 1024

#: standing -> the result's `kind` and `level`; the standard has no level but *none* beside another kind than *fail*
_KINDS: Final = {
    Standing.FINE: ("pass", "none"),
    Standing.NOTED: ("informational", "none"),
    Standing.WRONG: ("fail", "error"),
    Standing.UNDECIDED: ("open", "none"),
    Standing.FAULT: ("fail", "error"),
    Standing.MISCONFIGURED: ("fail", "error"),
}

#: standing -> the level of a notification, where no result says it
_NOTIFIED: Final = {
    Standing.NOTED: "note",
    Standing.UNDECIDED: "error",
    Standing.FAULT: "error",
    Standing.MISCONFIGURED: "error",
}

#: the exit codes of a run that came to its end
_ENDED: Final = frozenset({0, 10, 11, 12, 13, 14, 30})


def sarif_log(account: Account, *, everything: bool = False) -> str:
    """The log as JSON text; with `everything`, what is fine is a result too."""
    rules = {harmless(item.name): item.meaning for _, item in account.items}
    index = {name: number for number, name in enumerate(rules)}
    pairs = zip(account.items, account.fingerprints, strict=True)
    results: list[Json] = [
        _result(account, suite, item, index[harmless(item.name)], name)
        for (suite, item), name in pairs
        if item.standing.bad or everything
    ]
    run: Json = {
        "tool": {"driver": _driver(account, rules)},
        "automationDetails": {"id": f"check-invariants/{harmless(account.title)}/"},
        "invocations": [_invocation(account)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


# -- the tool and the run ---------------------------------------------------------------------------


def _driver(account: Account, rules: Mapping[str, str]) -> Json:
    described: list[Json] = [_rule(name, meaning) for name, meaning in rules.items()]
    return {"name": "check-invariants", "version": account.version, "rules": described}


def _rule(name: str, meaning: str) -> Json:
    says = meaning or name
    advice = f"{says}\n\nThe message of each result ends with the command that shows it, and how it comes about."
    return {
        "id": name,
        "shortDescription": _message(name if says == name else f"{name}: {says}"),
        "fullDescription": _message(says[:LONGEST_DESCRIPTION]),
        "help": _message(advice),
        "defaultConfiguration": {"level": "error"},
    }


def _invocation(account: Account) -> Json:
    notified = [
        _notification(_NOTIFIED[item.standing], f"{suite.title}: {item.name}: {item.why}")
        for suite, item in account.items
        if item.standing in _NOTIFIED
    ]
    notified += [_notification("warning", f"{suite.title}: {warning}") for suite, warning in account.warnings]
    return {
        "commandLine": harmless(account.typed(account.command)),
        "exitCode": account.exit_code,
        "exitCodeDescription": harmless(account.exit_meaning),
        "executionSuccessful": account.exit_code in _ENDED,
        "toolExecutionNotifications": notified,
    }


def _notification(level: str, text: str) -> Json:
    return {"level": level, "message": _message(text)}


# -- a result ---------------------------------------------------------------------------------------


def _result(account: Account, suite: Suite, item: Item, index: int, fingerprint: str) -> Json:
    kind, level = _KINDS[item.standing]
    place = account.place_of(item)
    return {
        "ruleId": harmless(item.name),
        "ruleIndex": index,
        "kind": kind,
        "level": "warning" if kind == "fail" and not item.matters else level,
        "message": _message(_said(account, suite, item)),
        **({} if place is None else {"locations": [_location(place)]}),
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1"},
        **({} if item.run is None or not item.standing.bad else {"codeFlows": [_code_flow(account, item.run)]}),
        "properties": {
            "suite": harmless(suite.title),
            "verdict": item.found,
            "expected": item.wanted or None,
            "meaning": harmless(item.meaning),
        },
    }


def _said(account: Account, suite: Suite, item: Item) -> str:
    shown_by = f"\n\nShown by: {account.command_of(item)}" if item.standing.bad else ""
    return f"{suite.title}: {item.name}: {item.why or item.reason or item.found}{shown_by}"


def _location(place: SourceLine, message: str = "") -> dict[str, Json]:
    """GitHub wants columns, too, and knows no others: the first of the line."""
    line = max(1, place.line)
    region: Json = {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 2}
    physical: Json = {"artifactLocation": {"uri": _uri(place.file)}, "region": region}
    return {"physicalLocation": physical, **({"message": _message(message)} if message else {})}


def _uri(file: str) -> str:
    """A path as a reference: relative to the repository, if it is; `file:` otherwise."""
    scheme = "file://" if PurePath(file).is_absolute() else ""
    path = PurePath(file).as_posix()
    return scheme + quote(path.encode(errors="surrogatepass"), safe="/@+,=~")


# -- a counterexample -------------------------------------------------------------------------------


def _code_flow(account: Account, run: Run) -> Json:
    """The last steps, if there are more than GitHub shows."""
    events = [event for event in events_of(run) if event.shown][-MOST_LOCATIONS:]
    threads = dict.fromkeys(event.thread for event in events)
    flows = [_thread_flow(account, name, events) for name in threads] or [_nothing_happens()]
    first, *others = flows
    return {"message": _message(_shown_by(run)), "threadFlows": [{**first, "initialState": _initially(run)}, *others]}


def _shown_by(run: Run) -> str:
    again = "" if run.trace.loop is None else f"; from step {run.trace.loop + 1} on again and again"
    return f"{run.trace.property}: {counted(len(run.steps), 'step')}{again}"


def _thread_flow(account: Account, thread: str, events: Sequence[CallEvent]) -> dict[str, Json]:
    """What takes place in one context; `executionOrder` is the same for what one step does at once."""
    here = [event for event in events if event.thread == thread]
    locations: list[Json] = [_flow_location(account.located(e.part.line), e, e is events[-1]) for e in here]
    return {"id": harmless(thread), "message": _message(thread), "locations": locations}


def _nothing_happens() -> dict[str, Json]:
    """A thread flow has a location at least; this one says that there is no step."""
    return {"id": "none", "locations": [{"location": {"message": _message("initially")}}]}


def _flow_location(line: SourceLine, event: CallEvent, last: bool) -> Json:
    label = event.part.label or "(goes on)"
    mark = f"({event.part.mark}) " if event.part.mark else ""
    changed: dict[str, Json] = {
        harmless(change.name): {"text": harmless(_value(change.new))} for change in event.changes
    }
    return {
        "location": _location(line, f"{mark}{event.process}: {label}"),
        "executionOrder": event.step,
        "nestingLevel": len(event.stack),
        "importance": "essential" if event.part.mark or last else "important" if changed else "unimportant",
        "kinds": ["action"],
        **({"state": changed} if changed else {}),
    }


def _initially(run: Run) -> dict[str, Json]:
    state: State = run.trace.initial
    rows = zip(run.system.variables, state, strict=True)
    return {harmless(v.name): {"text": harmless(_value(v.sort.decode(value)))} for v, value in rows if not v.internal}


def _value(value: bool | int | str) -> str:
    return assigned("", value).removeprefix("=")


def _message(text: str) -> Json:
    return {"text": harmless(text) or " "}
