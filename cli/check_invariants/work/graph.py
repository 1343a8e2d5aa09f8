"""`check-invariants graph`: what it does and shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from check_invariants import standard
from check_invariants.exit import ExitCode, LimitReached
from check_invariants.files import check_output, say_written, write_to
from check_invariants.graph_files import DRAWN, GraphFile, drawing, form_of, written
from check_invariants.judge import asking, compiled, meaningful
from check_invariants.output import Counter
from check_invariants.selection import chosen_properties, select
from check_invariants.work.trace import Followed
from draincheck import Limits, Outcome, Run, Subject, TransitionSystem
from draincheck.analysis.neighbourhood import neighbourhood
from draincheck.analysis.quotient import MAX_MERGED, USUAL_MERGED, Quotient, quotient_graph
from draincheck.analysis.state_story import STORY_LIMITS, StateStory
from draincheck.analysis.transition_graph import MAX_DRAWN, MAX_NODES, transition_graph
from draincheck.checking import Finding, decide
from draincheck.engines.explicit import explore
from draincheck.engines.question import Question
from draincheck.errors import GraphTooLarge
from draincheck.report.graphs import to_dot
from draincheck.report.path_picture import path_dot
from draincheck.report.quotient_picture import legible_quotient, quotient_dot
from draincheck.words import counted, listed

if TYPE_CHECKING:
    import networkx as nx

    from check_invariants.selectors import OwnModel, Selectors


def command(
    form: str | None,
    output: str,
    as_json: bool,
    *,
    trace: str | None,
    model_of_trace: str | None,
    merge: bool | None,
    nodes: int | None,
    item: str | None,
    **selectors: Unpack[Selectors],
) -> ExitCode:
    """Write the graph in a format: the one that is named, or that the file's suffix means."""
    form = form_of(output, form, as_json)
    if trace is not None:
        _refuse_beside_trace(merge, nodes, item, selectors)
        check_output(output, [trace])
        found = _path(trace, model=model_of_trace, settings=selectors.get("settings", ()))
    elif model_of_trace is not None:
        raise click.UsageError(
            "--model says what a trace is about: name the trace with --trace, or the model without --model"
        )
    else:
        found = _of_system(form, output, merge, nodes, item, **selectors)
    write_to(output, written(found, form))
    graph = found.graph
    say_written(f"{counted(len(graph), 'node')} and {counted(graph.number_of_edges(), 'edge')}", output)
    standard.note(f"{found.note}\n" if found.note else "")
    return ExitCode.OK


def _of_system(
    form: str, output: str, merge: bool | None, nodes: int | None, item: str | None, **selectors: Unpack[Selectors]
) -> GraphFile:
    """The graph of a system, its states merged or not."""
    if merge is False and (nodes or item):
        raise click.UsageError(f"--states merges nothing: {'--nodes' if nodes else '--property'} goes with --merge")
    subject = select([item] if item else [], **selectors)
    check_output(output)
    system = compiled(subject)
    if merge or nodes or item or (merge is None and form in DRAWN):
        return _merged(subject, system, item, nodes, form)
    return _whole(subject, system, form)


# -- a node for each state --------------------------------------------------------------------------


def _size(system: TransitionSystem) -> int:
    """How many states are reachable, one more than a file may have for all that have more."""
    return explore(system, Limits(states=MAX_NODES + 1)).statistics.states


def _whole(subject: Subject, system: TransitionSystem, form: str) -> GraphFile:
    with meaningful(subject.title):
        _check_size(system, form)
        graph = transition_graph(system)
    return GraphFile(graph, "graph", to_dot(graph))


def _check_size(system: TransitionSystem, form: str) -> None:
    """Raise LimitReached for a graph that nobody could read."""
    limit = MAX_DRAWN if form in DRAWN else MAX_NODES
    found = _size(system)
    if found > limit:
        size = f"more than {MAX_NODES}" if found > MAX_NODES else str(found)
        other = ", or dot, graphml or json with --states" if form in DRAWN and found <= MAX_NODES else ""
        raise LimitReached(
            f"{system.name} has {size} reachable states, and {form} with a node for each is for at most {limit}; "
            f"write --merge, which has at most {MAX_MERGED} nodes{other}, or choose a smaller scenario or model"
        )


# -- states merged ----------------------------------------------------------------------------------


def _merged(subject: Subject, system: TransitionSystem, name: str | None, nodes: int | None, form: str) -> GraphFile:
    """The quotient in so many nodes; where it is drawn, and nobody has said how many, in as many as can be read."""
    with Counter("state", phase="searching") as counter:
        with asking(subject.title, counter, "after {} there is no graph"):
            shown = _asked(system, name, counter)
            counter.phase("merging")
            story = _story(system, shown)
        if form in DRAWN and nodes is None:
            with drawing():
                graph = legible_quotient(story)
        else:
            graph = quotient_graph(Quotient.of(story, nodes or USUAL_MERGED))
    return GraphFile(graph, "graph-merged", quotient_dot(graph), _note(graph, form))


def _asked(system: TransitionSystem, name: str | None, counter: Counter) -> Finding | None:
    """The property of this name with its verdict; without one the first that is violated, or the first at all, if anything is demanded."""
    names = [item.name for item in chosen_properties(system, [name])] if name else []
    found = decide(Question(system, names, STORY_LIMITS, counter), "explicit").findings
    violated = (finding for finding in found if finding.outcome is Outcome.VIOLATED)
    return next(violated, found[0] if found else None)


def _story(system: TransitionSystem, shown: Finding | None) -> StateStory:
    try:
        if shown is None:
            return StateStory(system, None, STORY_LIMITS)
        return StateStory(system, shown.item, STORY_LIMITS, shown.verdict.trace)
    except GraphTooLarge as error:
        raise LimitReached(f"{error}, or draw a trace of it: --trace") from error


def _note(graph: nx.MultiDiGraph[int], form: str) -> str:
    """What was merged, by what, and how to have each state."""
    by = listed(str(graph.graph["merged_by"]).split("\n"))
    states = graph.graph["states"]
    limit = MAX_DRAWN if form in DRAWN else MAX_NODES
    each = "; a node for each: --states" if states <= limit else ""
    return f"{counted(states, 'state')} merged into {counted(len(graph), 'node')} by {by}{each}"


# -- a trace with its neighbours --------------------------------------------------------------------


def _refuse_beside_trace(merge: bool | None, nodes: int | None, item: str | None, selectors: Selectors) -> None:
    """Raise UsageError for options that a trace, which names its model and its property, leaves nothing to say for."""
    given: dict[str, object] = {
        "--merge": merge,
        "--states": merge is False,
        "--nodes": nodes,
        "--property": item,
        "--revision": selectors.get("revision"),
        "--scenario": selectors.get("scenario"),
        "--order": selectors.get("order"),
    }
    for option, value in given.items():
        if value:
            raise click.UsageError(f"--trace and {option} exclude each other: a trace says what it is about")
    if selectors["model"] is not None:
        raise click.UsageError(
            f"--trace and {selectors['model']} exclude each other: name the model of a trace with --model"
        )


def _path(file: str, **own: Unpack[OwnModel]) -> GraphFile:
    """The states that a trace passes, and their neighbours."""
    followed = Followed.of(file, **own)
    run, title = followed.run, followed.subject.title
    with Counter("state", phase="searching") as counter, asking(title, counter, "after {} there is no graph"):
        story = _story_of(run)
        try:
            graph = neighbourhood(run, story)
        except GraphTooLarge as error:
            raise LimitReached(str(error)) from error
    return GraphFile(graph, "graph-trace", path_dot(graph))


def _story_of(run: Run) -> StateStory | None:
    """What becomes of the trace's property; None where that is too much to search, or the trace is about none."""
    if not run.trace.property:
        return None
    try:
        return StateStory(run.system, run.system.property_named(run.trace.property), STORY_LIMITS)
    except GraphTooLarge:
        return None
