"""What a log shows of the guest's writes: they reach a device, enter the block layer, and are answered."""

from __future__ import annotations

from msgspec import Struct

from draincheck.qemulog.pivot import Moment

__all__ = ["SECTOR", "Answered", "Entered", "Reached", "Seen"]

SECTOR = 512


class Reached(Struct, frozen=True):
    """A write has reached a device."""

    moment: Moment
    device: str | None
    pointer: str
    sector: int
    sectors: int


class Entered(Struct, frozen=True):
    """A write has entered the block layer by a backend, on a node; or, without a backend, it passes a node.

    Attributes:
        file: on which the node stands; None if the log does not say.
        filters: the node hands on what it gets.
    """

    moment: Moment
    backend: str
    node: str
    sector: int
    sectors: int
    file: str | None = None
    filters: bool = False


class Answered(Struct, frozen=True):
    """The guest was told what came of a request."""

    moment: Moment
    pointer: str
    status: int


Seen = Reached | Entered | Answered
