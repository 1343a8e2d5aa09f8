"""A counterexample as a regression test: its steps by name, to be taken again on a model that may have changed since.

`assert_shows` is a test that passes as long as the bug is there, `assert_never_shows` one that passes as soon as it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NoReturn, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from draincheck.analysis.confirmed import confirmed
from draincheck.budget import look
from draincheck.checking import check
from draincheck.errors import ModelError
from draincheck.properties import Always, Assertion, Eventually, LeadsTo, Property, Reachable
from draincheck.run import Run, Trace, label_of
from draincheck.semantics.violation import outcome_if_not_shown, outcome_if_shown, shown_for_sure
from draincheck.sorts import Value
from draincheck.system import Action, State, TransitionSystem, Variable
from draincheck.verdict import Outcome
from draincheck.words import counted

__all__ = ["Schedule"]

#: who takes a step, and what it is called
Name: TypeAlias = tuple[str, str]

#: of a message: more steps are not listed
MOST_LISTED = 8


class Schedule(Struct, frozen=True):
    """Steps by name, and what they show.

    Attributes:
        property: the property that they show violated (or, of a goal, met).
        steps: for each step who takes it, and what it is called.
        start: the values of variables that may start with several.
        loop: for steps that go on for ever, how many come before those that repeat.
    """

    property: str
    steps: Sequence[Name]
    start: Mapping[str, Value] = {}
    loop: int | None = None

    @classmethod
    def of(cls, run: Run) -> Schedule:
        """That of a run."""
        system, trace = run.system, run.trace
        values = system.decoded(trace.initial)
        start = {v.name: values[v.name] for v in system.variables if len(v.initial) != 1}
        steps = [_name(system, system.actions[step.action], step.before) for step in run.steps]
        return cls(trace.property, steps, start, trace.loop)

    def assert_shows(self, system: TransitionSystem) -> Run:
        """A run of the system with these steps that shows the property.

        Raises AssertionError, with the first step that differs, if there is none.
        """
        __tracebackhide__ = True
        item = self._property(system)
        paths = _Paths.of(self, system, item)
        for number, name in enumerate(self.steps, 1):
            before, paths = paths, paths.taking(name, number)
            if not paths.all:
                _fail(f"step {number} cannot be taken: {_shown(name)}; {before.offered(number)}")
        run = next(paths.showing(), None)
        steps = f"all {counted(len(self.steps), 'step')} can be taken"
        return run if run is not None else _fail(f"{steps}, and {self.property!r} is not {_told(item)} by them")

    def assert_never_shows(self, system: TransitionSystem) -> None:
        """That no run with these steps shows the property; up to its loop each process may take others between them, as a change may bring.

        Where the system has no step of such a name any more, that says nothing, and all its runs are searched instead. Raises AssertionError with
        what shows the property.
        """
        __tracebackhide__ = True
        item = self._property(system)
        if lacking := self._lacking(system):
            return self._search(system, item, lacking)
        paths = _Paths.of(self, system, item)
        for number, name in enumerate(self.steps, 1):
            paths = paths.drawn_near(name)
            _refuse(paths.showing_at_once())
            paths = paths.taking(name, number)
            _refuse(paths.showing_at_once())
        _refuse(paths.showing(perhaps=True))
        return None

    def _property(self, system: TransitionSystem) -> Property:
        __tracebackhide__ = True
        try:
            return system.property_named(self.property)
        except ModelError as error:
            _fail(f"{error}: nothing says any more what the steps show; export the trace again")

    def _lacking(self, system: TransitionSystem) -> list[Name]:
        """The steps whose names the system does not know."""
        known = {(action.process, part.label) for action in system.actions for part in action.parts}
        processes = {action.process for action in system.actions}
        return [
            (p, label)
            for p, label in dict.fromkeys(map(tuple, self.steps))
            if p not in processes or not _is_known(p, label, known)
        ]

    def _search(self, system: TransitionSystem, item: Property, lacking: Sequence[Name]) -> None:
        """Ask whether any run shows the property, since the steps do not say."""
        __tracebackhide__ = True
        verdict = check(system, [self.property])[self.property].verdict
        if verdict.outcome is not outcome_if_not_shown(item):
            why = f"there is no step {_shown(lacking[0])} any more, so all runs were searched"
            _fail(f"{why}: {self.property!r} is {verdict.outcome.value} ({verdict.reason})")


def _told(item: Property) -> str:
    """What is so of a property that is shown."""
    return "violated" if outcome_if_shown(item) is Outcome.VIOLATED else "met"


def _is_known(process: str, label: str, known: set[Name]) -> bool:
    """Whether a step may be called so: all that takes place in it is known of its process, or it has no label."""
    return label.startswith("(goes on") or all((process, part) in known for part in label.split("; "))


def _fail(message: str) -> NoReturn:
    __tracebackhide__ = True
    raise AssertionError(message)


def _refuse(runs: Iterable[Run]) -> None:
    """Raise AssertionError if there is a run, with its steps."""
    __tracebackhide__ = True
    for run in runs:
        steps = Schedule.of(run).steps
        listed = "\n".join(f"  {number} {_shown(name)}" for number, name in enumerate(steps, 1))
        word = _told(run.system.property_named(run.trace.property))
        _fail(f"{run.trace.property!r} is still {word}, after {counted(len(steps), 'step')}:\n{listed}")


def _name(system: TransitionSystem, action: Action, state: State) -> Name:
    return action.process, label_of(system, action, state)


def _shown(name: Name) -> str:
    return f"{name[0]}: {name[1]}"


class _Path(Struct, frozen=True):
    """A run as far as it has come: what of it can matter to what comes.

    Attributes:
        state: where it is.
        anchor: the state in which its loop begins; None before that, and without one.
        round: the actions since then: whether a loop is fair turns on all of them.
        waiting: of a demand on whole runs, whether its goal was asked for and has not been met since.
        lost: of such a demand, that its goal was met where it must not be: whatever comes, this run does not show it.
        broken: whether its last step has broken the assertion that it is about.
    """

    state: State
    anchor: State | None = None
    round: tuple[int, ...] = ()
    waiting: bool = False
    lost: bool = False
    broken: bool = False


class _Way(Struct, frozen=True):
    """How a path has come about: its initial state, its actions, and how many of them come before its loop."""

    initial: State
    actions: tuple[int, ...] = ()
    loop: int | None = None


class _Paths:
    """All runs that take the steps of a schedule so far; of those that do not differ in what can still come, one."""

    def __init__(
        self, schedule: Schedule, system: TransitionSystem, item: Property, found: Mapping[_Path, _Way]
    ) -> None:
        self.all, self._schedule, self._system, self._item = found, schedule, system, item

    @classmethod
    def of(cls, schedule: Schedule, system: TransitionSystem, item: Property) -> _Paths:
        """Those of the beginning: initial states with the values of the schedule, where the system has such."""
        found = cls(schedule, system, item, {})
        states = map(tuple, product(*(_beginning(schedule.start, variable) for variable in system.variables)))
        pairs = (found._anchored(found._asked(_Path(state)), _Way(state), 0) for state in states)
        return cls(schedule, system, item, dict(pairs))

    def taking(self, name: Name, number: int) -> _Paths:
        """Those that take a step of this name, the number of which it is."""
        found: dict[_Path, _Way] = {}
        for path, way in self.all.items():
            for action in self._sound(path.state):
                if _name(self._system, action, path.state) == tuple(name):
                    further, there = self._anchored(*self._after(path, way, action), number)
                    found.setdefault(further, there)
        return _Paths(self._schedule, self._system, self._item, found)

    def drawn_near(self, name: Name) -> _Paths:
        """Those that have come this far, and may have taken other steps of the process that is next, though none in their loop."""
        found, todo = dict(self.all), [path for path in self.all if path.anchor is None]
        for path in todo:
            look()
            for action in self._sound(path.state):
                process, label = _name(self._system, action, path.state)
                further, there = self._after(path, found[path], action)
                if process == name[0] and label != name[1] and further not in found:
                    found[further] = there
                    todo.append(further)
        return _Paths(self._schedule, self._system, self._item, found)

    def showing(self, perhaps: bool = False) -> Iterator[Run]:
        """Those that show the property, which is searched for where it is about what can come; `perhaps`: also if not all of that is known."""
        shown = ((run, confirmed(run, self._item)) for run in self._runs(whole=True))
        return (run for run, sure in shown if sure or (perhaps and sure is None))

    def showing_at_once(self) -> Iterator[Run]:
        """Those whose last state or step shows it, of properties that are seen there."""
        seen = isinstance(self._item, Always | Assertion | Reachable)
        return (run for run in self._runs(whole=False) if seen and shown_for_sure(run, self._item))

    def offered(self, number: int) -> str:
        """What can be taken instead of a step, in words."""
        names = list(
            dict.fromkeys(
                _shown(_name(self._system, action, path.state))
                for path in self.all
                for action in self._sound(path.state)
            )
        )
        more = f", and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
        where = f"after {counted(number - 1, 'step')}" if number > 1 else "at the start"
        can = f"{', '.join(names[:MOST_LISTED])}{more}" if names else "nothing"
        return f"{where} can be taken: {can}"

    def _runs(self, whole: bool) -> Iterator[Run]:
        """The runs that may show it; `whole` ones have come to the end, where a loop has to close."""
        system, name = self._system, self._schedule.property
        for path, way in self.all.items():
            if not path.lost and (path.anchor in (None, path.state) or not whole):
                loop = way.loop if whole else None
                yield Run.of(system, Trace.of(system, name, way.initial, way.actions, loop))

    def _sound(self, state: State) -> list[Action]:
        """The actions that can be taken."""
        return [action for action in self._system.enabled(state) if self._system.fault(state, action) is None]

    def _after(self, path: _Path, way: _Way, action: Action) -> tuple[_Path, _Way]:
        """A path with one more step."""
        broken = isinstance(self._item, Assertion) and self._item.name in self._system.broken_checks(path.state, action)
        taken = path.round if path.anchor is None else (*path.round, action.index)
        after = replace(path, state=self._system.step(path.state, action), round=taken, broken=broken)
        return self._asked(after), replace(way, actions=(*way.actions, action.index))

    def _anchored(self, path: _Path, way: _Way, number: int) -> tuple[_Path, _Way]:
        """The path, which remembers where it is if its loop begins here."""
        if number != self._schedule.loop:
            return path, way
        return self._asked(replace(path, anchor=path.state)), replace(way, loop=len(way.actions))

    def _asked(self, path: _Path) -> _Path:
        """The path, which knows what has become of its goal by the state where it is."""
        if not isinstance(self._item, Eventually | LeadsTo):
            return path
        holds, state = self._system.holds, path.state
        met = holds(self._item.goal, state)
        asked = isinstance(self._item, LeadsTo) and holds(self._item.trigger, state)
        lost = path.lost or (met and (path.anchor is not None or isinstance(self._item, Eventually)))
        return replace(path, waiting=not met and (path.waiting or asked), lost=lost)


def _beginning(start: Mapping[str, Value], variable: Variable) -> Iterable[int]:
    """The stored values that a variable begins with: the one that is named, if it may, or else all that it may."""
    able = variable.initial or range(variable.sort.low, variable.sort.high + 1)
    if variable.name in start:
        try:
            named = variable.sort.encode(start[variable.name])
        except ModelError:
            return able
        return [named] if named in able else able
    return able
