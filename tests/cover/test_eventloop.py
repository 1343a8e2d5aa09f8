"""Parts of an event loop's program, each alone: what they own, and what becomes of them where a scenario lacks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from draincheck.engines.explicit import check, explore
from draincheck.eventloop import (
    AioContext,
    BottomHalf,
    FdHandler,
    Home,
    Lock,
    NestedPoll,
    Node,
    add_up,
    fixed,
    poll_until_quiet,
)
from draincheck.lang import FALSE, TRUE, BoolExpr, Model, ModelError, Process
from draincheck.verdict import Outcome


@dataclass(frozen=True, slots=True)
class CodeBase:
    """What a code base does about external handlers."""

    walk_checks_external: bool = True
    poll_set_checks_external: bool = True
    busy_poll: str = "none"
    poll_walks: str = "always"


def context(m: Model, rules: CodeBase, counts: bool = True, name: str = "ctx") -> AioContext[FdHandler]:
    """A context with one external handler; without counters nothing is masked, and nobody notifies."""
    handler = FdHandler(m.bool(f"{name} eventfd"), m.bool(f"{name} revents"))
    count, notified = m.int(f"{name} count", 0, 2, exists=counts), m.bool(f"{name} notified", exists=counts)
    removed = m.bool(f"{name} removed", exists=False)
    return AioContext(name, rules, (handler,), count, counts, notified, removed)


def test_a_disabled_context_polls_and_walks_nothing_where_the_code_base_looks() -> None:
    """The counter masks external handlers in the poll set and in the walk, each only if the code base asks there."""
    m = Model("masks")
    ctx = context(m, CodeBase())
    deaf = AioContext(
        "deaf", CodeBase(False, False), *(ctx.handlers, ctx.disable_count, True, ctx.notified, ctx.removed)
    )
    assert str(ctx.enabled) == str(ctx.allowed) == str(ctx.polled) == "ctx count == 0"
    assert deaf.allowed is deaf.polled is TRUE


def test_a_context_without_a_counter_folds_away() -> None:
    """Nothing masks its handlers, and what would count is stored nowhere."""
    m = Model("no counter")
    ctx = context(m, CodeBase(), counts=False)
    assert ctx.enabled is ctx.allowed is ctx.polled is TRUE
    with m.thread("p") as p:
        p.do("disable", ctx.disable())
        p.do("enable", *ctx.enable())
    assert [action.updates[:-1] for action in m.compile().actions] == [(), ()]


def walked(rules: CodeBase) -> Outcome:
    """Whether no handler runs while it is disabled, if its readiness is older than that."""
    m = Model("walk")
    ctx, ran = context(m, rules), m.bool("ran")
    with m.thread("p") as p, p.atomic():
        p.do("a kick, a poll", ctx.handlers[0].eventfd.set(), ctx.handlers[0].revents.set(), ctx.disable())
        ctx.run_fd_handlers(p, lambda _: p.do("the handler", ran.set()))
    m.always("not in a section", ~ran)
    m.always("readiness is consumed", m.at("p", "(ended)").implies(~ctx.handlers[0].revents))
    found = explore(m.compile()).verdicts
    assert found["readiness is consumed"].outcome is Outcome.HOLDS
    return found["not in a section"].outcome


@pytest.mark.parametrize(("checks", "outcome"), [(True, Outcome.HOLDS), (False, Outcome.VIOLATED)])
def test_the_walk_runs_disabled_handlers_only_where_nobody_looks(checks: bool, outcome: Outcome) -> None:
    """Readiness is consumed either way."""
    assert walked(CodeBase(walk_checks_external=checks)) is outcome


def end(p: Process, node: Node[FdHandler]) -> None:
    """A section ends; the last one enables external events."""
    with p.atomic():
        node.end(p, enabling(p, node.home))


def enabling(p: Process, home: Home[FdHandler]) -> Callable[[BoolExpr], None]:
    """What records, for `Node.end`, that external events are enabled where a condition holds."""

    def enable(where: BoolExpr) -> None:
        with p.when(where):
            p.do("enable", *home.enable())

    return enable


@pytest.mark.parametrize(("moves_open", "outcome"), [(False, Outcome.HOLDS), (True, Outcome.VIOLATED)])
def test_sections_add_up_unless_their_node_moves_while_one_is_open(moves_open: bool, outcome: Outcome) -> None:
    """The counter that the section has raised is not the one that its end lowers."""
    m = Model("sections")
    first, second = context(m, CodeBase(), name="first"), context(m, CodeBase(), name="second")
    moved = m.bool("moved")
    node = Node("node", m.int("quiesce", 0, 2), Home(first, second, moved))
    with m.thread("p") as p:
        node.begin(p)
        if not moves_open:
            end(p, node)
    with m.thread("who moves it") as p:
        p.do("move", moved.set(), when=TRUE if moves_open else ~node.open)
    m.always("each counter is what is open", add_up([(node.open, node.home)]))
    assert check(m.compile(), "each counter is what is open").outcome is outcome


def test_a_section_that_nobody_counts_cannot_begin() -> None:
    """An absent counter is a code base without sections: one that begins all the same is refused, not dropped."""
    m = Model("uncounted")
    node = Node("node", m.int("quiesce", 0, 2, exists=False), fixed(context(m, CodeBase())))
    assert node.open is FALSE
    with m.thread("p") as p, pytest.raises(ModelError, match="a drained section begins in a code base that has none"):
        node.begin(p)


def test_the_end_of_the_last_section_notifies() -> None:
    """Of two nodes in one context the first that is not drained any more tells nobody."""
    m = Model("notify")
    ctx = context(m, CodeBase())
    nodes = [Node("node", m.int(f"quiesce {i}", 0, 1), fixed(ctx)) for i in range(2)]
    with m.thread("p") as p:
        for node in nodes:
            node.begin(p)
        end(p, nodes[0])
        p.here("one is open")
        end(p, nodes[1])
    m.always("told too early", ~m.at("p", "one is open") | ~ctx.notified)
    m.always("told at the end", ~m.at("p", "(ended)") | ctx.notified)
    m.always("never told", ~ctx.notified)
    found = explore(m.compile()).verdicts
    assert [found[name].outcome for name in ("told too early", "told at the end")] == [Outcome.HOLDS] * 2
    assert found["never told"].outcome is Outcome.VIOLATED


@pytest.mark.parametrize("exists", [True, False])
def test_a_lock_excludes_and_an_absent_one_is_no_step(exists: bool) -> None:
    """Two threads meet in the middle only where there is no lock, and then nobody waits for it."""
    m = Model("lock")
    lock = Lock(m.enum("lock", "free", "a", "b", exists=exists))
    inside = [m.bool(f"{name} inside") for name in "ab"]
    for name, here in zip("ab", inside, strict=True):
        with m.thread(name) as p:
            lock.acquire(p, name)
            p.do("in", here.set())
            p.do("out", here.clear())
            lock.release(p)
    m.always("never both", ~(inside[0] & inside[1]))
    system = m.compile()
    assert check(system, "never both").outcome is (Outcome.HOLDS if exists else Outcome.VIOLATED)
    assert len(system.actions) == (8 if exists else 4)


def test_a_node_that_never_moves_has_one_context() -> None:
    """What would be counted elsewhere folds away."""
    m = Model("fixed")
    ctx = context(m, CodeBase())
    assert fixed(ctx).moved is FALSE
    with m.thread("p") as p:
        Node("node", m.int("quiesce", 0, 2), fixed(ctx)).begin(p)
    assert m.compile().actions[0].parts[0].writes == ("quiesce", "ctx count")


def chained(slices: bool) -> Outcome:
    """Whether a bottom half waits for the next walk if one before it in the list schedules it."""
    m = Model("bottom halves")
    first, second = (BottomHalf(m.bool(n), m.bool(f"{n} listed", exists=slices)) for n in ("first", "second"))
    walks, ran = m.int("walks", 0, 2), m.int("ran in walk", 0, 2)
    with m.thread("aio_poll") as p:
        p.do("schedule", *first.schedule())
        for _ in range(2):
            with p.atomic():
                p.do("aio_bh_poll", walks.inc(), first.carved(), second.carved())
                with p.when(first.runs):
                    p.do("the first schedules the second", *first.taken(), *second.schedule())
                with p.when(second.runs):
                    p.do("the second", *second.taken(), ran.set(walks))
    m.always("runs in the next walk", ran.is_(0) | ran.is_(2))
    m.reachable("runs", ran > 0)
    found = explore(m.compile()).verdicts
    assert found["runs"].outcome is Outcome.HOLDS
    return found["runs in the next walk"].outcome


@pytest.mark.parametrize(("slices", "outcome"), [(True, Outcome.HOLDS), (False, Outcome.VIOLATED)])
def test_a_bottom_half_scheduled_during_a_walk_waits_where_walks_take_slices(slices: bool, outcome: Outcome) -> None:
    """From 8c6b0356b5 on a walk runs what was pending when it began; before, it comes to all that stand behind in the list."""
    assert chained(slices) is outcome


@pytest.mark.parametrize(("deletes", "outcome"), [(True, Outcome.HOLDS), (False, Outcome.VIOLATED)])
def test_a_deleted_bottom_half_never_runs(deletes: bool, outcome: Outcome) -> None:
    """Not even if it has been scheduled before, or is scheduled again; an idle one is no hurry, and runs all the same."""
    m = Model("deleted")
    half = BottomHalf(m.bool("scheduled"), idle=m.bool("idle"), deleted=m.bool("deleted", exists=deletes))
    ran = m.bool("ran")
    with m.thread("p") as p:
        p.do("schedule when idle", *half.schedule_idle())
        p.here("idle")
        p.do("delete", *half.delete())
        p.do("schedule", *half.schedule())
        with p.when(half.runs), p.atomic():
            p.do("run", *half.taken(), ran.set())
    m.always("never runs", ~ran)
    m.always("no hurry", ~m.at("p", "idle") | (half.pending & ~half.hurries))
    found = explore(m.compile()).verdicts
    assert found["never runs"].outcome is outcome
    assert found["no hurry"].outcome is Outcome.HOLDS


def no_busy_polling(p: Process) -> None:
    """Nothing does here."""
    raise AssertionError("nothing polls busily")


def drained(rules: CodeBase, waits: bool = True) -> dict[str, Outcome]:
    """A disabled handler with stale readiness, a request in flight, and a drain that waits for it (or for nothing)."""
    m = Model("drain")
    ctx, in_flight, ran = context(m, rules), m.bool("in flight"), m.bool("handler ran")
    with m.thread("p") as p:
        p.do("a kick, a poll, a section", in_flight.set(), ctx.handlers[0].revents.set(), ctx.disable())
        poll = NestedPoll(
            ctx,
            ctx.busy_polled,
            ctx.polled & ctx.readable,
            no_busy_polling,
            bottom_halves=lambda p: p.do("the request completes", in_flight.clear()),
            handler=lambda _: p.do("the handler", ran.set()),
            stored=ctx.sampled,
            nothing="finds nothing",
        )

        def once() -> None:
            with p.atomic():
                poll.run(p)

        poll_until_quiet(p, in_flight if waits else FALSE, in_flight, False, (), once)
    ended = m.at("p", "(ended)")
    m.always("nothing in flight", ended.implies(~in_flight))
    m.always("readiness is kept", ended.implies(ctx.handlers[0].revents))
    m.always("no handler runs", ~ran)
    m.reachable("ends", ended)
    found = explore(m.compile()).verdicts
    assert found["ends"].outcome is Outcome.HOLDS
    return {name: verdict.outcome for name, verdict in found.items()}


@pytest.mark.parametrize(("walks", "kept"), [("if_ready", Outcome.HOLDS), ("always", Outcome.VIOLATED)])
def test_a_nested_poll_washes_where_it_always_walks(walks: str, kept: Outcome) -> None:
    """Until 721671ade7 it consumes readiness that an outer poll has stored, without running the disabled handler."""
    found = drained(CodeBase(poll_walks=walks))
    assert found["readiness is kept"] is kept
    assert found["no handler runs"] is Outcome.HOLDS


def test_a_nested_poll_runs_disabled_handlers_where_nobody_looks() -> None:
    """The walk is the context's own, with its mask."""
    assert drained(CodeBase(walk_checks_external=False))["no handler runs"] is Outcome.VIOLATED


@pytest.mark.parametrize(("waits", "outcome"), [(True, Outcome.HOLDS), (False, Outcome.VIOLATED)])
def test_a_drain_polls_until_what_it_waits_for_is_over(waits: bool, outcome: Outcome) -> None:
    """One that waits for nothing leaves the request in flight."""
    assert drained(CodeBase(), waits)["nothing in flight"] is outcome
