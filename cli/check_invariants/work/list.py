"""`check-invariants list`: what it does and shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

__all__ = ["NOTES", "TABLES", "cell_text"]


#: headers of the text by key, and the rows with everything about them
_Rows = tuple[dict[str, str], list[dict[str, Any]]]


def _revisions() -> _Rows:
    """The rows of history and the controls, with what each turns: against the row before it, or the one it was made from."""
    from draincheck.revisions import CONTROLS, REVISIONS, Revision, find_revision

    def row(revision: Revision, base: Revision | None) -> dict[str, Any]:
        knobs = dataclasses.asdict(revision.knobs)
        before = dataclasses.asdict(base.knobs) if base else knobs
        turns = {name: value for name, value in knobs.items() if before[name] != value}
        about = {
            "revision": revision.name,
            "date": revision.date,
            "release": revision.release,
            "subject": revision.subject,
        }
        return {**about, "turns": turns, "control": revision in CONTROLS, "knobs": knobs}

    rows = [row(item, before) for item, before in zip(REVISIONS, (None, *REVISIONS), strict=False)]
    rows += [row(item, find_revision(item.name.partition("-")[0])) for item in CONTROLS]
    return {
        "revision": "revision",
        "date": "date",
        "release": "release",
        "subject": "what changed",
        "turns": "knobs turned",
    }, rows


def _scenarios() -> _Rows:
    from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, SCENARIOS

    rows = [{**asdict(item), "matrix": "default" if item in DEFAULT_SCENARIOS else "--all"} for item in SCENARIOS]
    return {"name": "scenario", "matrix": "matrix", "meaning": "meaning"}, rows


def _properties() -> _Rows:
    """The specification, and the bug cases and demands of liveness that `check` and `trace export` can be asked about."""
    from drainspecs.mirror.liveness import LIVENESS
    from drainspecs.mirror.properties import PROPERTIES
    from drainspecs.mirror.stray_requests import CASES

    rows = [
        {"name": item.name, "meaning": item.meaning, "source": item.source, "case": False}
        for item in (*PROPERTIES, *LIVENESS)
    ]
    rows += [{"name": n, "meaning": f"never: {m}", "source": "ab27c3b5e7", "case": True} for n, m in CASES.items()]
    return {"name": "property", "meaning": "meaning", "source": "source"}, rows


def _knobs() -> _Rows:
    from draincheck.knobs import KNOBS

    rows = [{"name": knob.name, "values": list(knob.values), "meaning": knob.meaning} for knob in KNOBS]
    return {"name": "knob", "values": "values", "meaning": "meaning"}, rows


def _claims() -> _Rows:
    from drainspecs.mirror.claims import CLAIMS

    rows = [
        {"name": claim.name, "expected": claim.expected.value, "text": claim.text, "condition": claim.condition}
        for claim in CLAIMS
    ]
    return {"name": "claim", "expected": "expected", "text": "text"}, rows


#: the tables by name
TABLES: dict[str, Callable[[], _Rows]] = {
    "revisions": _revisions,
    "scenarios": _scenarios,
    "properties": _properties,
    "knobs": _knobs,
    "claims": _claims,
}


# -- what it shows ---------------------------------------------------------------------------------


#: what a reader of a list has to know besides
NOTES = {
    "revisions": "dates are author dates; the order is that in which the commits came into QEMU's tree, then the controls"
}


def cell_text(value: object) -> str:
    """A value of a row, as it stands in the table."""
    if isinstance(value, dict):
        return " ".join(f"{name}={_knob(setting)}" for name, setting in cast("dict[str, object]", value).items())
    return " ".join(cast("list[str]", value)) if isinstance(value, list) else str(value)


def _knob(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
