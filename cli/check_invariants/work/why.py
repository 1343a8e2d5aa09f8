"""`check-invariants why`: what it does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from check_invariants.exit import Interrupted, MalformedInput
from check_invariants.output import Counter, make_directory, write_to
from check_invariants.selection import probes_of_states
from draincheck.errors import ModelError, UnknownName
from draincheck.report.jsontrace import write_trace
from draincheck.revisions import find_revision
from draincheck.run import Run
from drainspecs.mirror.code_base import CodeBase
from drainspecs.questions.why import Flip, Why

__all__ = ["ask", "the_property", "without_changes", "write_evidence"]


def the_property(properties: Sequence[str]) -> str:
    """The one property that is asked about. Raises UsageError."""
    if len(properties) > 1:
        raise click.UsageError("a reason is for one verdict: name one property")
    return properties[0] if properties else "S1"


def ask(selected: CodeBase, name: str, against: str, jobs: int | None) -> Why:
    """The answers. Raises BadParameter, MalformedInput and Interrupted."""
    from drainspecs.questions.why import why

    try:
        base = find_revision(against)
    except UnknownName as error:
        raise click.BadParameter(str(error), param_hint="'--against'") from error
    probes = probes_of_states(selected, "why")
    counter = Counter("sets of changes looked at")
    try:
        with counter:
            return why(
                selected.turned,
                selected.scenario,
                name,
                base=base,
                probes=probes,
                advance=counter.advance,
                processes=jobs,
            )
    except ModelError as error:
        raise MalformedInput(f"{selected.title}: {error}") from error
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted after {counter.done} sets of changes: there may be more answers") from error


def write_evidence(selected: CodeBase, name: str, answer: Why, directory: str) -> list[str]:
    """A file for each answer. Raises NotWritable."""
    make_directory(directory)
    paths = [
        str(Path(directory) / f"without-{'+'.join(t.knob for t in flip.changes)}{_suffix(flip)}")
        for flip in answer.flips
    ]
    for path, flip in zip(paths, answer.flips, strict=True):
        write_to(path, _evidence(without_changes(selected, flip), name, flip))
    return paths


def _suffix(flip: Flip) -> str:
    return ".smt2" if flip.verdict.trace is None else ".json"


def _evidence(without: CodeBase, name: str, flip: Flip) -> str:
    """The text of a certificate, or of a trace file."""
    from draincheck.certificate import make

    if flip.verdict.trace is None:
        return make(without.system(), [name], source=without.source()).text
    return write_trace(
        Run.of(without.system(), flip.verdict.trace), source=without.source(), verdict=flip.verdict.outcome
    )


def without_changes(selected: CodeBase, flip: Flip) -> CodeBase:
    """The code base after removal, as options name it."""
    removed = {change.knob: change.before for change in flip.changes}
    order = removed.pop("order", selected.order)
    assert order is None or isinstance(order, str)
    return replace(selected, order=order, settings={**selected.settings, **removed})
