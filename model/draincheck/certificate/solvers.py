"""Solvers that read a certificate's own text: z3, and cvc5 if it is installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from draincheck.certificate.format import CertificateError

__all__ = ["SOLVERS", "UnreadableError", "answers"]

SOLVERS = ("z3", "cvc5")

ANSWERS = frozenset({"sat", "unsat", "unknown"})


class UnreadableError(Exception):
    """A script that a solver does not understand."""


def answers(solver: str, script: str, seconds: float | None = None) -> list[str]:
    """What a solver answers to the queries of an SMT-LIB script: `sat`, `unsat` or `unknown` each.

    `seconds` is how much time it has for one query. Raises CertificateError if the solver is not known or not installed, and
    UnreadableError if it cannot read the script.
    """
    run = {"z3": _z3, "cvc5": _cvc5}.get(solver)
    if run is None:
        raise CertificateError(f"unknown solver {solver!r}; known: {', '.join(SOLVERS)}")
    output = run(script, seconds).splitlines()
    errors = [line for line in output if "error" in line]
    found = [line for line in output if line in ANSWERS]
    if errors and not found:
        raise UnreadableError(f"{solver} cannot read it: {errors[0]}")
    return found


def _z3(script: str, seconds: float | None) -> str:
    z3: Any = import_module("z3")
    context = z3.Context()
    limit = f"(set-option :timeout {int(seconds * 1000)})\n" if seconds is not None else ""
    try:
        return str(z3.Z3_eval_smtlib2_string(context.ref(), limit + script))
    except z3.Z3Exception as error:  # the output with an error somewhere in it, a wrong `set-info :status` included
        output = error.value
        return output.decode() if isinstance(output, bytes) else str(output)


def _cvc5(script: str, seconds: float | None) -> str:
    try:
        cvc5: Any = import_module("cvc5")
    except ImportError as error:
        raise CertificateError("cvc5 is not installed; pip install 'check-invariants[cvc5]'") from error
    solver = cvc5.Solver(cvc5.TermManager())
    if seconds is not None:
        solver.setOption("tlimit-per", str(int(seconds * 1000)))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "certificate")
    output: list[str] = []
    try:
        while not (command := parser.nextCommand()).isNull():
            output.append(command.invoke(solver, parser.getSymbolManager()))
    except RuntimeError as error:
        output.append(f"(error {error})")
    return "".join(output)
