"""Where a backtrace was found, for people: the answer, who is who, what each thread waits for, and whether it can get out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from draincheck.analysis.waiting import situation_in
from draincheck.backtrace.activity import Activity, Doing
from draincheck.backtrace.located import Located, LocatedAs, LocatedSpot
from draincheck.backtrace.locating import Laid
from draincheck.backtrace.sought import is_cpu
from draincheck.backtrace.stacks import StackOf
from draincheck.report.waiting import waiting_lines
from draincheck.words import counted, listed

__all__ = ["answer_of", "doing_lines", "named_places", "place_lines", "unknown_lines"]

#: code bases, functions, places that are listed
SHOWN = 12
WIDTH = 100


def answer_of(file: str, found: Located) -> str:
    """One sentence: where a backtrace was taken."""
    return f"{file}: {_answer(found)}"


def _answer(found: Located) -> str:
    match found.answer:
        case LocatedAs.NO_BACKTRACE:
            return "no backtrace: no line of it is a frame (#0 ... in function (...)); of a trace log `log` says more"
        case LocatedAs.IDLE:
            return f"no thread hangs: each waits for work, as in any idle QEMU{_also(found)}"
        case LocatedAs.NOTHING:
            known = f"; of its functions the models know {listed(found.known[:SHOWN])}" if found.known else ""
            return f"unknown: no state of these models has such stacks{known}{_held_up(found)}"
        case LocatedAs.UNSEARCHED:
            return (
                f"not known: not all models were searched, and none of those that were has such stacks{_held_up(found)}"
            )
        case LocatedAs.PARTIAL:
            return f"partly known{_held_up(found)}; the nearest place fits in part: {named_places(found.places[0])}"
        case LocatedAs.ORDINARY:
            return f"an ordinary state: nothing is violated in {named_places(found.places[0])}{_held_up(found)}"
        case LocatedAs.SEVERAL:
            return "several states fit: " + "; or ".join(map(_best, _first(found)[:3]))
        case LocatedAs.NAMED:
            return _best(found.places[0])


def _first(found: Located) -> list[LocatedSpot]:
    """The places that fit best."""
    return [place for place in found.places if place.match.cost == found.places[0].match.cost]


def _also(found: Located) -> str:
    """The violations that look no different."""
    alike = [place for place in _first(found) if place.violated and place.match.fits]
    names = dict.fromkeys(name for place in alike for name in place.violated)
    return f"; also fits a violation of {listed(list(names))}: {named_places(alike[0])}" if alike else ""


def _held_up(found: Located) -> str:
    """Who waits inside of something, or for a lock."""
    held = sorted((each for each in found.doing if each.where and each.doing in _HELD), key=_telling)[:3]
    return "".join(f"; {_short(each.stack)} {each.said}" for each in held)


#: the most telling first: who waits for a lock waits for one of the others
_HELD = (Doing.ABORTS, Doing.INSIDE, Doing.LOCK)


def _telling(each: Activity) -> tuple[int, bool]:
    """How little a thread tells: less than that of others where it is a virtual CPU's."""
    return _HELD.index(each.doing) if each.doing in _HELD else len(_HELD), is_cpu(each.stack)


def doing_lines(found: Located) -> Iterator[str]:
    """What each thread does, by its stack alone; those that do the same together, those that are held up first."""
    groups: dict[str, list[str]] = {}
    for each in sorted(found.doing, key=_telling):
        groups.setdefault(each.said, []).append(_short(each.stack))
    for says, names in groups.items():
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield f"  {', '.join(names[:SHOWN])}{more}: {says}"


def _short(stack: StackOf) -> str:
    """A stack's name without what a debugger adds to it."""
    return stack.name.partition(" (")[0]


def _titles(place: LocatedSpot) -> list[str]:
    """What has one of the systems, each once: a code base is held against several specifications."""
    return list(dict.fromkeys(subject.title for subject in place.subjects))


def _best(place: LocatedSpot) -> str:
    what = f"violates {listed(place.violated)}" if place.violated else "nothing violated"
    return f"{what}: {named_places(place)}"


def named_places(place: LocatedSpot) -> str:
    """The code bases of a place, as many as one line has room for."""
    titles = _titles(place)
    more = f" and {len(titles) - 4} more" if len(titles) > 4 else ""
    return ", ".join(titles[:4]) + more


def place_lines(found: Located, place: LocatedSpot) -> Iterator[str]:
    """All about one place."""
    titles = _titles(place)
    yield f"{counted(len(titles), 'model')} in which the stacks {_fit_of(place)}"
    yield f"  {', '.join(titles[:SHOWN])}" + (f" and {len(titles) - SHOWN} more" if len(titles) > SHOWN else "")
    for pair in place.match.pairs:
        yield from _pair_lines(pair)
    if not found.backtrace.has_coroutines and any(place.match.moment.coroutines):
        yield (
            "  a coroutine that waits is in no thread's stack: `qemu bt` and `qemu coroutine ADDRESS` of QEMU's scripts/qemu-gdb.py show those"
        )


def _fit_of(place: LocatedSpot) -> str:
    """How well a place fits, and what it violates: of what fits in part it is not known whether that is so."""
    violated = f"violates {listed(place.violated)}" if place.violated else "nothing is violated"
    if place.match.fits:
        return f"fit: {violated}"
    return f"fit in part (such a state {violated})" if place.violated else "fit in part"


def _pair_lines(pair: Laid) -> Iterator[str]:
    if pair.stack is None and pair.calls is not None:
        yield f"  {pair.calls.process}: not in the backtrace; it would stand in {_calls(pair.calls.calls)}"
    elif pair.stack is not None and pair.calls is None:
        yield f"  {pair.stack.name}: no thread of the model stands so"
    elif pair.stack is not None and pair.calls is not None:
        more = f" (and {pair.count - 1} that stand alike)" if pair.count > 1 else ""
        yield f"  {pair.stack.name}{more} is {pair.calls.process}, in {_calls(pair.calls.calls)}"
        if pair.fit.strange:
            yield f"    not so in the model: {', '.join(pair.fit.strange)}"
        if pair.fit.absent:
            yield f"    not in the backtrace (inlined, or static): {', '.join(pair.fit.absent)}"
        if pair.awake:
            yield "    it sleeps in the backtrace, and could go on in the model"


def _calls(calls: Sequence[str]) -> str:
    return " > ".join(calls)


def waits_of(place: LocatedSpot, width: int = WIDTH) -> Iterator[str]:
    """Who waits for what in the first of the states, and whether what is demanded can still come."""
    candidate, match = place.where[0]
    graph = candidate.postures.graph
    yield f"in {candidate.subjects[0].title}, after {counted(match.moment.depth, 'step')} at the least:"
    found = situation_in(graph.system, [graph.state(match.moment.state)])
    yield from (line.text for line in waiting_lines(found, width, "  "))
    if match.moment.hopeless:
        yield f"  it cannot get out: {listed(match.moment.hopeless)}"
    elif not match.moment.breaks:
        yield "  it can get out: everything that is demanded can still come"


def unknown_lines(found: Located) -> Iterator[str]:
    """What the models do not know, and what was not looked for or not read."""
    if found.left_out:
        yield f"{counted(found.left_out, 'stack')} more with functions that models know: not looked for, the {len(found.stacks)} that say most were"
    if found.unknown and found.answer is not LocatedAs.UNSEARCHED:
        more = f" and {len(found.unknown) - SHOWN} more" if len(found.unknown) > SHOWN else ""
        yield f"functions that no model has: {', '.join(found.unknown[:SHOWN])}{more}"
    if unread := found.backtrace.unread:
        more = f" and {len(unread) - SHOWN} more" if len(unread) > SHOWN else ""
        yield f"could not be read: {counted(len(unread), 'line')}, {', '.join(map(str, unread[:SHOWN]))}{more}"
