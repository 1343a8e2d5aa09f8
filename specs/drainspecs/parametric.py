"""The story for any number of writes: guest writes, sectors in flight and iterations of the main loop are natural numbers.

This is the model of `draincheck.qemu` in the scenario *mirror*, with the requests counted instead of named: they are alike but for the
node they were submitted to. Mirror may have any number of copies in flight. The toggles are those of `draincheck.revisions`. What is
proved or refuted of it is S1, the drain invariant: no request is submitted to the source from the last dirty count that found 0 (w) to
the switch (c).

`INVARIANT` says why it holds at d4a92a8420 and 9a0cec664e, whatever the numbers are.
"""

from __future__ import annotations

from dataclasses import dataclass

from draincheck.errors import ModelError
from draincheck.expr import FALSE, TRUE, BoolExpr, IntExpr, any_, count, ite
from draincheck.lang import BoolVar, EnumVar, IntVar, Model, Process
from draincheck.parametric import NATURAL, over_naturals, parameter
from draincheck.revisions import Knobs
from draincheck.system import TransitionSystem

__all__ = ["any_writes", "finite", "with_writes"]
