"""What the page is told of a system: tables of what there is, and the graph in which one can walk."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from draincheck.explorer.runs import PageEvidence
from draincheck.jsonvalue import Json
from draincheck.report.lanes import Lane

__all__ = [
    "GraphTables",
    "PageAction",
    "PageColumn",
    "PagePart",
    "PagePlace",
    "PageProcess",
    "PageProperty",
    "PageSystem",
    "PageVariable",
    "PageVariant",
]


class PageVariable(Struct, frozen=True):
    """A variable.

    Attributes:
        name: as the model has it.
        sort: as a trace file writes it: `"bool"`, `{"int": [low, high]}` or `{"enum": [names]}`.
        hidden: what traces do not show: where processes stand, and what a specification remembers.
        values: the values that it takes in the graph, as they are shown (truth values as `0` and `1`), in ascending order. A column has positions here.
        initial: the position of the value that it has in the first initial state.
    """

    name: str
    sort: Json
    hidden: bool
    values: tuple[str, ...]
    initial: int


class PagePlace(Struct, frozen=True):
    """Where control of a process can rest.

    Attributes:
        names: what the model calls it.
        line: `file:line` of the next statement, "" where there is none.
        awaits: the process (a coroutine) that was entered here and has to give control back.
        inside: what the model calls standing there until then.
        back: the condition that it has given control back; None where there is nothing to wait for.
        ended: nothing is left to do.
    """

    names: tuple[str, ...]
    line: str
    awaits: int | None
    inside: str
    back: int | None
    ended: bool


class PageProcess(Struct, frozen=True):
    """A process.

    Attributes:
        name: as the model has it.
        coroutine: it runs only when entered.
        counter: the variable that says at which of its places it stands (by the value itself, not its position); None: there is one place only.
        token: the variable that is true while a coroutine runs.
        places: where it can rest, by number; none in a system made by hand.
        framed: it stands in calls at times. One that is neither framed nor a coroutine belongs to the surroundings (a guest, a disk).
        may_stop: the model says that it may stop for ever.
    """

    name: str
    coroutine: bool
    counter: int | None
    token: int | None
    places: tuple[PagePlace, ...]
    framed: bool
    may_stop: bool


class PagePart(Struct, frozen=True, omit_defaults=True):
    """One labelled piece of an action.

    Attributes:
        frames: the calls it stands in, outermost first, as positions in `PageSystem.frames`.
        opens: how many of these were open before; the rest are called anew here.
        label: what is done; "" for control that merely passes on.
        mark: the letter that the story gives it, or "".
        writes: the variables it writes.
        enters: the process (a coroutine) that runs next.
        line: `file:line` of the model's source.
    """

    frames: tuple[int, ...]
    opens: int
    label: str = ""
    mark: str = ""
    writes: tuple[int, ...] = ()
    enters: int | None = None
    line: str = ""


class PageAction(Struct, frozen=True):
    """An action of the system; its position in `PageSystem.actions` is its number in trace files.

    Attributes:
        process: who takes it.
        place: the number of the place where the process stands before it; None: its process has one place only, or the guard says where.
        demands: the conditions that have to be true besides, in the model's own words: those that are false say what a process waits for.
        parts: what it is made of, in order. `PageVariant.taken` says which of them take place.
    """

    process: int
    place: int | None
    demands: tuple[int, ...]
    parts: tuple[PagePart, ...]


class PageVariant(Struct, frozen=True, omit_defaults=True):
    """An action together with what comes of it in some states: what an edge of the graph is labelled with.

    Attributes:
        action: the action.
        label: what takes place, in a line.
        taken: the parts that take place, as positions in `PageAction.parts`.
        lane: the lane in which it is drawn, as a position in `PageSystem.lanes`; off the runs, where these say nothing of it.
        broken: the properties whose check it breaks.
        error: what is wrong, where it ends the run with an error (or passes a bound of the model) instead of being taken; the edge leads nowhere.
    """

    action: int
    label: str
    taken: tuple[int, ...]
    lane: int = 0
    broken: tuple[int, ...] = ()
    error: str = ""


class PageProperty(Struct, frozen=True):
    """A property.

    Attributes:
        name: as the model has it.
        meaning: in a line, or "".
        source: where the demand comes from, or "".
        form: what it demands of what: `always`, `assertion`, `reachable`, `leads to`, ...
        conditions: by role (`holds` of an *always*, `goal`, `trigger`) the condition that it says about states.
    """

    name: str
    meaning: str
    source: str
    form: str
    conditions: Mapping[str, int]


class PageColumn(Struct, frozen=True):
    """A column of numbers in `GraphTables.data`, little-endian, without a sign; columns follow each other without a gap.

    Attributes:
        of: what it has:
            `value`: for each state the position of a variable's value in `PageVariable.values`;
            `truth`: for each state in bit k whether condition `index` + k is true;
            `fate`: for each state the number of a property's `PageFate`;
            `degree`: for each state how many edges leave it;
            `variant`: for each edge its variant. Edges stand state by state, those of a state in the order of actions;
            `target`: for each edge the state it leads to; the number of states where it leads nowhere (see `PageVariant.error`).
        index: the variable, the first of up to eight conditions, or the property; 0 for edges.
        width: bytes of a number: 1, 2 or 4.
        count: how many numbers there are.
    """

    of: str
    index: int
    width: int
    count: int


class GraphTables(Struct, frozen=True):
    """The states to walk in.

    Attributes:
        states: how many. The initial ones come first.
        edges: how many.
        roots: how many are initial.
        expanded: how many states have their edges here, those with the lowest numbers: at the others the graph ends here, and the page says so.
        complete: these are all reachable states, with all their edges.
        said: which states these are, in words.
        columns: what `data` has, in order.
        data: the columns.
    """

    states: int
    edges: int
    roots: int
    expanded: int
    complete: bool
    said: str
    columns: tuple[PageColumn, ...]
    data: bytes = b""


class PageSystem(Struct, frozen=True):
    """What was explored.

    Attributes:
        digest: that trace files name.
        variables: in the order of trace files.
        processes: in the model's order.
        frames: the calls that steps stand in: function, and whether its calls are numbered.
        conditions: texts of all conditions that columns have the truth of.
        makers: for each condition the actions that make it true in some state of the graph in which it is false: who could help whoever waits
            for it. That a condition has none means that it never becomes true, where the graph is complete.
        halted: the condition that the program was aborted, after which nothing can happen; None if it never is.
        properties: the system's own, and errors of runs.
        actions: all.
        variants: labels of edges.
        lanes: where steps are drawn: name, kind (`outside`, `thread`, `context`, `coroutine`), and the thread that it belongs to.
        graph: where one can walk.
        evidence: runs that show something.
    """

    digest: str
    variables: tuple[PageVariable, ...]
    processes: tuple[PageProcess, ...]
    frames: tuple[tuple[str, bool], ...]
    conditions: tuple[str, ...]
    makers: tuple[tuple[int, ...], ...]
    halted: int | None
    properties: tuple[PageProperty, ...]
    actions: tuple[PageAction, ...]
    variants: tuple[PageVariant, ...]
    lanes: tuple[Lane, ...]
    graph: GraphTables
    evidence: tuple[PageEvidence, ...]
