"""`check-invariants prove`: certificates for what holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from check_invariants.claimed import claimed
from check_invariants.exit import EmptySelection, ExitCode, Interrupted, LimitReached, MalformedInput, of_comparison
from check_invariants.options import jobs_option, json_option, property_option, selectors
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

if TYPE_CHECKING:
    from draincheck.certificate import Certificate, Certified, Gap, Header
    from draincheck.subject import Subject
    from draincheck.system import TransitionSystem
    from draincheck.verdict import Limits, Outcome
    from drainspecs.suite.certificates import Account
    from drainspecs.suite.matrix import Row, RowResult

__all__ = ["command"]

#: what `--matrix` writes if nobody says where
DIRECTORY = "certificates"


@click.command("prove")
@selectors
@property_option(of_matrix=False)
@click.option(
    "--engine",
    type=click.Choice(["explicit", "induction"]),
    default="explicit",
    show_default=True,
    help="explicit: the invariant is the set of reachable states. induction: it is a formula, k-inductive.",
)
@click.option("--depth", type=click.IntRange(1, 200), help="The largest k that induction tries.  [default: 20]")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop after so much time."
)
@click.option("--matrix", is_flag=True, help="A certificate for each distinct system of the default matrix.")
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="The file to write, or with --matrix the directory.  [default: MODEL.smt2, or certificates, in this directory]",
)
@jobs_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    properties: Sequence[str],
    engine: str,
    depth: int | None,
    timeout: float | None,
    matrix: bool,
    output: str | None,
    jobs: int | None,
    as_json: bool,
    **selectors: Any,
) -> None:
    """Write a certificate of what holds.

    An SMT-LIB script with an inductive invariant: the reachable states, as a decision diagram, or a formula that
    k-induction proves. `certificate check` has its queries answered by z3 or cvc5; so can anybody else. It is about
    the properties that are named, or about all that hold; for liveness there are no certificates. With --matrix: a
    file for each distinct system of the default matrix, about all that holds there.

    \b
    Exit codes: 0 written; 10 a property that was named does not hold, or nothing holds, and nothing was
    written; 30 something is not known to hold (of properties that were not named: the others were written
    down); 150 the model is malformed; 2 wrong arguments, or the output cannot be written; 130 interrupted.

    \b
    Example: check-invariants prove --revision 9a0cec664e -o 9a0cec664e.smt2
       Also: check-invariants prove my_model.py:build --engine induction --depth 5
             check-invariants prove --matrix -o certificates
    """
    if matrix:
        others = properties or engine != "explicit" or depth or timeout or any(selectors.values())
        _refuse(
            {"--matrix is about the whole default matrix: of the options, only -o, -j and --json go with it": others}
        )
        ctx.exit(_prove_matrix(output or DIRECTORY, jobs, as_json))
    _refuse(
        {
            "--jobs is for --matrix: one certificate is made by one process": jobs is not None,
            "--depth is for --engine induction: explicit search looks at every reachable state": depth is not None
            and engine != "induction",
            "--json and -o - would both write to standard output": as_json and output == STDOUT,
        }
    )
    found = _found(properties, engine, depth, timeout, selectors)
    _write(found, output or _file_name(found.certificate.header.model), as_json)
    ctx.exit(found.code)


def _write(found: _Found, path: str, as_json: bool) -> None:
    """Write the certificate, and say so; beside one that goes to standard output only standard error is left for that."""
    write_to(path, found.certificate.text)
    if as_json:
        emit_json("prove", _json(found, path))
    elif path == STDOUT:
        click.echo(_text(found, "standard output"), nl=False, err=True)
    else:
        emit(_text(found, path))


def _refuse(wrong: Mapping[str, object]) -> None:
    """Raise UsageError with the first message whose case is given."""
    for message, given in wrong.items():
        if given:
            raise click.UsageError(message)


# -- one model --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A certificate, and what it leaves out."""

    selected: Subject
    certificate: Certificate
    how: str
    missing: Sequence[Gap]

    @property
    def claims(self) -> list[tuple[str, Outcome]]:
        """What it claims: verdicts on properties."""
        from draincheck.verdict import Outcome

        return [(claim.property, Outcome(claim.verdict)) for claim in self.certificate.header.claims]

    @property
    def code(self) -> ExitCode:
        """What is violated is no business of a certificate for what holds; what is not known might have been."""
        return of_comparison(True, unknown=not all(gap.known for gap in self.missing))


def _found(
    properties: Sequence[str], engine: str, depth: int | None, timeout: float | None, selectors: Mapping[str, Any]
) -> _Found:
    """Decide the properties, and make the certificate. Raises what stands in the way of one that was named, or of all."""
    from check_invariants.judge import compiled
    from check_invariants.selection import chosen_properties, select
    from draincheck.properties import Liveness
    from draincheck.verdict import Limits

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
    return _Found(selected, found.certificate, how, found.gaps)


def _certified(selected: Subject, names: Sequence[str], engine: str, limits: Limits) -> Certified:
    """A certificate of these properties. Raises MalformedInput, LimitReached and Interrupted."""
    from draincheck.certificate import CertificateError, certify
    from draincheck.errors import ModelError

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
    reasons = "; ".join(_by_reason(gaps)) or "nothing holds"
    error = EmptySelection if not gaps or any(gap.known for gap in gaps) else LimitReached
    return error(f"{system.name}: {reasons}; no certificate was written")


def _by_reason(gaps: Sequence[Gap]) -> list[str]:
    """A line for each reason, with the properties that it keeps from being certified."""
    names: dict[str, list[str]] = {}
    for gap in gaps:
        names.setdefault(gap.reason, []).append(gap.property)
    return [f"{', '.join(group)}: {reason}" for reason, group in names.items()]


def _file_name(model: str) -> str:
    """A file name from a model's name: nothing in it but what is harmless everywhere."""
    return (re.sub(r"[^A-Za-z0-9._~+=]+", "-", model).strip("-.") or "model") + ".smt2"


def _text(found: _Found, where: str) -> str:
    from check_invariants.limited import as_far_as_modelled

    header = found.certificate.header
    lines = [
        f"{where}: {counted(len(found.certificate.text), 'byte')}: {claimed(header.claims)} in {header.model} ({found.how})",
        *(f"not certified: {line}" for line in _by_reason(found.missing)),
    ]
    return "".join(f"{line}\n" for line in lines) + as_far_as_modelled(found.selected, found.claims)


def _json(found: _Found, path: str) -> dict[str, Any]:
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


# -- the matrix -------------------------------------------------------------------------------------


class _Written(NamedTuple):
    """A certificate that stands in a file."""

    file: str
    size: int
    header: Header


def _prove_matrix(directory: str, jobs: int | None, as_json: bool) -> ExitCode:
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
    code = of_comparison(True, unknown=bool(missing))
    numbers, limited = account(results), _limited(results)
    if as_json:
        emit_json("prove-matrix", _matrix_json(written, numbers, limited, missing, code))
    else:
        emit(_matrix_text(directory, written, numbers, limited, missing))
    return code


def _written(directory: str, row: Row) -> _Written:
    """Write the certificate of a row's system, about all that can be certified there."""
    from draincheck.certificate import make
    from drainspecs.mirror.code_base import CodeBase

    selected = CodeBase(row.revision, row.scenario)
    certificate = make(selected.system(), source=selected.source())
    path = str(Path(directory) / _file_name(selected.title))
    write_to(path, certificate.text)
    return _Written(path, len(certificate.text), certificate.header)


def _limited(results: Sequence[RowResult]) -> int:
    """How many verdicts that hold do so only as far as modelled."""
    cells = [cell for result in results for cell in result.cells]
    return sum(bool(cell.limits) for cell in cells if cell.verdict.outcome.value == "holds")


def _matrix_text(
    directory: str, written: Sequence[_Written], numbers: Account, limited: int, missing: Sequence[str]
) -> str:
    lines = [
        f"{directory}: {counted(len(written), 'certificate')}, {sum(item.size for item in written)} bytes",
        f"{counted(numbers.rows, 'row')}, {counted(numbers.systems, 'distinct system')}, {counted(numbers.states, 'state')}; verdicts:",
        f"  {numbers.holds:5} hold: certified",
        f"  {limited:5} of these as far as modelled: `check-invariants matrix --full` says what is left out",
        f"  {numbers.unreachable:5} goals out of reach: certified",
        f"  {numbers.violated:5} violated: these have counterexamples instead, which `check-invariants check` prints",
        *([f"  {numbers.unknown:5} unknown"] if numbers.unknown else []),
        "liveness is no part of the matrix, and there are no certificates for it",
        *(f"NOT CERTIFIED: {line}" for line in missing),
    ]
    return "".join(f"{line}\n" for line in lines)


def _matrix_json(
    written: Sequence[_Written], numbers: Account, limited: int, missing: Sequence[str], code: ExitCode
) -> dict[str, Any]:
    files = [
        {
            "file": item.file,
            "bytes": item.size,
            "model": item.header.model,
            "digest": item.header.digest,
            "properties": [claim.property for claim in item.header.claims],
        }
        for item in written
    ]
    return {**asdict(numbers), "limited": limited, "files": files, "missing": list(missing), "exit_code": int(code)}
