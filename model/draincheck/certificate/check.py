"""Certificates checked: first that they are about the model they name, then, by a solver, that they are right.

Nothing of the file is believed. The definitions of the model and the queries are made again from the system and compared with what the
file says; the claim may only define the functions that the queries are about; then a solver reads the text and must answer `unsat` to
every query. Witnesses are executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from draincheck.certificate.format import Certificate, CertificateError, read
from draincheck.certificate.queries import model_part, queries, query_part, signatures
from draincheck.certificate.solvers import UnreadableError, answers
from draincheck.engines.symbolic.relation import Relation
from draincheck.errors import ModelError, TraceError
from draincheck.system import Reachable, TransitionSystem
from draincheck.trace import Trace, rerun

__all__ = ["CertificateVerdict", "check"]


@dataclass(frozen=True, slots=True)
class CertificateVerdict:
    """What a check says.

    Attributes:
        accepted: the certificate proves what it claims.
        reason: why it was rejected, "" if it was not.
        solver: who was asked.
        properties: the properties that the certificate is about.
        queries: how many questions the solver answered.
    """

    accepted: bool
    reason: str
    solver: str
    properties: tuple[str, ...]
    queries: int


class _RejectedError(Exception):
    """The certificate does not prove what it claims; the message says why."""


def check(
    certificate: Certificate | Path | str, system: TransitionSystem, solver: str = "z3", seconds: float | None = None
) -> CertificateVerdict:
    """Check a certificate (or a file, or a text) against the system it should be about.

    Args:
        certificate: what is checked.
        system: the model, made again from its source.
        solver: `z3` or `cvc5`.
        seconds: the time for each query; a query that takes longer is not answered, and the certificate rejected.

    Raises:
        CertificateError: the file cannot be read, or the solver is not there.
    """
    if isinstance(certificate, Path):
        certificate = _file(certificate)
    found = read(certificate) if isinstance(certificate, str) else certificate
    properties = tuple(claim.property for claim in found.header.claims)
    try:
        asked = _checked(found, system, solver, seconds)
    except (_RejectedError, ModelError) as error:
        return CertificateVerdict(False, str(error), solver, properties, 0)
    return CertificateVerdict(True, "", solver, properties, asked)


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CertificateError(f"cannot read {path}: {error}") from error


def _checked(certificate: Certificate, system: TransitionSystem, solver: str, seconds: float | None) -> int:
    """The number of queries that were asked; raises _RejectedError unless all answers are right."""
    header, relation = certificate.header, Relation(system)
    if not header.claims:
        raise _RejectedError("it claims nothing")
    try:
        model = _lines(model_part(relation, header.claims))
        asked = _lines(query_part(relation, header))
    except CertificateError as error:
        raise _RejectedError(str(error)) from error
    _bind_model(certificate, system, model)
    _bind_claim(certificate.claim, signatures(relation, header))
    if certificate.queries != asked:
        raise _RejectedError(
            f"its queries are not those of such a certificate: {_difference(certificate.queries, asked)}"
        )
    _execute_witnesses(certificate, system)
    names = [query.name for query in queries(relation, header)]
    if names:
        _ask(solver, "\n".join([*model, *certificate.claim, *asked]), names, seconds)
    return len(names)


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Without comments."""
    return tuple(line for text in lines for line in text.splitlines() if not line.startswith(";"))


def _bind_model(certificate: Certificate, system: TransitionSystem, model: tuple[str, ...]) -> None:
    """The certificate is about this system: its definitions are the system's, line by line."""
    differs = _difference(certificate.model, model)
    if certificate.header.digest != system.digest:
        theirs, ours = certificate.header.digest[:12], system.digest[:12]
        where = f"; {differs}" if differs else ""
        raise _RejectedError(f"it was made for another model: it names {theirs}, and {system.name} is {ours}{where}")
    if differs:
        raise _RejectedError(f"its model is not {system.name}: {differs}")


def _difference(theirs: Sequence[str], ours: Sequence[str]) -> str:
    """Where two texts differ first, "" if they do not."""
    part = ""
    for number, (their, our) in enumerate(zip_longest(theirs, ours, fillvalue=""), 1):
        if their != our:
            inside = f" (in {part})" if part else ""
            return f"line {number}{inside} says {_short(their)}, and should say {_short(our)}"
        if our.startswith("(define-fun "):
            part = our.split()[1]
    return ""


def _short(line: str) -> str:
    """The end of a line: definitions begin with long lists of parameters."""
    return "nothing" if not line else line if len(line) <= 90 else f"...{line[-87:]}"


def _bind_claim(lines: Sequence[str], expected: Sequence[str]) -> None:
    """The claim is made of the expected definitions and nothing else: it cannot assert, or define again what the queries use."""
    text = "\n".join(lines)
    if any(sign in text for sign in '|";'):
        raise _RejectedError("its claim has strings, quoted names or comments, which no claim needs")
    forms = list(_forms(text))
    if len(forms) != len(expected):
        raise _RejectedError(f"its claim consists of {len(forms)} definitions, and {len(expected)} are expected")
    for form, signature in zip(forms, expected, strict=True):
        if not form.startswith(signature):
            raise _RejectedError(
                f"its claim has {_head(form)} where {_head(signature)} is expected, with the model's variables"
            )


def _head(text: str) -> str:
    return " ".join(text.split()[:2])


def _forms(text: str) -> Iterator[str]:
    """The parenthesised texts that a text consists of; raises _RejectedError for anything else."""
    depth, start = 0, 0
    for position, sign in enumerate(text):
        if depth == 0:
            if sign.isspace():
                continue
            if sign != "(":
                raise _RejectedError(f"its claim is not a list of definitions: {text[position : position + 20]!r}")
            start = position
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            yield text[start : position + 1]
    if depth:
        raise _RejectedError("its claim ends in the middle of a definition")


def _execute_witnesses(certificate: Certificate, system: TransitionSystem) -> None:
    """Every witness is a path of the system to a state that meets the goal."""
    for claim in certificate.header.claims:
        item = system.property_named(claim.property)
        if claim.witness is None or not isinstance(item, Reachable):
            continue
        trace = Trace(system.name, system.digest, item.name, *claim.witness)
        try:
            steps = rerun(system, trace)
        except TraceError as error:
            raise _RejectedError(f"the witness of {item.name} cannot be executed: {error}") from error
        if not system.holds(item.goal, steps[-1].after if steps else trace.initial):
            raise _RejectedError(f"the witness of {item.name} does not end where its goal is met")


def _ask(solver: str, script: str, names: Sequence[str], seconds: float | None) -> None:
    """Put the queries to a solver; raises _RejectedError unless each answer is `unsat`."""
    try:
        given = answers(solver, script, seconds)
    except UnreadableError as error:
        raise _RejectedError(str(error)) from error
    for name, answer in zip_longest(names, given, fillvalue=""):
        if answer == "sat":
            raise _RejectedError(f"{solver} refutes it: {name!r} has a solution")
        if answer != "unsat":
            raise _RejectedError(f"{solver} does not confirm it: {name!r} is answered with {answer or 'nothing'}")
