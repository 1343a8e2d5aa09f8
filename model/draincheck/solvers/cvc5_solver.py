"""cvc5, seen through the few calls that are needed. Importing this module does not import cvc5; opening a solver does."""

from __future__ import annotations

from importlib import import_module

from draincheck.solvers.protocol import Answer, unreadable

__all__ = ["Cvc5"]


class Cvc5:
    """Answers questions one by one. Everything goes in as SMT-LIB text."""

    def __init__(self, seconds: float | None = None) -> None:
        """A solver with so much time for each question."""
        self._cvc5 = import_module("cvc5")
        manager = self._cvc5.TermManager()
        self._solver = self._cvc5.Solver(manager)
        # decision diagrams are made of ite; without this, large ones took a fifth longer
        self._solver.setOption("ite-simp", "true")
        if seconds is not None:
            self._solver.setOption("tlimit-per", str(max(1, int(seconds * 1000))))
        self._symbols = self._cvc5.SymbolManager(manager)
        self._parser = self._cvc5.InputParser(self._solver, self._symbols)

    def define(self, text: str) -> None:
        """Read declarations and definitions. Raises Unreadable."""
        self._parser.setStringInput(self._cvc5.InputLanguage.SMT_LIB_2_6, text, "certificate")
        try:
            while not (command := self._parser.nextCommand()).isNull():
                if output := command.invoke(self._solver, self._symbols):
                    raise unreadable("cvc5", output)
        except RuntimeError as error:
            raise unreadable("cvc5", error) from error

    def ask(self, condition: str) -> Answer:
        """Whether a term has a solution, given the definitions. Raises Unreadable."""
        self._solver.push(1)
        self.define(f"(assert {condition})")
        answer = self._solver.checkSat()
        self._solver.pop(1)
        return Answer.SAT if answer.isSat() else Answer.UNSAT if answer.isUnsat() else Answer.UNKNOWN
