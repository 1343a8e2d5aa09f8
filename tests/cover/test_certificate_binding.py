"""Certificates that are not about the model, or say more than they may: refused before any solver is asked.

Each is tried on a small machine and on a system of the QEMU model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

import pytest
import z3
from msgspec.structs import force_setattr, replace

from draincheck.certificate import Certificate, check, make, read
from draincheck.certificate.format import QUERIES
from draincheck.certificate.queries import constants, queries
from draincheck.engines.smt.relation import Relation
from draincheck.errors import CertificateError
from draincheck.expr import TRUE
from draincheck.properties import Always
from draincheck.revisions import find_revision
from draincheck.solvers import Answer, open_solver
from draincheck.system import Action, TransitionSystem
from drainspecs.mirror.scenarios import find_scenario
from drainspecs.suite.matrix import Row, system_of
from tests.support.certificates import forged, with_bodies, with_claim
from tests.support.machines import philosophers
from tests.support.samples import sampled


@dataclass(frozen=True)
class Subject:
    """A system, its certificate, and the property (an Always) that is tampered with."""

    system: TransitionSystem
    certificate: Certificate
    property: str

    def other(self, system: TransitionSystem) -> Certificate:
        """The certificate as somebody passes it off for another system: with its name and hash, and nothing else changed."""
        text = self.certificate.text.replace(self.system.digest, system.digest)
        return read(text.replace(f'"model": "{self.system.name}"', f'"model": "{system.name}"'))


def qemu() -> Subject:
    system = system_of(Row(find_revision("9a0cec664e"), find_scenario("mirror")))
    return Subject(system, make(system, ["S1", "S2", "F1"]), "S2")


def small() -> Subject:
    system = philosophers(final=True)
    return Subject(system, make(system), "exclusive")


@pytest.fixture(scope="module", params=[small, qemu], ids=["philosophers", "9a0cec664e"])
def subject(request: pytest.FixtureRequest) -> Subject:
    """A small machine, and a code base."""
    found: Subject = request.param()
    return found


@pytest.fixture
def no_solver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A solver that is asked anything is an error."""

    def asked(*_: object) -> None:
        raise AssertionError("a solver was asked")

    monkeypatch.setattr(import_module("draincheck.certificate.check"), "open_solver", asked)
    yield


@pytest.mark.usefixtures("no_solver")
def test_what_differs_is_shown_with_its_place_in_the_file(subject: Subject) -> None:
    """A digit deep in a long line: the line and the column where an editor finds it, and both texts from a little before it on."""
    certificate = subject.certificate
    for part, numbers in ((certificate.model, certificate.numbers[0]), (certificate.queries, certificate.numbers[2])):
        place, line = max(enumerate(part), key=lambda found: len(found[1]))
        lines, column = certificate.text.splitlines(keepends=True), len(line) - 2
        assert lines[numbers[place] - 1] == f"{line}\n"
        lines[numbers[place] - 1] = f"{line[:column]} {line[column:]}\n"
        reason = refused("".join(lines), subject.system)
        assert f": line {numbers[place]}" in reason and f", column {column + 1}, says " in reason
        said, should = reason.partition(" says ")[2].split(", and should say ")
        assert said != should and line.endswith(should.removeprefix("...")) and len(said) < 100


def refused(certificate: Certificate | str, system: TransitionSystem) -> str:
    """Why a certificate is refused."""
    verdict = check(certificate, system)
    assert (verdict.accepted, verdict.undecided, verdict.queries) == (False, False, 0)
    return verdict.reason


def test_the_honest_certificate_gets_to_the_solver(subject: Subject, no_solver: None) -> None:
    """Negative control of this file: what is not tampered with does reach a solver."""
    with pytest.raises(AssertionError, match="a solver was asked"):
        check(subject.certificate, subject.system)


# -- another model ----------------------------------------------------------------------------------


def dropped(system: TransitionSystem) -> TransitionSystem:
    return replace(system, actions=system.actions[:-1])


def added(system: TransitionSystem) -> TransitionSystem:
    last: Action = replace(system.actions[-1], index=len(system.actions))
    return replace(system, actions=(*system.actions, last))


def guarded(system: TransitionSystem) -> TransitionSystem:
    first = replace(system.actions[0], guard=TRUE)
    return replace(system, actions=(first, *system.actions[1:]))


def idle(system: TransitionSystem) -> TransitionSystem:
    number = next(n for n, action in enumerate(system.actions) if action.updates)
    action = replace(system.actions[number], updates=system.actions[number].updates[1:])
    return replace(system, actions=(*system.actions[:number], action, *system.actions[number + 1 :]))


@pytest.mark.parametrize("change", [dropped, added, guarded, idle])
@pytest.mark.usefixtures("no_solver")
def test_changed_action_is_another_model(
    subject: Subject, change: Callable[[TransitionSystem], TransitionSystem]
) -> None:
    """An action that is dropped, added, free of its guard or of an update: by the hash, and by the definitions."""
    system = change(subject.system)
    assert refused(subject.certificate, system) == (
        f"it was made for another model: it names '{subject.system.digest[:12]}', and {system.name} is '{system.digest[:12]}'"
    )
    assert refused(subject.other(system), system).startswith(f"its model is not {system.name}: line ")


@pytest.mark.usefixtures("no_solver")
def test_weakened_property_is_another_model(subject: Subject) -> None:
    """A certificate whose text proves a weaker property than the model demands."""
    weak = [
        replace(item, holds=TRUE) if isinstance(item, Always) and item.name == subject.property else item
        for item in subject.system.properties
    ]
    weaker = replace(subject.system, properties=tuple(weak))
    certificate = make(weaker, [claim.property for claim in subject.certificate.header.claims])
    assert "it was made for another model" in refused(certificate, subject.system)
    passed_off = certificate.text.replace(weaker.digest, subject.system.digest)
    assert " (in violated" in refused(passed_off, subject.system)


@pytest.mark.usefixtures("no_solver")
def test_changed_initial_state_is_another_model(subject: Subject) -> None:
    """A certificate of a model that starts elsewhere."""
    variables = subject.system.variables
    first = next(v for v in variables if v.sort.size > 1)
    before = first.initial
    try:
        others = (value for value in range(first.sort.low, first.sort.high + 1) if value not in before)
        force_setattr(first, "initial", tuple(others)[:1])
        elsewhere = replace(subject.system)
        digest = elsewhere.digest
        text = forged(elsewhere, subject.certificate).text
    finally:
        force_setattr(first, "initial", before)
    system = replace(subject.system)
    assert "it was made for another model" in refused(text, system)
    assert " (in init), " in refused(text.replace(digest, system.digest), system)


@pytest.mark.usefixtures("no_solver")
def test_name_and_hash_are_both_the_models(subject: Subject) -> None:
    """Another hash with the right text, and another name with the right text."""
    header = subject.certificate.header
    wrong = replace(subject.certificate, header=replace(header, digest="0" * 64))
    assert "it was made for another model: it names '000000000000'" in refused(wrong, subject.system)
    wrong = replace(subject.certificate, header=replace(header, model="f3926945c8 / mirror"))
    assert refused(wrong, subject.system) == (
        f"it names its model 'f3926945c8 / mirror', and that is called '{subject.system.name}'"
    )


# -- other queries ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_solver")
def test_other_queries_are_refused(subject: Subject) -> None:
    """A query that is edited, left out, asked twice or in another order; an assertion too many; nothing at all."""
    lines = subject.certificate.queries
    number = next(n for n, text in enumerate(lines) if text.startswith("(assert"))
    end = len(lines) - 6
    for other in (
        [text.replace("(assert (and", "(assert (and false") for text in lines],
        [text.replace("(not (inv", "(and (inv") for text in lines],
        [*lines[: number - 3], *lines[number + 3 :]],
        lines[:end],
        [*lines, *lines[end:]],
        [*lines[:number], "(assert false)", *lines[number:]],
        ["(assert false)", *lines],
        [text for text in lines if not text.startswith("(assert")],
        [text for text in lines if text != "(check-sat)"],
        [],
    ):
        wrong = replace(subject.certificate, queries=tuple(other))
        assert refused(wrong, subject.system).startswith("its queries are not those of such a certificate: line ")


@pytest.mark.usefixtures("no_solver")
def test_other_definitions_of_the_model_are_refused(subject: Subject) -> None:
    """A model part with a line more, less, or in another logic."""
    lines = subject.certificate.model
    for other in (
        [*lines, "(assert false)"],
        ["(assert false)", *lines],
        lines[:-1],
        [text.replace("QF_BV", "ALL") for text in lines],
        [text.replace("(define-fun step", "(declare-fun step") for text in lines],
        [],
    ):
        wrong = replace(subject.certificate, model=tuple(other))
        assert refused(wrong, subject.system).startswith(f"its model is not {subject.system.name}: line ")


@pytest.mark.usefixtures("no_solver")
def test_k_of_the_header_is_that_of_the_queries(subject: Subject) -> None:
    """A header that promises another induction than the text asks about."""
    header = subject.certificate.header
    for other in (replace(header, k=2), replace(header, k=3, simple=True)):
        wrong = replace(subject.certificate, header=other)
        assert "its queries are not those" in refused(wrong, subject.system)


# -- claims that say too much -----------------------------------------------------------------------

TRICKS = {
    "an assertion": "{claim}\n(assert false)",
    "an assertion on the same line": "{claim} (assert false)",
    "an assertion before": "(assert false)\n{claim}",
    "a definition closed early": "{early})(assert false",
    "a definition of step": "{claim}\n(define-fun step () Bool false)",
    "the definition of step": "(define-fun step {parameters} Bool false)\n{claim}",
    "the definition of and": "(define-fun and ((x Bool) (y Bool)) Bool false)\n{claim}",
    "the definition of true": "(define-fun true () Bool false)\n{claim}",
    "a constant of the queries": "(define-fun v0.0 () Bool false)\n{claim}",
    "a second invariant": "{claim}\n{claim}",
    "another logic": "(set-logic ALL)\n{claim}",
    "an option": "(set-option :timeout 1)\n{claim}",
    "push": "{claim}\n(push 1)",
    "reset": "{claim}\n(reset-assertions)",
    "an answer": '(echo "unsat")\n{claim}',
    "a let over a parameter": "{head}(let ((v0 true)) v0))",
    "a let over a function": "{head}(let ((and true)) and))",
    "a let over true": "{head}(let ((true false)) true))",
    "a query's constant": "{head}(and v0.0 true))",
    "recursion": "{head}(inv {names}))",
    "a forward reference": "{head}(violated0 {names}))",
    "a name": "{head}(! true :named step))",
    "a quantifier": "{head}(forall ((x Bool)) x))",
    "a quoted name": "{head}|v0|)",
    "a quoted name over two commands": "{head}(and |) (assert false) | true))",
    "a string": '{head}"true")',
    "a string over two commands": '{head}(and ") (assert false) " true))',
    "a comment": "{head}true ; )\n)",
    "a comment over the rest": "{head}true) ; {claim}",
    "half of it": "{half}",
    "nothing": "",
}


@pytest.mark.parametrize("trick", sampled(TRICKS, list(TRICKS)[::3]))
@pytest.mark.usefixtures("no_solver")
def test_claim_that_says_more_is_refused(subject: Subject, trick: str) -> None:
    """Commands beside the definitions, definitions over others, names that are not the claim's, quotes, comments."""
    claim = "\n".join(subject.certificate.claim)
    head = claim[: claim.index(") Bool ") + 7]
    parameters = head.split("inv ", 1)[1].removesuffix(" Bool ")
    names = " ".join(f"v{n}" for n in range(len(subject.system.variables)))
    text = TRICKS[trick].format(
        claim=claim, early=f"{head}true", head=head, parameters=parameters, names=names, half=claim[: len(claim) // 2]
    )
    assert "its claim " in refused(replace(subject.certificate, claim=tuple(text.split("\n"))), subject.system)
    if trick not in ("a comment", "nothing"):
        assert "its claim " in refused(with_claim(subject.certificate.text, text), subject.system)


@pytest.mark.parametrize(
    "end", ["\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\0"]
)
@pytest.mark.usefixtures("no_solver")
def test_hidden_ends_of_lines_are_malformed(subject: Subject, end: str) -> None:
    """What is a comment for one reader and a command for another does not get as far as a check."""
    text = subject.certificate.text.replace(f"\n{QUERIES}", f"\n;{end}(assert false)\n{QUERIES}")
    with pytest.raises(CertificateError, match="printable ASCII"):
        check(text, subject.system)


def _answers(definitions: list[str], conditions: list[str]) -> list[Answer]:
    """What cvc5 says of each condition."""
    solver = open_solver("cvc5")
    solver.define("\n".join(definitions))
    return list(map(solver.ask, conditions))


def test_the_tricks_would_work(subject: Subject) -> None:
    """Negative control of the binding: a script with `(assert false)` in it is all unsat, whatever its invariant says."""
    certificate = with_bodies(subject.system, make(subject.system, [subject.property]), ["true"])
    needed = [query.condition for query in queries(Relation(subject.system), certificate.header)]
    definitions = [*certificate.model, *certificate.claim, *constants(Relation(subject.system), certificate.header)]
    assert Answer.SAT in _answers(definitions, needed)
    assert set(_answers([*definitions, "(assert false)"], needed)) == {Answer.UNSAT}
    cheat = certificate.text.replace(f"\n{QUERIES}", f"\n(assert false)\n{QUERIES}")
    context = z3.Context()
    output = z3.Z3_eval_smtlib2_string(context.ref(), cheat).splitlines()
    assert [line for line in output if line in ("sat", "unsat")] == ["unsat"] * len(needed)
