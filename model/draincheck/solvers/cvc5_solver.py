"""cvc5, seen through the few calls that are needed. Importing this module does not import cvc5; opening a solver does.

cvc5 has no interrupt, and Python hears no Ctrl-C while it works. So it works in a process of its own, which is ended.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from select import select

from draincheck.budget import NO_LIMITS
from draincheck.errors import WorkerLost
from draincheck.solvers.protocol import Answer, unreadable
from draincheck.worker import Worker

__all__ = ["Cvc5", "Cvc5Here"]

#: seconds between two looks at the budget
LOOK = 0.1


class Cvc5:
    """cvc5 in a process of its own."""

    def __init__(self, seconds: float | None = None) -> None:
        """A solver with so much time for each question."""
        self._worker = Worker(partial(_answered, Cvc5Here(seconds)))
        self._stopped = False

    @property
    def process(self) -> int:
        """Who works."""
        return self._worker.process

    def define(self, text: str) -> None:
        """Read declarations and definitions. Raises Unreadable."""
        try:
            self._put("define", text)
        except WorkerLost as error:
            raise unreadable("cvc5", error) from error

    def ask(self, condition: str) -> Answer:
        """Whether a term has a solution, given the definitions. Raises Unreadable."""
        try:
            return self._put("ask", condition) or Answer.UNKNOWN
        except WorkerLost:
            return Answer.UNKNOWN

    def _put(self, question: str, text: str) -> Answer | None:
        """What the process says; nothing once it was ended because there was reason to stop."""
        if self._stopped:
            return None
        self._worker.ask((question, text))
        budget = NO_LIMITS.begun()
        while not select([self._worker], [], [], LOOK)[0]:
            if budget.stop():
                self._stopped = True
                self._worker.end()
                return None
        return self._worker.reply().get()


def _answered(solver: Cvc5Here, question: tuple[str, str]) -> Answer | None:
    kind, text = question
    if kind == "ask":
        return solver.ask(text)
    solver.define(text)
    return None


class Cvc5Here:
    """cvc5 in this process. Answers questions one by one; everything goes in as SMT-LIB text."""

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
