"""What a trace file tells of its steps by itself, for readers that have no model: names and values, of which nothing was executed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec import Struct, convert, field

from draincheck.report.jsontrace import document_of, trace_file
from draincheck.sorts import Value

__all__ = ["ToldPart", "ToldStep", "ToldTrace", "told_trace"]


class ToldPart(Struct, frozen=True):
    """A part of a step that took place: what it is called, and the calls that it stands in."""

    label: str
    frames: Sequence[str]


class ToldStep(Struct, frozen=True):
    """A step, as a file tells it.

    Attributes:
        action: the index of the action, which means something in its own model alone.
        process: who took it.
        parts: what took place.
        changes: by variable its old and its new value.
        broken: the properties whose checks it broke.
    """

    action: int
    process: str
    parts: Sequence[ToldPart]
    changes: Mapping[str, tuple[Value, Value]]
    broken: Sequence[str]

    @property
    def label(self) -> str:
        """What took place, in the words that a run has for it (`draincheck.run.label_of`)."""
        labels = dict.fromkeys(part.label for part in self.parts if part.label)
        places = [part.frames[-1] for part in self.parts if part.frames]
        return "; ".join(labels) or (f"(goes on in {places[-1]})" if places else "(goes on)")


class _Variable(Struct, frozen=True):
    name: str
    internal: bool


class _Error(Struct, frozen=True):
    process: str
    label: str
    message: str


class ToldTrace(Struct, frozen=True, dict=True):
    """A trace, as a file tells it.

    Attributes:
        model: the name of its model.
        digest: what that does, hashed.
        demand: the property that it is evidence about, or "".
        verdict: what it shows, in a word; None where it shows nothing.
        initial: the value of each variable at the start.
        steps: its steps.
        loop: how many of them come before those that repeat; None for a trace that ends.
        variables: all of them.
        error: the step that an error of the run keeps from being taken at the end.
    """

    model: str
    digest: str
    demand: str = field(name="property")
    verdict: str | None
    initial: Mapping[str, Value]
    steps: Sequence[ToldStep]
    loop: int | None
    variables: Sequence[_Variable] = field(default_factory=list[_Variable])
    error: _Error | None = None

    @cached_property
    def shown(self) -> frozenset[str]:
        """The variables that are meant for people."""
        return frozenset(variable.name for variable in self.variables if not variable.internal)

    @property
    def start(self) -> Mapping[str, Value]:
        """Their values at the start."""
        return {name: value for name, value in self.initial.items() if name in self.shown}

    @property
    def end(self) -> Mapping[str, Value]:
        """Their values at the end."""
        values = dict(self.start)
        for step in self.steps:
            values |= self.changes(step)
        return values

    def changes(self, step: ToldStep) -> Mapping[str, Value]:
        """The values that a step gives to them."""
        return {name: new for name, (_, new) in step.changes.items() if name in self.shown}


def told_trace(text: str | bytes) -> ToldTrace:
    """What the text of a trace file tells. Raises TraceError, with the place, for anything but a whole and sound one."""
    data = document_of(text)
    trace_file(data)
    return convert(data, ToldTrace)
