"""`check-invariants prove`: what it does and shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack

import click
from msgspec.structs import asdict

from check_invariants import standard
from check_invariants.documents import Document, emit_json
from check_invariants.exit import EmptySelection, ExitCode, LimitReached, cut_short, of_comparison, of_verdict, worst
from check_invariants.filenames import plain
from check_invariants.files import check_output, make_directory, write_to
from check_invariants.judge import asking, compiled
from check_invariants.options import STDOUT
from check_invariants.output import Counter, emit, until_stopped
from check_invariants.selection import chosen_properties, select
from check_invariants.words import as_far_as_modelled, claimed
from draincheck import Expectation, Limits, Outcome, Subject, TransitionSystem
from draincheck import certificate as certificates
from draincheck.certificate import Certificate, Certified, Gap, Header, certify
from draincheck.errors import CertificateError
from draincheck.pool import in_processes
from draincheck.properties import Breach, Liveness
from draincheck.words import counted, share
from drainspecs.mirror.code_base import CodeBase
from drainspecs.suite import matrix as suite
from drainspecs.suite.certificates import Coverage, by_system, coverage, uncovered
from drainspecs.suite.matrix import Row, RowResult

if TYPE_CHECKING:
    from check_invariants.selectors import Selectors

#: what `--matrix` writes if nobody says where
DIRECTORY = "certificates"


def command(
    *,
    properties: Sequence[str],
    engine: str,
    depth: int | None,
    matrix: bool,
    output: str | None,
    processes: int | None,
    as_json: bool,
    **selectors: Unpack[Selectors],
) -> ExitCode:
    """Write the certificate of a model, or those of the matrix."""
    if matrix:
        others = properties or engine != "explicit" or depth or any(selectors.values())
        if others:
            raise click.UsageError(
                "--matrix is about the whole default matrix: of the options, only -o, -j and --json go with it"
            )
        return _prove_matrix(output or DIRECTORY, processes, as_json)
    if processes is not None:
        raise click.UsageError("--processes is for --matrix: one certificate is made by one process")
    if depth is not None and engine != "induction":
        raise click.UsageError("--depth is for --engine induction: explicit search looks at every reachable state")
    if as_json and output == STDOUT:
        raise click.UsageError("--json and -o - would both write to standard output")
    subject = select(properties, **selectors)
    path = output or f"{plain(compiled(subject).name)}.smt2"
    check_output(path)
    certificate, gaps = _proven(subject, properties, engine, Limits(depth=depth))
    found = _Proven(subject, certificate, engine, gaps)
    found.deliver(path, as_json)
    return found.code


# -- one certificate --------------------------------------------------------------------------------


def _proven(
    subject: Subject, properties: Sequence[str], engine: str, limits: Limits
) -> tuple[Certificate, Sequence[Gap]]:
    """The certificate, and what it leaves out. Raises what stands in the way of one that was named, or of all."""
    system = compiled(subject)
    items = chosen_properties(system, properties)
    if properties and (runs := [item.name for item in items if isinstance(item, Liveness)]):
        raise click.BadParameter(
            f"{runs[0]} demands something of whole runs, and there are no certificates for liveness; "
            "`check-invariants check` decides it",
            param_hint="'--property'",
        )
    found = _certified(subject, system, [item.name for item in items], engine, limits)
    if found.certificate is None or (properties and found.gaps):
        raise _failure(system.name, found.gaps)
    return found.certificate, found.gaps


def _certified(
    subject: Subject, system: TransitionSystem, names: Sequence[str], engine: str, limits: Limits
) -> Certified:
    """A certificate of these properties. Raises MalformedInput, LimitReached and Interrupted."""
    explicit = engine == "explicit"
    counter = Counter("state", "found") if explicit else Counter("property", "tried", len(names))
    interrupted = "after {} no certificate was written" if explicit else "no certificate was written"
    try:
        with asking(subject.title, counter, interrupted):
            return certify(system, names, engine=engine, limits=limits, reporter=counter, source=subject.source())
    except CertificateError as error:
        raise LimitReached(f"{error}; no certificate was written") from error


def _failure(model: str, gaps: Sequence[Gap]) -> click.ClickException:
    """The error that says why there is no certificate."""
    reasons = "; ".join(_by_reason(gaps)) or "nothing holds"
    error = EmptySelection if not gaps or any(gap.known for gap in gaps) else LimitReached
    return error(f"{model}: {reasons}; no certificate was written")


def _by_reason(gaps: Sequence[Gap]) -> list[str]:
    """A line for each reason, with the properties that it keeps from being certified."""
    names: dict[str, list[str]] = {}
    for gap in gaps:
        names.setdefault(gap.reason, []).append(gap.property)
    return [f"{', '.join(group)}: {reason}" for reason, group in names.items()]


class _Proven(NamedTuple):
    """A certificate, and what it leaves out."""

    subject: Subject
    certificate: Certificate
    engine: str
    missing: Sequence[Gap]

    @property
    def claims(self) -> list[tuple[str, Outcome]]:
        """What it claims: verdicts on properties."""
        return [(claim.property, Outcome(claim.verdict)) for claim in self.certificate.header.claims]

    @property
    def code(self) -> ExitCode:
        """What is violated is no business of a certificate for what holds; what is not known might have been, and so what was never asked."""
        return worst([_of_gap(gap, self.subject.expectation(gap.property)) for gap in self.missing])

    def deliver(self, path: str, as_json: bool) -> None:
        """Write it, and say so; beside one that goes to standard output only standard error is left for that."""
        write_to(path, self.certificate.text)
        if as_json:
            emit_json("prove", self._json(path), self.code)
        elif path == STDOUT:
            standard.note(self._text("standard output"))
        else:
            emit(self._text(path))

    def _text(self, where: str) -> str:
        header = self.certificate.header
        how = f"k-induction, k = {header.k}" if self.engine == "induction" else "its reachable states"
        size = counted(len(self.certificate.text), "byte")
        lines = [
            f"{where}: {size}: {claimed(header.claims)} in {header.model} ({how})",
            *(f"not certified: {line}" for line in _by_reason(self.missing)),
        ]
        return "".join(f"{line}\n" for line in lines) + as_far_as_modelled(self.subject, self.claims)

    def _json(self, path: str) -> Document:
        header = self.certificate.header
        return {
            "model": header.model,
            "digest": header.digest,
            "file": path,
            "k": header.k,
            "claims": [
                {"property": name, "verdict": verdict.value, "limits": self.subject.limits(name, verdict)}
                for name, verdict in self.claims
            ],
            "missing": [{"property": item.property, "reason": item.reason} for item in self.missing],
        }


def _of_gap(gap: Gap, expectation: Expectation | None) -> ExitCode:
    """What comes of a property without a certificate."""
    if gap.unasked:
        return of_verdict(Outcome.NEVER_ASKED, Breach.SAFETY, expectation)
    return of_comparison(True, unknown=not gap.known)


# -- those of the matrix ----------------------------------------------------------------------------


class _Written(NamedTuple):
    """A certificate that stands in a file."""

    file: str
    size: int
    header: Header

    def to_json(self) -> Document:
        """What it is about."""
        return {
            "file": self.file,
            "bytes": self.size,
            "model": self.header.model,
            "digest": self.header.digest,
            "properties": [claim.property for claim in self.header.claims],
        }


def _prove_matrix(directory: str, processes: int | None, as_json: bool) -> ExitCode:
    """Write a certificate for each distinct system, and see to it that they leave no verdict out."""
    make_directory(directory)
    rows = suite.default_rows()
    results, stop = until_stopped(suite.decide_all(rows, processes), "row", "decided", len(rows))
    if stop or (stop := next(filter(None, (result.stopped for result in results)), None)):
        raise cut_short(stop, "no certificate was written")
    first = [group[0].row for group in by_system(results).values()]
    written, stop = until_stopped(
        in_processes(partial(_written, directory), first, processes), "certificate", "written", len(first)
    )
    if stop:
        raise cut_short(stop, f"{share(len(written), len(first), 'certificate')} written to {directory}")
    missing = uncovered(results, {item.header.digest: [item.header] for item in written})
    numbers, limited, code = coverage(results), _limited(results), of_comparison(True, unknown=bool(missing))
    if as_json:
        files = [item.to_json() for item in written]
        emit_json("prove-matrix", {**asdict(numbers), "limited": limited, "files": files, "missing": missing}, code)
    else:
        emit(_matrix_text(directory, written, numbers, limited, missing))
    return code


def _written(directory: str, row: Row) -> _Written:
    """Write the certificate of a row's system, about all that can be certified there."""
    selected = CodeBase(row.revision, row.scenario)
    certificate = certificates.make(selected.system(), source=selected.source())
    path = str(Path(directory) / f"{plain(selected.title)}.smt2")
    write_to(path, certificate.text)
    return _Written(path, len(certificate.text), certificate.header)


def _limited(results: Sequence[RowResult]) -> int:
    """How many verdicts that hold do so only as far as modelled."""
    cells = [cell for result in results for cell in result.cells]
    return sum(bool(cell.limits) for cell in cells if cell.verdict.outcome.value == "holds")


def _matrix_text(
    directory: str, written: Sequence[_Written], numbers: Coverage, limited: int, missing: Sequence[str]
) -> str:
    size = sum(item.size for item in written)
    lines = [
        f"{directory}: {counted(len(written), 'certificate')}, {counted(size, 'byte')}",
        f"{counted(numbers.rows, 'row')}, {counted(numbers.systems, 'distinct system')}, {counted(numbers.states, 'state')}; verdicts:",
        f"  {numbers.holds:5} hold: certified",
        f"  {limited:5} of these as far as modelled: `check-invariants matrix --full` says what is left out",
        f"  {numbers.unreachable:5} goals out of reach: certified",
        f"  {numbers.violated:5} violated: these have counterexamples instead, which `check-invariants check` prints",
        f"  {numbers.never_asked:5} never asked: nothing to prove",
        *([f"  {numbers.unknown:5} unknown"] if numbers.unknown else []),
        "liveness is no part of the matrix, and there are no certificates for it",
        *(f"NOT CERTIFIED: {line}" for line in missing),
    ]
    return "".join(f"{line}\n" for line in lines)
