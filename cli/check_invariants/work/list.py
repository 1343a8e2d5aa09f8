"""`check-invariants list`: what it does and shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import asdict, replace

from check_invariants.documents import Document, Json, emit_json
from check_invariants.exit import ExitCode
from check_invariants.output import emit, emit_table
from check_invariants.table import Column, Table
from draincheck.knobs import all_knobs, shown
from draincheck.revisions import CONTROLS, REVISIONS, Revision, called, find_revision, releases
from draincheck.words import listed
from drainspecs.mirror.mitigations import MITIGATIONS
from drainspecs.mirror.properties import LIVENESS, PROPERTIES
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, SCENARIOS, configuration
from drainspecs.mirror.stray_requests import CASES
from drainspecs.mirror.terms import TERMS

#: headers of the text by key, and the rows with everything about them
_Rows: TypeAlias = tuple[Mapping[str, str], Sequence[Document]]

#: what a reader of a list has to know besides
_NOTES = {
    "revisions": "dates are author dates; the order is that in which the commits came into QEMU's tree, then the controls",
    "properties": "source: the disk that is copied from, the guest's until mirror_exit switches to the target, the copy; (a), (b), (c) and (w) are "
    "steps of the traces; `check-invariants list terms` says what each word means",
    "mitigations": "costs go from 1 (one place, nothing else changes) to 4 (every block device behaves differently)",
}


def command(what: str, as_json: bool) -> ExitCode:
    """Show a table."""
    headers, rows = _TABLES[what]()
    if as_json:
        emit_json("list", {"list": what, "items": rows})
        return ExitCode.OK
    columns = [Column(header, give_way=index, least=16) for index, header in enumerate(headers.values())]
    emit_table(Table(columns, [[_cell(row[key]) for key in headers] for row in rows]))
    if what in _NOTES:
        emit(f"\n{_NOTES[what]}\n")
    if what == "revisions":
        emit(f"{_without_a_row()}\n")
    return ExitCode.OK


def _without_a_row() -> str:
    """The releases that have no row of their own, and the one that each behaves as."""
    found: dict[str, list[str]] = {}
    for name, row in releases().items():
        if row.stands_for:
            found.setdefault(called(replace(row, stands_for="")), []).append(name)
    same = (f"{listed(names)} as {as_which}" for as_which, names in found.items())
    return (
        f"releases without a change of this story behave as the one before, in everything modelled: {'; '.join(same)}"
    )


def _cell(value: Json) -> str:
    """A value of a row, as it stands in the table."""
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_cell(setting)}" for name, setting in value.items())
    if isinstance(value, bool):
        return shown(value)
    return " ".join(map(_cell, value)) if isinstance(value, tuple) else str(value)


def _revisions() -> _Rows:
    """The rows of history and the controls, with what each turns: against the row before it, or the one it was made from."""
    bases = [None, *REVISIONS[:-1], *(find_revision(item.name.partition("-")[0]) for item in CONTROLS)]
    rows = [_revision(item, base) for item, base in zip((*REVISIONS, *CONTROLS), bases, strict=True)]
    headers = {"revision": "revision", "date": "date", "release": "release", "subject": "what changed"}
    return {**headers, "turns": "knobs turned"}, rows


def _revision(revision: Revision, base: Revision | None) -> Document:
    knobs = asdict(revision.knobs)
    before = asdict(base.knobs) if base else knobs
    return {
        "revision": revision.name,
        "date": revision.date,
        "release": revision.release,
        "subject": revision.subject,
        "turns": {name: value for name, value in knobs.items() if before[name] != value},
        "control": revision in CONTROLS,
        "knobs": knobs,
    }


def _scenarios() -> _Rows:
    rows: list[Document] = [
        {
            **asdict(item),
            "matrix": "default" if item in DEFAULT_SCENARIOS else "--all",
            "configuration": configuration(item),
        }
        for item in SCENARIOS
    ]
    return {"name": "scenario", "matrix": "matrix", "meaning": "meaning", "configuration": "which QEMU that is"}, rows


def _properties() -> _Rows:
    """The specification, and the bug cases and demands of liveness that `check` and `trace export` can be asked about."""
    cases = ((name, f"never: {meaning}", "ab27c3b5e7", True) for name, meaning in CASES.items())
    known = ((item.name, item.meaning, item.source, False) for item in (*PROPERTIES, *LIVENESS))
    keys = ("name", "meaning", "source", "case")
    rows: list[Document] = [dict(zip(keys, item, strict=True)) for item in (*known, *cases)]
    return {"name": "property", "meaning": "meaning", "source": "source"}, rows


def _knobs() -> _Rows:
    rows: list[Document] = [
        {"name": knob.name, "values": knob.values, "meaning": knob.meaning} for knob in all_knobs().values()
    ]
    return {"name": "knob", "values": "values", "meaning": "meaning"}, rows


def _claims() -> _Rows:
    from drainspecs.mirror.claims import CLAIMS  # which loads what decides them

    rows: list[Document] = [
        {"name": claim.name, "expected": claim.expected.value, "text": claim.text, "condition": claim.condition}
        for claim in CLAIMS
    ]
    return {"name": "claim", "expected": "expected", "text": "text"}, rows


def _terms() -> _Rows:
    return {"name": "term", "meaning": "meaning"}, [asdict(item) for item in TERMS]


def _mitigations() -> _Rows:
    rows: list[Document] = [
        {
            "name": item.name,
            "cost": item.cost,
            "reason": item.reason,
            "commits": item.commits,
            "builds_on": item.builds_on,
            "side_effects": item.side_effects,
        }
        for item in MITIGATIONS
    ]
    return {"name": "mitigation", "cost": "cost", "reason": "why it costs that much", "commits": "commits"}, rows


_TABLES = {
    "revisions": _revisions,
    "scenarios": _scenarios,
    "properties": _properties,
    "knobs": _knobs,
    "claims": _claims,
    "terms": _terms,
    "mitigations": _mitigations,
}
