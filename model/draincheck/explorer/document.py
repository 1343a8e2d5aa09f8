"""The document that the explorer shows: what it says, and what its page may rely on.

Everything is ready to be shown: the page evaluates no term, knows no model, and joins texts only. Things refer to each other by their
positions in lists; a position that may be missing is None.

A *subject* is what was checked. Its *system* has what does not depend on who is asked: tables of variables, processes, actions, the graph to walk
in, and the runs that show something, as paths in that graph. Subjects that cannot be told apart share one. In a file systems are packed
(`packing`), each by itself, and unpacked when somebody opens one of its subjects; the rest is plain JSON.

Every name and text stands there as the model has it, control characters and halves of characters included.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from draincheck.jsonvalue import Json
from draincheck.report.arrows import Arrow
from draincheck.report.lanes import Band, Lane, Window

__all__ = [
    "EvidenceOfSubject",
    "ExplorerDocument",
    "GraphTables",
    "Opening",
    "PageAction",
    "PageAlternative",
    "PageCell",
    "PageColumn",
    "PageDrawing",
    "PageEnd",
    "PageEvidence",
    "PageFate",
    "PageMatrix",
    "PagePart",
    "PagePlace",
    "PageProcess",
    "PageProperty",
    "PageRemedy",
    "PageReplay",
    "PageRow",
    "PageSubject",
    "PageSystem",
    "PageVariable",
    "PageVariant",
    "PageVerdict",
    "PageWaiting",
    "StoryStep",
    "Tone",
    "TurningPoint",
]  # fmt: skip


class Tone(Enum):
    """How something is meant, for its colour; a word always says so, too."""

    BAD = "bad"
    WARN = "warn"
    GOOD = "good"
    UNKNOWN = "unknown"


class PageFate(Enum):
    """What is possible from a state, as far as one property is concerned; in a column the number of its place here.

    *Violated*: it is violated in this very state. The others are those of `draincheck.analysis.avoidability`.
    """

    SAFE = "safe"
    AVOIDABLE = "avoidable"
    DOOMED = "doomed"
    VIOLATED = "violated"


# -- the system ------------------------------------------------------------------------------------


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


class StoryStep(Struct, frozen=True):
    """A step that the story turns on.

    Attributes:
        step: its number.
        mark: its letter, or "".
        title: what it means, in a few words.
        text: what that means there, in a sentence or two; "" where nobody says.
        detail: who does what, in which round of its loop.
        tone: bad for what the violation comes of.
    """

    step: int
    mark: str
    title: str
    text: str
    detail: str
    tone: Tone


class PageAlternative(Struct, frozen=True):
    """Another step that could have been taken.

    Attributes:
        variant: which.
        target: the state it leads to.
        text: who would have done what.
        fate: what would have been possible then; *violated* if it violates the property itself.
        rest: the rest of a shortest way to where all is well: `process: label` of each step.
    """

    variant: int
    target: int
    text: str
    fate: PageFate
    rest: tuple[str, ...]


class TurningPoint(Struct, frozen=True):
    """Until when the violation could be avoided.

    Attributes:
        lost_at: after this step nothing makes the property safe any more: the point of no return. 0: nothing ever did. None: not known, or never.
        sentence: the same in words.
        step: the latest step instead of which something else could have been done that leaves a way to safety; None if there is none.
        alternatives: what, the best first.
    """

    lost_at: int | None
    sentence: str
    step: int | None
    alternatives: tuple[PageAlternative, ...]


class PageEnd(Struct, frozen=True):
    """How a run ends: `violated`, `reached`, `stuck`, `error`, `loop` or `stopped`; with a sentence, and the reasons in lines."""

    kind: str
    sentence: str
    lines: tuple[str, ...]


class PageWaiting(Struct, frozen=True):
    """Who waits for what at the end of a run.

    Attributes:
        lines: the whole, as text; kinds as in `draincheck.report.waiting.WaitingLine`: `head`, `bad` or "".
        edges: who waits for whom, as process numbers.
        circle: processes that wait for each other, each for the next; none if there is no circle.
    """

    lines: tuple[tuple[str, str], ...]
    edges: tuple[tuple[int, int], ...]
    circle: tuple[int, ...]


class PageDrawing(Struct, frozen=True):
    """A run drawn in lanes (`draincheck.report.lanes`).

    Attributes:
        lanes: those in which something happens, in order, as positions in `PageSystem.lanes`.
        steps: for each step the lane in which it is drawn, as such a position.
        bands: rounds of loops: name, group (the thread), first and last step.
        windows: what to shade: name, first and last step.
        arrows: who lets whom go on: kind, the step it leaves, the step it leads to, and what is given.
    """

    lanes: tuple[int, ...]
    steps: tuple[int, ...]
    bands: tuple[Band, ...]
    windows: tuple[Window, ...]
    arrows: tuple[Arrow, ...]


class PageEvidence(Struct, frozen=True):
    """A run that shows something.

    Attributes:
        property: the property that it is about.
        also: other properties that the same steps are a shortest counterexample of.
        states: the states that it passes, one more than there are steps.
        variants: its steps.
        folded: for each step whether it may be left out where there is little room: it changes nothing that is shown.
        iterations: for each step the outermost numbered call around it (`main_loop_wait # 3`), "" if there is none.
        loop: for a run that goes on for ever how many steps come before those that repeat.
        title: its property and length.
        story: the steps it turns on.
        end: what it shows.
        turning: until when it could be avoided; None where that is not known.
        untold: why that is not known, "" if it is.
        waiting: who waits for what at the end, where that is the point.
        drawing: how it is drawn in lanes.
    """

    property: int
    also: tuple[int, ...]
    states: tuple[int, ...]
    variants: tuple[int, ...]
    folded: tuple[bool, ...]
    iterations: tuple[str, ...]
    loop: int | None
    title: str
    story: tuple[StoryStep, ...]
    end: PageEnd
    turning: TurningPoint | None
    untold: str
    waiting: PageWaiting | None
    drawing: PageDrawing


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


# -- subjects --------------------------------------------------------------------------------------


class PageVerdict(Struct, frozen=True):
    """The verdict on a property.

    Attributes:
        property: its position in `PageSystem.properties`.
        outcome: `holds`, `violated`, `never asked` or `unknown`.
        tone: how that is meant.
        reason: how it was decided, in a few words.
        expected: the expected outcome, "" if nothing is.
        argument: why that is expected.
        as_expected: nothing else was expected.
        matters: a violation is bad news by itself.
        limits: what the model leaves out and the verdict could turn on.
        evidence: the run that shows it, as a position in the subject's evidence.
    """

    property: int
    outcome: str
    tone: Tone
    reason: str
    expected: str
    argument: str
    as_expected: bool
    matters: bool
    limits: tuple[str, ...]
    evidence: int | None


class PageReplay(Struct, frozen=True):
    """What comes of a run with real bytes, on the reference core, which goes on to an end.

    Attributes:
        sentence: what was lost, or how it ends.
        rows: name, bytes, and a note for each row: `written`, `old disk`, `new disk`, `read back`.
        lost_here: an acknowledged write is lost when the run ends.
        lost_later: one is lost if it goes on.
    """

    sentence: str
    rows: tuple[tuple[str, str, str], ...] = ()
    lost_here: bool = False
    lost_later: bool = False


class PageRemedy(Struct, frozen=True):
    """What would have prevented a run beyond another choice of steps: a sentence, and more in lines."""

    sentence: str
    lines: tuple[str, ...] = ()


class EvidenceOfSubject(Struct, frozen=True):
    """A run of the system, as far as it is about this subject.

    Attributes:
        evidence: its position in `PageSystem.evidence`.
        property: the name of its property.
        headline: what it shows, in a sentence for a stranger.
        tone: how that is meant.
        command: shows it again, to copy into a shell.
        remedy: what would have prevented it, where somebody knows.
        replay: what was lost, as bytes; None where the core does not know the model.
        text: the trace as text, for those who have nothing else; it does not go into the file's JSON.
    """

    evidence: int
    property: str
    headline: str
    tone: Tone
    command: str
    remedy: PageRemedy | None
    replay: PageReplay | None
    text: str = ""


class PageSubject(Struct, frozen=True):
    """What was checked.

    Attributes:
        title: its name.
        model: the name of the model, in trace files.
        kind: `code base` or `model`.
        scenario: the short name of its scenario; "" for a model of one's own.
        headline: what comes of it.
        tone: how that is meant.
        facts: name and text of each.
        command: checks it, to copy into a shell.
        counts: what the search saw, in words; "" if it does not say.
        marks: the letters beside steps, each with what it stands for.
        source: what a trace file says so that the model can be built again.
        verdicts: all that were asked for.
        evidence: runs that show something, the worst first.
        warnings: what verdicts rest on that is hardly meant.
        system: the key of its system in `ExplorerDocument.systems`.
    """

    title: str
    model: str
    kind: str
    scenario: str
    headline: str
    tone: Tone
    facts: tuple[tuple[str, str], ...]
    command: str
    counts: str
    marks: Mapping[str, str]
    source: Mapping[str, Json]
    verdicts: tuple[PageVerdict, ...]
    evidence: tuple[EvidenceOfSubject, ...]
    warnings: tuple[str, ...]
    system: str


class PageCell(Struct, frozen=True):
    """A cell of the matrix: what comes of it, what a guest sees and what rules inside are violated, and its subject."""

    text: str
    tone: Tone
    visible: tuple[str, ...]
    inside: tuple[str, ...]
    as_expected: bool
    subject: int | None


class PageRow(Struct, frozen=True):
    """A row of the matrix: a code base with what there is to say of it, and a cell for each column; None where there is none."""

    name: str
    note: str
    cells: tuple[PageCell | None, ...]


class PageMatrix(Struct, frozen=True):
    """Rows and columns; a column has a name and a meaning."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[PageRow, ...]


class Opening(Struct, frozen=True):
    """The answer: what is read first. `sentence` may be ""."""

    tone: Tone
    headline: str
    sentence: str


class ExplorerDocument(Struct, frozen=True):
    """All of it.

    Attributes:
        title: of the page.
        generator: who has made it, with the version.
        command: makes it again.
        answer: what is read first.
        matrix: the table above, where there is one.
        subjects: in the order in which they are shown.
        systems: by key.
    """

    title: str
    generator: str
    command: str
    answer: Opening
    matrix: PageMatrix | None
    subjects: tuple[PageSubject, ...]
    systems: Mapping[str, PageSystem]
