"""Solvers that read a certificate's own text: z3, and cvc5 if it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from draincheck.certificate.format import CertificateError

__all__ = ["SOLVERS", "UnreadableError", "answers", "demand"]

#: known solvers, by the names of their modules
SOLVERS = ("z3", "cvc5")


class UnreadableError(Exception):
    """A text that a solver does not understand."""


def demand(solver: str) -> None:
    """Raise CertificateError if a solver is not known or not installed."""
    if solver not in SOLVERS:
        raise CertificateError(f"unknown solver {solver!r}; known: {', '.join(SOLVERS)}")
    if find_spec(solver) is None:
        raise CertificateError(f"{solver} is not installed; pip install 'check-invariants[{solver}]'")


def answers(solver: str, definitions: str, conditions: Iterable[str], seconds: float | None = None) -> Iterator[str]:
    """Whether each condition has a solution, given some definitions: `sat`, `unsat` or `unknown`, one by one.

    Both are SMT-LIB, the definitions commands and the conditions terms. `seconds` is how much time the solver has for one of them.
    Raises CertificateError if the solver is not known or not installed, and UnreadableError if it cannot read a text.
    """
    demand(solver)
    ask: Callable[[str, float | None], Callable[[str], str]] = {"z3": _z3, "cvc5": _cvc5}[solver]
    return map(ask(definitions, seconds), conditions)


def _z3(definitions: str, seconds: float | None) -> Callable[[str], str]:
    z3: Any = import_module("z3")
    context = z3.Context()
    parser = z3.ParserContext(context)

    def read(text: str) -> Any:
        try:
            return parser.from_string(text)
        except z3.Z3Exception as error:
            raise UnreadableError(f"z3 cannot read it: {_first_line(error)}") from error

    def ask(condition: str) -> str:
        solver = z3.Solver(ctx=context)
        if seconds is not None:
            solver.set("timeout", max(1, int(seconds * 1000)))
        solver.add(read(f"(assert {condition})"))
        return str(solver.check())

    read(definitions)
    return ask


def _cvc5(definitions: str, seconds: float | None) -> Callable[[str], str]:
    cvc5: Any = import_module("cvc5")
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    # decision diagrams are made of ite; without this, large ones took a fifth longer
    solver.setOption("ite-simp", "true")
    if seconds is not None:
        solver.setOption("tlimit-per", str(max(1, int(seconds * 1000))))
    symbols = cvc5.SymbolManager(manager)
    parser = cvc5.InputParser(solver, symbols)

    def run(text: str) -> None:
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "certificate")
        try:
            while not (command := parser.nextCommand()).isNull():
                if output := command.invoke(solver, symbols):
                    raise UnreadableError(f"cvc5 cannot read it: {_first_line(output)}")
        except RuntimeError as error:
            raise UnreadableError(f"cvc5 cannot read it: {_first_line(error)}") from error

    def ask(condition: str) -> str:
        solver.push(1)
        run(f"(assert {condition})")
        answer = solver.checkSat()
        solver.pop(1)
        return "sat" if answer.isSat() else "unsat" if answer.isUnsat() else "unknown"

    run(definitions)
    return ask


def _first_line(problem: object) -> str:
    """What a solver complains about, without the text that it shows."""
    text = problem.args[0] if isinstance(problem, Exception) and problem.args else problem
    decoded = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    return (decoded.strip().splitlines() or ["no reason given"])[0][:200]
