"""Engines that decide several properties, asked about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from draincheck.system import TransitionSystem

__all__ = ["one"]

T = TypeVar("T")
P = ParamSpec("P")


def one(
    decide: Callable[Concatenate[TransitionSystem, list[str], P], Mapping[str, T]],
    system: TransitionSystem,
    name: str,
    *args: P.args,
    **options: P.kwargs,
) -> T:
    """What an engine says of one property."""
    return decide(system, [name], *args, **options)[name]
