"""Random programs of threads that wait for conditions and for locks, spin, count and choose: much of it gets stuck."""

from __future__ import annotations

import random

from draincheck.expr import TRUE, BoolExpr
from draincheck.lang import Model
from draincheck.lang.process import Process

__all__ = ["waiting_program"]


def waiting_program(seed: int) -> Model:
    """The program of a seed: two to four threads of one to three statements."""
    return _Program(random.Random(seed)).model


class _Program:
    """A program in the making."""

    def __init__(self, chance: random.Random) -> None:
        self.model, self._chance = Model("waits"), chance
        names = [f"t{number}" for number in range(chance.choice((2, 3, 3, 4)))]
        self._flags = [self.model.bool(name) for name in "fgh"]
        self._number = self.model.int("n", 0, 2)
        self._locks = [self.model.enum(name, "free", *names) for name in ("lock", "key")]
        for name in names:
            with self.model.thread(name) as p:
                for _ in range(chance.choice((1, 2, 3))):
                    self._statement(p, name)
        self.model.no_deadlock()

    def _condition(self) -> BoolExpr:
        one, other = (self._chance.choice(self._flags) for _ in range(2))
        return self._chance.choice((one, one, ~one, one | other, one & other, self._number > 0, self._number.is_(2)))

    def _statement(self, p: Process, name: str) -> None:
        if self._chance.random() < 0.2:
            self._locked(p, name)
        else:
            self._chance.choice((self._waits, self._waits, self._sets, self._counts, self._spins, self._chooses))(p)

    def _locked(self, p: Process, name: str) -> None:
        lock = self._chance.choice(self._locks)
        p.do("takes", lock.set(name), when=lock.is_("free"))
        self._statement(p, name)
        p.do("gives", lock.set("free"))

    def _waits(self, p: Process) -> None:
        p.wait("waits", self._condition())

    def _sets(self, p: Process) -> None:
        flag, value = (self._chance.choice(self._flags) for _ in range(2))
        p.do("sets", flag.set(self._chance.choice((True, True, False, value))))

    def _counts(self, p: Process) -> None:
        change = self._number.inc if self._chance.random() < 0.7 else self._number.dec
        p.do("counts", change(), when=self._chance.choice((TRUE, self._condition())))

    def _spins(self, p: Process) -> None:
        flag = self._chance.choice(self._flags)
        with p.until(self._condition()):
            p.do("spins", flag.set(~flag))

    def _chooses(self, p: Process) -> None:
        flag = self._chance.choice(self._flags)
        with p.either() as choice:
            with choice():
                p.do("this", flag.set())
            with choice(when=self._condition()):
                p.do("that", self._number.set(1))
