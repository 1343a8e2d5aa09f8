"""Certificates checked: first that they are about the model they name, then, by a solver, that they are right.

A certificate is untrusted: whoever wrote it may want a violated property accepted. Nothing of it is believed. The definitions of the
model and the queries are made again from the system and compared with what the file says; what is left, the claim, may only define the
functions that the queries are about, in a language that can say nothing else (`claim`); then a solver reads the text and must find every
query without a solution. Paths are executed. What the check does trust: this program's translation of a system, and the solver.

What an accepted certificate proves of its system, in which no run ends with an error or passes a bound:

* `Always`, `Assertion`, `NoFault` hold: no reachable state violates them, nor can a step be taken there that does;
* `CanAlwaysFinish` holds, and `NoDeadlock`: from each reachable state every goal (of the first its own, of the second for each process that it
  goes on or rests) is reached by following a strategy, which comes nearer with each step;
* `Reachable` holds: its witness is a run that ends at the goal; or it is violated: no reachable state meets the goal;
* what holds was asked: a run takes a step, of an assertion one that passes a check of it. A goal out of reach needs nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile, zip_longest
from pathlib import Path as FilePath

from msgspec import Struct

from draincheck.certificate.claim import check_claim
from draincheck.certificate.format import Certificate, Path, read
from draincheck.certificate.queries import Query, constants, model_part, queries, query_part, signatures
from draincheck.engines.smt.relation import Relation
from draincheck.errors import CertificateError, ClaimError, ModelError, TraceError, Unreadable
from draincheck.properties import Property, Reachable
from draincheck.run import Run, Trace
from draincheck.semantics.vacuity import asked_by, matters
from draincheck.solvers import Answer, SmtSolver, demand, open_solver
from draincheck.system import TransitionSystem

__all__ = ["CertificateVerdict", "check"]

#: how much of a line is shown where it differs from what it should be, and how much of that stands before the difference
LONG, BEFORE = 90, 30


class CertificateVerdict(Struct, frozen=True):
    """What a check says.

    Attributes:
        accepted: the certificate proves what it claims.
        undecided: it was not accepted only because the solver gave up on a query; with more time it may be.
        reason: why it was not accepted, "" if it was.
        solver: who was asked.
        queries: how many questions the solver answered as it must.
    """

    accepted: bool
    undecided: bool
    reason: str
    solver: str
    queries: int


def check(
    certificate: Certificate | FilePath | str,
    system: TransitionSystem,
    solver: str = "z3",
    seconds: float | None = None,
) -> CertificateVerdict:
    """Check a certificate (or a file, or a text) against the system it should be about.

    Args:
        certificate: what is checked.
        system: the model, made again from its source.
        solver: `z3` or `cvc5`.
        seconds: the time for each query; if one takes longer, the certificate is neither accepted nor refuted: `undecided`.

    Raises:
        CertificateError: the file cannot be read.
        NoSolver: the solver is not there.
    """
    demand(solver)
    if isinstance(certificate, FilePath):
        certificate = _file(certificate)
    found = read(certificate) if isinstance(certificate, str) else certificate
    try:
        needed, definitions = _bound(found, system)
        answered, wrong = _answered(partial(open_solver, solver, seconds), definitions, needed)
    except (CertificateError, ClaimError, ModelError, Unreadable) as error:
        return CertificateVerdict(False, False, str(error), solver, 0)
    if answered is Answer.SAT:
        return CertificateVerdict(False, False, f"{solver} refutes it: {wrong!r} has a solution", solver, 0)
    if answered is Answer.UNKNOWN:
        limit = "" if seconds is None else f" within {seconds:g} s"
        return CertificateVerdict(False, True, f"{solver} gives no answer to {wrong!r}{limit}", solver, 0)
    return CertificateVerdict(True, False, "", solver, len(needed))


def _file(path: FilePath) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CertificateError(f"cannot read {path}: {error}") from error


def _bound(certificate: Certificate, system: TransitionSystem) -> tuple[list[Query], str]:
    """The queries of a certificate and the definitions they are about; raises CertificateError unless it is about this system."""
    header, relation = certificate.header, Relation(system)
    if not header.claims:
        raise CertificateError("it claims nothing")
    _bind_name(certificate, system)
    model, asked = model_part(relation, header.claims), query_part(relation, header)
    if differs := _difference(certificate.model, _lines(model), certificate.numbers[0]):
        raise CertificateError(f"its model is not {system.name}: {differs}")
    check_claim("\n".join(certificate.claim), signatures(relation, header))
    if differs := _difference(certificate.queries, _lines(asked), certificate.numbers[2]):
        raise CertificateError(f"its queries are not those of such a certificate: {differs}")
    _execute_paths(certificate, system)
    return queries(relation, header), "\n".join([*model, *certificate.claim, *constants(relation, header)])


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Without comments."""
    return tuple(line for text in lines for line in text.splitlines() if not line.startswith(";"))


def _bind_name(certificate: Certificate, system: TransitionSystem) -> None:
    """The certificate names this system: its hash and its name."""
    header = certificate.header
    if header.digest != system.digest:
        theirs, ours = header.digest[:12], system.digest[:12]
        raise CertificateError(f"it was made for another model: it names {theirs!a}, and {system.name} is {ours!a}")
    if header.model != system.name:
        raise CertificateError(f"it names its model {header.model[:80]!a}, and that is called {system.name!a}")


def _difference(theirs: Sequence[str], ours: Sequence[str], numbers: Sequence[int]) -> str:
    """Where two texts differ first, "" if they do not; `numbers`: those of their lines in the file."""
    part = ""
    for number, their, our in zip_longest(numbers, theirs, ours, fillvalue=None):
        if our is not None and our.startswith("(define-fun "):
            part = our.split()[1]
        if their != our:
            inside = f" (in {part})" if part else ""
            line = number or (numbers[-1] + 1 if numbers else 1)
            return f"line {line}{inside}{_says(their or '', our or '')}"
    return ""


def _says(their: str, our: str) -> str:
    """What a line says and should say, and in which column that begins."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(their, our, strict=False)))
    says, should = (_excerpt(line, max(same - BEFORE, 0) if len(line) > LONG else 0) for line in (their, our))
    column = f", column {same + 1}," if their and our else ""
    return f"{column} says {says}, and should say {should}"


def _excerpt(line: str, start: int) -> str:
    """What a line has from a place on, as much as is shown of it."""
    shown = line[start : start + LONG]
    return f"{'...' * (start > 0)}{shown}{'...' * (start + LONG < len(line))}" if line else "nothing"


def _execute_paths(certificate: Certificate, system: TransitionSystem) -> None:
    """Every witness is a path of the system to a state that meets the goal, and the last step of every other path asks its property."""
    for claim in certificate.header.claims:
        item = system.property_named(claim.property)
        if claim.witness is not None and isinstance(item, Reachable):
            run = _executed(system, item, claim.witness, "the witness of")
            if not system.holds(item.goal, run.states[-1]):
                raise CertificateError(f"the witness of {item.name} does not end where its goal is met")
            if claim.asked is None and not matters(system, claim.witness[1], item):
                raise CertificateError(
                    f"the witness of {item.name} takes no step that can matter to it: nothing shows that it is ever asked"
                )
        if claim.asked is not None:
            run = _executed(system, item, claim.asked, "the path that asks")
            if not asked_by(run, item):
                raise CertificateError(f"the path that asks {item.name} does not end with a step that does")


def _executed(system: TransitionSystem, item: Property, path: Path, what: str) -> Run:
    """A path, taken step by step by the system's own rules. Raises CertificateError if it is none."""
    try:
        return Run.of(system, Trace.of(system, item.name, *path))
    except TraceError as error:
        raise CertificateError(f"{what} {item.name} cannot be executed: {error}") from error


def _answered(opened: Callable[[], SmtSolver], definitions: str, needed: Sequence[Query]) -> tuple[Answer, str]:
    """UNSAT if no query has a solution; else the first other answer, and the name of its query. Raises Unreadable."""
    if needed:
        solver = opened()
        solver.define(definitions)
        for query in needed:
            if (answer := solver.ask(query.condition)) is not Answer.UNSAT:
                return answer, query.name
    return Answer.UNSAT, ""
