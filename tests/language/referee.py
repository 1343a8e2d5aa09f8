"""One program, read twice: what the direct reading and the compiled system say, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from draincheck.errors import ModelError
from draincheck.lang import Model
from tests.language import compiled, direct
from tests.language.direct import Findings, TooLargeError, Watch
from tests.language.folding import folds
from tests.language.play import record
from tests.language.refusal import named_places, refusal, yielded_places
from tests.language.shrink import shrunk
from tests.language.source import source
from tests.language.tree import Program

__all__ = ["Tally", "differences", "report", "watches"]

#: states of the direct reading above which a program is skipped
MOST = 400


@dataclass
class Tally:
    """What became of the programs of a run."""

    compared: int = 0
    refused: int = 0
    skipped: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def programs(self) -> int:
        """All of them."""
        return self.compared + self.refused + self.skipped

    def note(self, found: Findings) -> None:
        """Count what was found, so that a run in which nothing happens is noticed."""
        self.compared += 1
        for what in _kinds(found):
            self.seen[what] = self.seen.get(what, 0) + 1

    def add(self, other: Tally) -> None:
        """Count what another run found."""
        self.compared += other.compared
        self.refused += other.refused
        self.skipped += other.skipped
        for what, times in other.seen.items():
            self.seen[what] = self.seen.get(what, 0) + times


def _kinds(found: Findings) -> list[str]:
    kinds = [
        *found.errors,
        *(["broken"] if found.broken else []),
        *(["deadlock"] if found.deadlock is not None else []),
    ]
    return kinds if len(found.edges) > 1 else [*kinds, "still"]


def watches(program: Program) -> list[Watch]:
    """Everything that can be asked of the states of a legal program."""
    found: list[Watch] = []
    for process in program.processes:
        found += [Watch(process.name, place) for place in (*sorted(named_places(process)), "(ended)")]
        if process.coroutine:
            found += [Watch(process.name, "(start)"), Watch(process.name, "")]
            found += [Watch(process.name, place, True) for place in (*sorted(yielded_places(process)), "(ended)")]
    return found


def differences(program: Program, tally: Tally, make: type[Model] = Model) -> list[str]:
    """What the two readings say differently of a program; nothing if they agree, or if it is too large. `make` is the language."""
    reason = refusal(program)
    if reason:
        tally.refused += 1
        return _not_refused(program, reason, make)
    asked = watches(program)
    try:
        expected = direct.explore(program, asked, MOST)
    except TooLargeError:
        tally.skipped += 1
        return []
    tally.note(expected)
    found = _compiled(program, asked, make)
    if isinstance(found, str):
        return [found]
    return [text for item in fields(Findings) if (text := _difference(item.name, expected, found))]


def _compiled(program: Program, asked: list[Watch], make: type[Model]) -> Findings | str:
    """What the compiled system does, or what is wrong with it."""
    try:
        model = record(program, asked, make)
        return compiled.explore(model, program)
    except ModelError as error:
        return f"the compiler refuses it: {error}"
    except TooLargeError:
        return "the compiled system is much larger"
    except (ArithmeticError, AssertionError, AttributeError, TypeError, ValueError) as error:
        return f"a crash: {error!r}"


def _not_refused(program: Program, reason: str, make: type[Model]) -> list[str]:
    try:
        record(program, [], make).compile()
    except ModelError as error:
        return [] if error.line is not None or reason.startswith("no place") else [f"refused without a line: {error}"]
    return [] if folds(program) else [f"the compiler accepts it: {reason}"]


def report(program: Program) -> str:
    """A smallest program that differs in the same way, as Python code, and what differs."""
    wanted = _way(differences(program, Tally())[0])
    small = shrunk(program, lambda other: any(_way(text) == wanted for text in differences(other, Tally())))
    return "\n".join([source(small), *differences(small, Tally())])


def _way(difference: str) -> str:
    """In what way something differs."""
    return difference.split(":", maxsplit=1)[0]


def _difference(name: str, expected: Findings, found: Findings) -> str:
    ours, theirs = getattr(expected, name), getattr(found, name)
    if ours == theirs:
        return ""
    if isinstance(ours, dict | set):
        return f"{name}: direct alone {_only(ours, theirs)}, compiled alone {_only(theirs, ours)}"
    return f"{name}: direct {ours}, compiled {theirs}"


def _only(these: dict[object, int] | set[object], those: dict[object, int] | set[object]) -> str:
    mine = (
        set(these.items()) - set(those.items())
        if isinstance(these, dict) and isinstance(those, dict)
        else {*these} - {*those}
    )
    return ", ".join(sorted(map(str, mine))[:4]) or "none"
