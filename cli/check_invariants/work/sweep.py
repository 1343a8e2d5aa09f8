"""`check-invariants sweep`: what it does."""

from __future__ import annotations

from collections.abc import Sequence

from check_invariants.exit import Interrupted, LimitReached, MalformedInput
from check_invariants.output import Counter
from check_invariants.selection import probes_of_states
from draincheck.errors import ModelError
from drainspecs.mirror.code_base import CodeBase
from drainspecs.questions.sweep import Sweep

__all__ = ["swept_by"]


def swept_by(selected: CodeBase, names: Sequence[str], knobs: Sequence[str], jobs: int | None) -> Sweep:
    """All code bases that the knobs make up, decided. Raises LimitReached, MalformedInput and Interrupted."""
    from draincheck.errors import SpaceTooLarge
    from drainspecs.questions.sweep import sweep

    counter = Counter("systems built")
    probes = probes_of_states(selected, "sweep")
    try:
        with counter:
            return sweep(
                selected.scenario,
                names,
                knobs=knobs or None,
                base=selected.turned,
                probes=probes,
                advance=counter.advance,
                processes=jobs,
            )
    except SpaceTooLarge as error:
        raise LimitReached(str(error)) from error
    except ModelError as error:
        raise MalformedInput(f"{selected.title}: {error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted after {counter.done} systems: which code bases are safe is unknown") from error
