"""`check-invariants certificate`: what it does and shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Unpack

from msgspec.structs import asdict, replace

from check_invariants.documents import Document, emit_json
from check_invariants.exit import (
    ExitCode,
    MalformedInput,
    NeedsModel,
    cut_short,
    ending,
    of_certificate,
    of_comparison,
    worst,
)
from check_invariants.inputs import read_text
from check_invariants.judge import compiled
from check_invariants.output import emit, emit_stop, until_stopped
from check_invariants.own_models import built_otherwise, select_from_source
from check_invariants.words import claimed
from draincheck.certificate import CertificateVerdict, Header, check, read
from draincheck.errors import CertificateError
from draincheck.pool import in_processes
from draincheck.solvers import demand
from draincheck.subject import Source
from draincheck.words import counted, share
from drainspecs.suite import matrix as suite
from drainspecs.suite.certificates import uncovered

if TYPE_CHECKING:
    from check_invariants.selectors import OwnModel


def check_files(
    *,
    files: Sequence[str],
    solver: str,
    timeout: float,
    matrix: bool,
    processes: int | None,
    as_json: bool,
    **own: Unpack[OwnModel],
) -> ExitCode:
    """Check the files, in several processes, and whether they leave out a verdict of the matrix."""
    solvers = ("z3", "cvc5") if solver == "both" else (solver,)
    for each in solvers:
        demand(each)
    work = partial(check_one, solvers=solvers, seconds=timeout, **own)
    found, stop = until_stopped(
        in_processes(work, files, 1 if own["model"] else processes), "certificate", "checked", len(files)
    )
    missing = _uncovered(found, processes) if matrix and not stop else []
    code = ending([*(item.code for item in found), of_comparison(not missing)], stop)
    if as_json:
        emit_json("certificate", {"files": list(map(_json, found)), "missing": missing}, code)
    else:
        emit("".join(map(_text, found)) + "".join(f"NO CERTIFICATE: {line}\n" for line in missing))
        emit(_summary(found, solvers, matrix and not missing) if len(found) > 1 or matrix else "")
    emit_stop(stop, f"{share(len(found), len(files), 'certificate')} checked")
    return code


class CheckedFile(NamedTuple):
    """What came of a file.

    Attributes:
        file: its path.
        code: the exit code that makes.
        header: what it says of itself; None if that cannot be read.
        problem: why no check was possible, "" if one was.
        verdicts: what came of it with each solver.
        about: what it was checked against, in words; "" if it was not.
        source: the same, so that it can be built again; None if it was not.
    """

    file: str
    code: ExitCode
    header: Header | None = None
    problem: str = ""
    verdicts: Sequence[CertificateVerdict] = ()
    about: str = ""
    source: Source | None = None

    @property
    def word(self) -> str:
        """What came of it, in a word."""
        words = {ExitCode.OK: "accepted", ExitCode.DIVERGED: "rejected", ExitCode.INCONCLUSIVE: "undecided"}
        return words.get(self.code, "malformed" if self.code is ExitCode.MALFORMED else "not checked")


def check_one(file: str, *, solvers: Sequence[str], seconds: float, **own: Unpack[OwnModel]) -> CheckedFile:
    """Make the model again, and check a file."""
    try:
        certificate = read(read_text(file))
    except OSError as error:
        return CheckedFile(file, ExitCode.MALFORMED, problem=f"it cannot be read: {error.strerror}")
    except (CertificateError, UnicodeDecodeError) as error:
        return CheckedFile(file, ExitCode.MALFORMED, problem=str(error))
    header = certificate.header
    try:
        subject = select_from_source(header.source or None, "certificate", **own)
        system = compiled(subject)
    except NeedsModel as error:
        return CheckedFile(file, ExitCode.USAGE, header, error.message)
    except MalformedInput as error:
        return CheckedFile(file, ExitCode.MALFORMED, header, error.message)
    otherwise = built_otherwise(header.source, subject) if header.digest != system.digest else ""
    verdicts = [_told(check(certificate, system, solver, seconds), otherwise) for solver in solvers]
    about = subject.heading if own["model"] else system.name
    return CheckedFile(file, worst(map(of_certificate, verdicts)), header, "", verdicts, about, subject.source())


def _told(verdict: CertificateVerdict, otherwise: str) -> CertificateVerdict:
    """A verdict whose reason says, too, what the user has named otherwise."""
    return replace(verdict, reason=f"{verdict.reason}; {otherwise}") if otherwise else verdict


def _uncovered(found: Sequence[CheckedFile], processes: int | None) -> list[str]:
    """The verdicts of the default matrix that need a certificate, and that no accepted one is about."""
    headers: dict[str, list[Header]] = {}
    for item in found:
        if item.header is not None and item.code is ExitCode.OK:
            headers.setdefault(item.header.digest, []).append(item.header)
    rows = suite.default_rows()
    results, stop = until_stopped(suite.decide_all(rows, processes), "row", "decided", len(rows))
    if stop or (stop := next(filter(None, (result.stopped for result in results)), None)):
        raise cut_short(stop, "not all rows were compared with the certificates")
    return uncovered(results, headers)


def _text(item: CheckedFile) -> str:
    """What came of a file, in a line for each reason."""
    if item.code is ExitCode.OK and item.header is not None:
        solvers = " and ".join(verdict.solver for verdict in item.verdicts)
        asked = item.verdicts[0].queries
        queries = counted(asked, "query")
        return f"{item.file}: accepted by {solvers} ({queries}): {claimed(item.header.claims)} in {item.about}\n"
    reasons = [verdict.reason for verdict in item.verdicts if not verdict.accepted]
    return "".join(
        f"{item.file}: {item.word.upper()}: {reason}\n" for reason in dict.fromkeys(reasons or [item.problem])
    )


def _summary(found: Sequence[CheckedFile], solvers: Sequence[str], complete: bool) -> str:
    """What came of all of them, in a line."""
    tally = Counter(item.word for item in found)
    words = [f"{number} {word}" for word, number in tally.items()]
    asked = sum(verdict.queries for item in found for verdict in item.verdicts)
    end = "; every verdict of the default matrix that needs a certificate has one" if complete else ""
    return f"{counted(len(found), 'certificate')}, {' and '.join(solvers)}: {', '.join(words)}; {counted(asked, 'query')} answered{end}\n"


def _json(item: CheckedFile) -> Document:
    """What came of a file, as JSON values."""
    header = item.header
    return {
        "file": item.file,
        "outcome": item.word,
        "model": None if header is None else header.model,
        "source": None if item.source is None else dict(item.source),
        "claims": [] if header is None else [{"property": c.property, "verdict": c.verdict} for c in header.claims],
        "problem": item.problem,
        "solvers": [{"solver": verdict.solver, **asdict(verdict)} for verdict in item.verdicts],
    }
