"""`check-invariants prove`: what it does and shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
from msgspec import Struct

from check_invariants.claimed import claimed
from check_invariants.exit import EmptySelection, ExitCode, Interrupted, LimitReached, MalformedInput, of_comparison
from check_invariants.judge import compiled
from check_invariants.limited import as_far_as_modelled
from check_invariants.output import (
    STDOUT,
    Counter,
    counted,
    emit,
    emit_json,
    make_directory,
    until_interrupted,
    write_to,
)
from check_invariants.selection import chosen_properties, select
from draincheck.certificate import Certificate, Certified, Gap, Header
from draincheck.errors import ModelError
from draincheck.properties import Liveness
from draincheck.subject import Subject
from draincheck.system import TransitionSystem
from draincheck.verdict import Limits, Outcome
from drainspecs.mirror.code_base import CodeBase
from drainspecs.suite.certificates import Account
from drainspecs.suite.matrix import Row, RowResult

__all__ = ["Proven", "ProvenMatrix", "by_reason", "deliver", "file_name", "find", "prove_matrix", "show_matrix"]


class Proven(Struct, frozen=True):
    """A certificate, and what it leaves out."""

    selected: Subject
    certificate: Certificate
    how: str
    missing: Sequence[Gap]

    @property
    def claims(self) -> list[tuple[str, Outcome]]:
        """What it claims: verdicts on properties."""
        return [(claim.property, Outcome(claim.verdict)) for claim in self.certificate.header.claims]

    @property
    def code(self) -> ExitCode:
        """What is violated is no business of a certificate for what holds; what is not known might have been."""
        return of_comparison(True, unknown=not all(gap.known for gap in self.missing))


def find(
    properties: Sequence[str], engine: str, depth: int | None, timeout: float | None, selectors: Mapping[str, Any]
) -> Proven:
    """Decide the properties, and make the certificate. Raises what stands in the way of one that was named, or of all."""
    selected = select(properties=properties, **selectors)
    system = compiled(selected)
    items = chosen_properties(system, properties)
    if properties and (runs := [item.name for item in items if isinstance(item, Liveness)]):
        raise click.BadParameter(
            f"{runs[0]} demands something of whole runs, and there are no certificates for liveness; "
            "`check-invariants check` decides it",
            param_hint="'--property'",
        )
    found = _certified(selected, [item.name for item in items], engine, Limits(seconds=timeout, depth=depth))
    if found.certificate is None or (properties and found.gaps):
        raise _failure(system, found.gaps)
    k = found.certificate.header.k
    how = f"k-induction, k = {k}" if engine == "induction" else "its reachable states"
    return Proven(selected, found.certificate, how, found.gaps)


def _certified(selected: Subject, names: Sequence[str], engine: str, limits: Limits) -> Certified:
    """A certificate of these properties. Raises MalformedInput, LimitReached and Interrupted."""
    from draincheck.certificate import certify
    from draincheck.errors import CertificateError

    explicit = engine == "explicit"
    counter = Counter("states found") if explicit else Counter("properties tried", len(names))
    try:
        with counter:
            return certify(selected, names, engine=engine, limits=limits, reporter=counter)
    except ModelError as error:
        raise MalformedInput(f"{selected.title}: {error}") from error
    except CertificateError as error:
        raise LimitReached(f"{error}; no certificate was written") from error
    except KeyboardInterrupt as error:
        what = f" after {counter.done} states: every verdict is unknown" if explicit else "; no certificate was written"
        raise Interrupted(f"interrupted{what}") from error


def _failure(system: TransitionSystem, gaps: Sequence[Gap]) -> click.ClickException:
    """The error that says why there is no certificate."""
    reasons = "; ".join(by_reason(gaps)) or "nothing holds"
    error = EmptySelection if not gaps or any(gap.known for gap in gaps) else LimitReached
    return error(f"{system.name}: {reasons}; no certificate was written")


def by_reason(gaps: Sequence[Gap]) -> list[str]:
    """A line for each reason, with the properties that it keeps from being certified."""
    names: dict[str, list[str]] = {}
    for gap in gaps:
        names.setdefault(gap.reason, []).append(gap.property)
    return [f"{', '.join(group)}: {reason}" for reason, group in names.items()]


def file_name(model: str) -> str:
    """A file name from a model's name: nothing in it but what is harmless everywhere."""
    return (re.sub(r"[^A-Za-z0-9._~+=]+", "-", model).strip("-.") or "model") + ".smt2"


class _Written(NamedTuple):
    """A certificate that stands in a file."""

    file: str
    size: int
    header: Header


class ProvenMatrix(Struct, frozen=True):
    """The certificates of the default matrix, and what they are about; `missing`: the verdicts that none is about."""

    directory: str
    written: Sequence[_Written]
    numbers: Account
    limited: int
    missing: Sequence[str]

    @property
    def code(self) -> ExitCode:
        """The exit code that makes."""
        return of_comparison(True, unknown=bool(self.missing))


def prove_matrix(directory: str, jobs: int | None) -> ProvenMatrix:
    """Write a certificate for each distinct system, and see to it that they leave no verdict out."""
    from drainspecs.suite.certificates import account, by_system, uncovered
    from drainspecs.suite.matrix import decide_all, default_rows
    from drainspecs.suite.pool import in_processes

    rows = default_rows()
    results, stopped = until_interrupted(decide_all(rows, jobs), "rows decided", len(rows))
    if stopped:
        raise Interrupted("interrupted; no certificate was written")
    make_directory(directory)
    first = [group[0].row for group in by_system(results).values()]
    written, stopped = until_interrupted(
        in_processes(partial(_written, directory), first, jobs), "certificates written", len(first)
    )
    if stopped:
        raise Interrupted(f"interrupted: {len(written)} of {len(first)} certificates are in {directory}")
    missing = uncovered(results, {item.header.digest: [item.header] for item in written})
    return ProvenMatrix(directory, written, account(results), _limited(results), missing)


def _written(directory: str, row: Row) -> _Written:
    """Write the certificate of a row's system, about all that can be certified there."""
    from draincheck.certificate import make

    selected = CodeBase(row.revision, row.scenario)
    certificate = make(selected.system(), source=selected.source())
    path = str(Path(directory) / file_name(selected.title))
    write_to(path, certificate.text)
    return _Written(path, len(certificate.text), certificate.header)


def _limited(results: Sequence[RowResult]) -> int:
    """How many verdicts that hold do so only as far as modelled."""
    cells = [cell for result in results for cell in result.cells]
    return sum(bool(cell.limits) for cell in cells if cell.verdict.outcome.value == "holds")


# -- what it shows ---------------------------------------------------------------------------------


def deliver(found: Proven, path: str, as_json: bool) -> None:
    """Write the certificate, and say so; beside one that goes to standard output only standard error is left for that."""
    write_to(path, found.certificate.text)
    if as_json:
        emit_json("prove", _json(found, path))
    elif path == STDOUT:
        click.echo(_text(found, "standard output"), nl=False, err=True)
    else:
        emit(_text(found, path))


def _text(found: Proven, where: str) -> str:
    header = found.certificate.header
    lines = [
        f"{where}: {counted(len(found.certificate.text), 'byte')}: {claimed(header.claims)} in {header.model} ({found.how})",
        *(f"not certified: {line}" for line in by_reason(found.missing)),
    ]
    return "".join(f"{line}\n" for line in lines) + as_far_as_modelled(found.selected, found.claims)


def _json(found: Proven, path: str) -> dict[str, Any]:
    header = found.certificate.header
    return {
        "model": header.model,
        "digest": header.digest,
        "file": path,
        "k": header.k,
        "claims": [
            {"property": name, "verdict": verdict.value, "limits": list(found.selected.limits(name, verdict))}
            for name, verdict in found.claims
        ],
        "missing": [{"property": item.property, "reason": item.reason} for item in found.missing],
        "exit_code": int(found.code),
    }


def show_matrix(done: ProvenMatrix, as_json: bool) -> None:
    """Print what the certificates of the default matrix come to."""
    if as_json:
        emit_json("prove-matrix", _matrix_json(done))
    else:
        emit(_matrix_text(done))


def _matrix_text(done: ProvenMatrix) -> str:
    numbers, size = done.numbers, sum(item.size for item in done.written)
    lines = [
        f"{done.directory}: {counted(len(done.written), 'certificate')}, {size} bytes",
        f"{counted(numbers.rows, 'row')}, {counted(numbers.systems, 'distinct system')}, {counted(numbers.states, 'state')}; verdicts:",
        f"  {numbers.holds:5} hold: certified",
        f"  {done.limited:5} of these as far as modelled: `check-invariants matrix --full` says what is left out",
        f"  {numbers.unreachable:5} goals out of reach: certified",
        f"  {numbers.violated:5} violated: these have counterexamples instead, which `check-invariants check` prints",
        *([f"  {numbers.unknown:5} unknown"] if numbers.unknown else []),
        "liveness is no part of the matrix, and there are no certificates for it",
        *(f"NOT CERTIFIED: {line}" for line in done.missing),
    ]
    return "".join(f"{line}\n" for line in lines)


def _matrix_json(done: ProvenMatrix) -> dict[str, Any]:
    files = [
        {
            "file": item.file,
            "bytes": item.size,
            "model": item.header.model,
            "digest": item.header.digest,
            "properties": [claim.property for claim in item.header.claims],
        }
        for item in done.written
    ]
    numbers = {**asdict(done.numbers), "limited": done.limited}
    return {**numbers, "files": files, "missing": list(done.missing), "exit_code": int(done.code)}
