"""`check-invariants list`: what it shows."""

from __future__ import annotations

from typing import cast

__all__ = ["NOTES", "cell_text"]


#: what a reader of a list has to know besides
NOTES = {
    "revisions": "dates are author dates; the order is that in which the commits came into QEMU's tree, then the controls"
}


def cell_text(value: object) -> str:
    """A value of a row, as it stands in the table."""
    if isinstance(value, dict):
        return " ".join(f"{name}={_knob(setting)}" for name, setting in cast("dict[str, object]", value).items())
    return " ".join(cast("list[str]", value)) if isinstance(value, list) else str(value)


def _knob(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
