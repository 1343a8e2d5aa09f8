"""The modelling language: a model is ordinary Python that records processes, steps and properties. Start with `Model`."""

from draincheck.errors import ModelError
from draincheck.expr import FALSE, TRUE, BoolExpr, EnumExpr, IntExpr, all_, any_, count, ite, number
from draincheck.lang.model import Model
from draincheck.lang.process import Coroutine, Process
from draincheck.lang.variations import Expected, variant
from draincheck.system import BoolVar, EnumVar, IntVar, Update

__all__ = [
    "FALSE", "TRUE", "BoolExpr", "BoolVar", "Coroutine", "EnumExpr", "EnumVar", "Expected", "IntExpr", "IntVar", "Model", "ModelError", "Process",
    "Update", "all_", "any_", "count", "ite", "number", "variant",
]  # fmt: skip
