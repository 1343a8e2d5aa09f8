"""Packages that not every installation has, or that somebody has left out: what each is for, and how it is got."""

from __future__ import annotations

from importlib.util import find_spec

from draincheck.errors import NotInstalled

__all__ = ["demand", "is_installed", "missed_by", "missing"]

#: package, as Python imports it -> what it does here, and what pip calls it
_PACKAGES = {
    "llvmlite": ("which makes machine code", "check-invariants[native]"),
    "cvc5": ("a second solver", "check-invariants[cvc5]"),
    "z3": ("the solver", "z3-solver"),
    "networkx": ("which holds graphs", "networkx"),
    "greenlet": ("which runs the core's coroutines", "greenlet"),
    "rich": ("which writes on a terminal", "rich"),
    "qemu.qmp": ("which speaks to QEMU's monitor", "check-invariants[qemu]"),
    "zstandard": ("which unpacks logs", "check-invariants[zstd]"),
}


def is_installed(package: str) -> bool:
    """Whether it can be imported."""
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # nor can what it is a part of
        return False


def missing(package: str) -> str:
    """That it is missing, and how it is got."""
    what, name = _PACKAGES[package]
    return f"{package}, {what}, is not installed: pip install '{name}'"


def missed_by(error: Exception) -> str:
    """That one of them is missing, if an import has failed for that, in the words of `missing`; otherwise ""."""
    package = error.name if isinstance(error, ModuleNotFoundError) else None
    return missing(package) if package in _PACKAGES else ""


def demand(package: str) -> None:
    """Raise NotInstalled without it."""
    if not is_installed(package):
        raise NotInstalled(missing(package))
