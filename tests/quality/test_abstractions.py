"""What the model leaves out turns no verdict, or is printed beside the verdicts that it could turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from draincheck.engines.explicit import explore
from draincheck.eventloop import AioContext
from draincheck.lang import TRUE, BoolExpr, BoolVar, Process, any_, ite
from draincheck.qemu import Scenario, World, aio, build, drain, mainloop, mirror, mirror_exit, requests
from draincheck.qemu.disk import Disk
from draincheck.revisions import REVISIONS, find_revision
from draincheck.verdict import Outcome
from drainspecs.mirror import abstractions
from drainspecs.mirror.abstractions import ABSTRACTIONS, LeftOut, Limit, limits_on, table
from drainspecs.mirror.properties import PROPERTIES, DrainInvariant
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, SCENARIOS, applies, find_scenario
from drainspecs.suite.matrix import Cell, Row, Solver, default_rows
from tests.support.samples import sampled

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"

LIMITS = [pytest.param(item, limit, id=f"{item.name}-{limit.where}") for item in ABSTRACTIONS for limit in item.limits]


# -- the table ----------------------------------------------------------------------------------------


def _written() -> str:
    """The table that ARCHITECTURE.md has."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    section = text[text.index("## 6. ") : text.index("## 7. ")]
    return "".join(f"{line}\n" for line in section.splitlines() if line.startswith("|"))


def test_the_map_has_the_table() -> None:
    """ARCHITECTURE.md, section 6, is the table, row by row."""
    assert table() == _written(), (
        "python -c 'from drainspecs.mirror.abstractions import table; print(table())' prints it"
    )


@pytest.mark.parametrize("item", ABSTRACTIONS, ids=lambda item: item.name)
def test_an_abstraction_cannot_be_dropped(item: LeftOut, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: without one of them, or with its limits gone, the map and the table differ."""
    for changed in (None, replace(item, limits=(), why="it is safe")):
        kept = tuple(changed if other is item else other for other in ABSTRACTIONS)
        monkeypatch.setattr(abstractions, "ABSTRACTIONS", tuple(other for other in kept if other is not None))
        assert table() != _written()


def test_every_abstraction_gives_a_reason() -> None:
    """And has a name of its own."""
    assert all(item.left_out and item.why for item in ABSTRACTIONS)
    assert len({item.name for item in ABSTRACTIONS}) == len(ABSTRACTIONS)


# -- limits -------------------------------------------------------------------------------------------


def _limited(limit: Limit, scenario: Scenario) -> list[tuple[str, str]]:
    """Rows and properties that it could limit in a scenario."""
    return [
        (row.name, item.name)
        for row in REVISIONS
        for item in PROPERTIES
        if applies(row, scenario) and limit.applies(row.name, scenario, item.name, limit.outcome)
    ]


@pytest.mark.parametrize(("item", "limit"), LIMITS)
def test_a_limit_is_about_some_rows_and_not_about_all(item: LeftOut, limit: Limit) -> None:
    """It names known properties, and limits some verdicts of some scenario and never all."""
    found = {scenario.name: _limited(limit, scenario) for scenario in SCENARIOS}
    assert limit.says and set(limit.properties) <= {item.name for item in PROPERTIES}
    assert any(found.values()) or item.name == "second parking"
    everything = sum(applies(row, scenario) for row in REVISIONS for scenario in SCENARIOS) * len(PROPERTIES)
    assert sum(map(len, found.values())) < everything


def test_a_limit_is_about_one_outcome() -> None:
    """The escape after 1000 spins limits what is violated, the assertion that misses a request what holds."""
    vcpu, main = find_scenario("no-ioeventfd-vcpu"), find_scenario("mirror")
    assert [note.name for note in limits_on("5a7e7a0bad", vcpu, "S1", Outcome.VIOLATED)] == ["spins"]
    assert limits_on("5a7e7a0bad", vcpu, "S1", Outcome.HOLDS) == ()
    assert "no yield" in [note.name for note in limits_on("3f09bfbc7b", main, "S4", Outcome.HOLDS)]
    assert limits_on("3f09bfbc7b", main, "S4", Outcome.VIOLATED) == ()


def test_a_limit_has_a_first_and_a_last_row() -> None:
    """And a control, or a row with knobs turned by hand, stands where its row does."""
    main = find_scenario("mirror")

    def names(revision: str) -> list[str]:
        return [note.name for note in limits_on(revision, main, "S4", Outcome.HOLDS)]

    assert [names(name) for name in ("39bf92dd70", "f3926945c8")] == [["requests"]] * 2
    assert [name for name in ("f3926945c8", "3f09bfbc7b", "a77fd4bb29") if "no yield" in names(name)] == ["3f09bfbc7b"]
    assert names("3f09bfbc7b+drain=nested") == names("3f09bfbc7b-control") == names("3f09bfbc7b")
    assert names("of my own") == []


def test_the_last_row_is_not_today() -> None:
    """Whoever reads the last row is told that later code bases are built otherwise."""
    for scenario in DEFAULT_SCENARIOS:
        notes = [note.says for note in limits_on(REVISIONS[-1].name, scenario, "A1", Outcome.HOLDS)]
        assert any("later code bases" in says and "v8.1.0" in says for says in notes)


# -- what the reasons say was run ---------------------------------------------------------------------

Verdicts = dict[tuple[str, str], dict[str, Outcome]]

#: code bases that differ from each other in what a test below changes
_STORY = (
    "5a7e7a0bad", "f3926945c8", "3f09bfbc7b", "176c36997f", "a77fd4bb29", "ab27c3b5e7", "0ff841f6d1", "9a0cec664e", "65c1b5b622", "bdffb31d8e",
    "684e508c23", "91af091f92", "f871abd60f", "cf3129323f",
)  # fmt: skip


def _rows(scenarios: tuple[Scenario, ...] = DEFAULT_SCENARIOS, names: tuple[str, ...] = _STORY) -> list[Row]:
    found = [row for row in REVISIONS if row.name in names]
    return [Row(row, scenario) for scenario in scenarios for row in found if applies(row, scenario)]


def _cells(rows: list[Row]) -> Iterator[Cell]:
    for result in Solver().decide(rows):
        assert not result.fault
        yield from result.cells


def _decided(rows: list[Row]) -> Verdicts:
    found: Verdicts = {}
    for cell in _cells(rows):
        key = (cell.row.revision.name, cell.row.scenario.name)
        found.setdefault(key, {})[cell.property_name] = cell.verdict.outcome
    return found


Patch = Callable[[pytest.MonkeyPatch], None]


def _turned(rows: list[Row], patch: Patch) -> set[tuple[str, str, str]]:
    """The verdicts that a changed model turns: row, scenario, property."""
    before = _decided(rows)
    with pytest.MonkeyPatch.context() as changed:
        patch(changed)
        after = _decided(rows)
    return {
        (*key, name) for key, row in before.items() for name, outcome in row.items() if outcome is not after[key][name]
    }


_flush = mirror._flush


def _flush_may_be_idle(p: Process, w: World) -> None:
    with p.either() as choice:
        with choice():
            _flush(p, w)
        with choice():
            p.do("there is nothing to flush")


def _flush_is_idle(p: Process, w: World) -> None:
    p.do("there is nothing to flush")


@pytest.mark.slow
def test_a_flush_that_may_not_yield_turns_nothing() -> None:
    """Mirror's flush takes the host's time or does not."""
    assert _turned(_rows(), lambda m: m.setattr(mirror, "_flush", _flush_may_be_idle)) == set()


def test_a_flush_that_never_yields_turns_something() -> None:
    """Negative control: S6 is violated from bdffb31d8e on because the flush yields. With two writes nothing else turns."""
    rows = _rows((find_scenario("mirror-2-writes"),), ("f3926945c8", "176c36997f", "bdffb31d8e"))
    turned = _turned(rows, lambda m: m.setattr(mirror, "_flush", _flush_is_idle))
    assert turned == {("bdffb31d8e", "mirror-2-writes", "S6")}


def _pool_in_order(first: str) -> Callable[..., None]:
    """thread_pool_completion_bh with one order of the finished elements."""

    def walk(p: Process, w: World, jobs: Any) -> None:
        with p.call("thread_pool_completion_bh"), p.loop(), p.either() as choice:
            job_done = any_(*(world.job.io.is_("io_done") for world in jobs))
            with choice(when=~any_(w.guest_io_done, job_done)):
                p.break_()
            with choice(when=w.guest_io_done & (TRUE if first == "guest" else ~job_done)), p.atomic():
                requests.complete_all(p, w)
            for world in jobs:
                mine = world.job.io.is_("io_done") & (TRUE if first == "job" else ~w.guest_io_done)
                with choice(when=mine), p.atomic():
                    p.do(f"{world.job.mirror.name}'s I/O completes", world.job.io.set("none"))
                    world.job.coroutine.enter(p)

    return walk


@pytest.mark.parametrize("first", sampled(["guest", "job"], [], 1))
def test_the_order_of_finished_elements_turns_nothing(first: str) -> None:
    """Nothing that is violated needs an order that QEMU's list might not have."""
    patch = _pool_in_order(first)
    assert _turned(_rows(), lambda m: m.setattr(aio, "thread_pool_completion_bh", patch)) == set()


def _pool_anywhere(p: Process, w: World, fresh_bottom_half: Callable[[], None]) -> None:
    """aio_dispatch with the thread pool's bottom half before the fresh ones, after them, or only in a later walk, as each walk likes."""
    with p.call("aio_bh_poll"), p.either() as choice:
        with choice():
            aio.thread_pool_completion_bh(p, w, w.worlds)
            fresh_bottom_half()
        with choice():
            fresh_bottom_half()
            aio.thread_pool_completion_bh(p, w, w.worlds)
        with choice():
            fresh_bottom_half()
    if w.loops.ctx.handlers:
        with p.atomic():
            aio.run_fd_handlers(p, w, w.loops.ctx)
    for world in w.worlds:
        with p.atomic():
            aio._run_sleep_timer(p, world)


def _let_the_pool_run_anywhere(m: pytest.MonkeyPatch) -> None:
    m.setattr(aio, "aio_dispatch", _pool_anywhere)


#: the code bases whose walks may take slices: 8c6b0356b5 lies between cf3129323f and the row after it
_LATE = tuple(row.name for row in REVISIONS if row.knobs.park_requests)


@pytest.mark.parametrize(
    "scenario", sampled(DEFAULT_SCENARIOS, [find_scenario("dataplane")]), ids=lambda item: item.name
)
def test_the_order_of_bottom_halves_matters_no_more_at_the_end(scenario: Scenario) -> None:
    """From cf3129323f on the pool's may run whenever it likes."""
    assert len(_LATE) == 4 and _turned(_rows((scenario,), _LATE), _let_the_pool_run_anywhere) == set()


def test_the_order_of_bottom_halves_matters_at_the_beginning() -> None:
    """Negative control: at 5a7e7a0bad it does."""
    early = _rows((find_scenario("mirror"),), ("5a7e7a0bad",))
    assert ("5a7e7a0bad", "mirror", "S3") in _turned(early, _let_the_pool_run_anywhere)


@pytest.mark.long
def test_the_order_of_bottom_halves_matters_in_no_scenario_with_one_request() -> None:
    """The same for what the default scenarios leave out: reads, flushes, errors, cancel, resets."""
    requests_of = [(s, s.writes + s.reads + s.flushes + s.disks - s.jobs) for s in SCENARIOS]
    wider = tuple(s for s, number in requests_of if s not in DEFAULT_SCENARIOS and s.jobs == 1 and number <= 1)
    assert len(wider) > 20 and _turned(_rows(wider, _LATE), _let_the_pool_run_anywhere) == set()


def _prepare_without_spins(p: Process, w: World, ready: BoolVar) -> None:
    due = mainloop.due(w)
    with p.call("g_main_context_prepare"), p.atomic():
        w.probes.iteration_begins(p, w)
        p.do("aio_ctx_prepare", ready.set(due), w.loops.bql.free.set(TRUE if w.k.bql_drop == "always" else ~due))


@pytest.mark.slow
def test_the_escape_after_spins_turns_what_it_limits() -> None:
    """Without it, exactly the verdicts change that are limited by it."""
    scenarios = (find_scenario("no-ioeventfd"), find_scenario("no-ioeventfd-vcpu"))
    rows = [row for row in default_rows(REVISIONS, scenarios) if row.revision.knobs.bql_drop == "if_timeout"]
    turned = _turned(rows, lambda m: m.setattr(mainloop, "_prepare", _prepare_without_spins))
    limited = {
        (cell.row.revision.name, cell.row.scenario.name, cell.property_name)
        for cell in _cells(rows)
        if any(note.name == "spins" for note in cell.limits)
    }
    assert turned == limited != set()


def _poll_without_wash(p: Process, w: World, ctx: AioContext[Disk]) -> None:
    """A nested aio_poll that walks the handlers only if its own poll has returned one."""
    found = any_(*(ctx.enabled & disk.eventfd for disk in ctx.handlers))
    with p.call("aio_poll"), p.atomic():
        p.do(
            "qemu_poll_ns",
            *(disk.revents.set(ite(found & ctx.enabled, disk.eventfd, disk.revents)) for disk in ctx.handlers),
        )
        with p.call("aio_bh_poll"):
            requests.complete_all(p, w)
        with p.when(found):
            aio.run_fd_handlers(p, w, ctx)


def _drain_without_wash(p: Process, w: World, pending: BoolExpr) -> None:
    event = any_(w.guest_io_done, *(w.loops.ctx.enabled & disk.eventfd for disk in w.loops.ctx.handlers))
    goes_on = event if w.k.drain_polls == "progress" else pending & event
    ends = ~pending & ~event if w.k.drain_polls == "progress" else ~pending
    with p.loop(), p.either() as choice:
        with choice(when=ends):
            p.break_()
        with choice(when=goes_on):
            _poll_without_wash(p, w, w.loops.ctx)


def _woken_poll(p: Process, w: World, ctx: AioContext[Disk]) -> None:
    with p.call("aio_poll"), p.atomic():
        p.do("qemu_poll_ns is woken by aio_notify")
        with p.call("aio_bh_poll"):
            requests.complete_all(p, w)
        if ctx.handlers:
            aio.run_fd_handlers(p, w, ctx)


def _drain_that_may_be_woken(p: Process, w: World, pending: BoolExpr) -> None:
    event = any_(w.guest_io_done, *aio.runnable(w, w.loops.ctx))
    progress = w.k.drain_polls == "progress"
    w.polling.append(w)
    with p.loop(), p.either() as choice:
        with choice(when=~pending & ~event if progress else ~pending):
            p.break_()
        with choice(when=event if progress else pending & event):
            aio.aio_poll_nested(p, w, w.loops.ctx)
        with choice(when=pending & w.guest_io_done):
            _woken_poll(p, w, w.loops.ctx)
    w.polling.pop()


@pytest.mark.slow
def test_a_poll_that_is_woken_turns_nothing() -> None:
    """From 721671ade7 on aio_notify can make a nested poll walk, which clears stale readiness; negative control: no walk where it matters."""

    def woken(m: pytest.MonkeyPatch) -> None:
        m.setattr(drain, "poll_until_quiet", _drain_that_may_be_woken)

    def no_wash(m: pytest.MonkeyPatch) -> None:
        m.setattr(drain, "poll_until_quiet", _drain_without_wash)

    late = tuple(row.name for row in REVISIONS if row.date >= "2016-12-01" and row.name in _STORY)
    assert _turned(_rows((*DEFAULT_SCENARIOS, find_scenario("mirror-2-writes")), late), woken) == set()
    control = find_revision("d4a92a8420-without-37989ced44")
    assert _turned([Row(control, find_scenario("mirror"))], no_wash) == {(control.name, "mirror", "S8")}


_monitor = mainloop._monitor_dispatch


def _monitor_enters(p: Process, w: World, ready: BoolVar) -> None:
    """The monitor's command enters an IOThread's job in the main thread, under the disk's lock."""
    if not w.s.iothread:
        _monitor(p, w, ready)
        return
    p.here("aio_context_acquire")
    p.do("aio_context_acquire", w.loops.lock.taken("main"), when=w.loops.lock.free)
    with p.atomic():
        sets = w.job.cancelled.set() if w.s.command == "cancel" else w.job.should_complete.set()
        p.do("the job's command", ready.clear(), w.job.qmp.clear(), sets)
        w.job.sleep.interrupt(p)
        p.do("aio_context_release", w.loops.lock.released())


@pytest.mark.slow
def test_who_enters_the_job_turns_nothing() -> None:
    """Until aef4278c5a, a commit between 59c9f437c5 and 91af091f92, block-job-complete runs an IOThread's job in the main thread."""
    names = ("dataplane", "dataplane-cancel", "dataplane-zero-length", "dataplane-target-error")
    before = tuple(row.name for row in REVISIONS if row.date < "2017-04-10")
    rows = _rows(tuple(map(find_scenario, names)), before)
    assert _turned(rows, lambda m: m.setattr(mainloop, "_monitor_dispatch", _monitor_enters)) == set()


class _Waits(DrainInvariant):
    """Whether a drain of the exit callback has something to wait for."""

    def properties(self, w: World) -> None:
        """Never."""
        super().properties(w)
        w.m.assertion(
            "nothing to wait for", meaning="a drain in mirror_exit finds nothing pending", source="c9d1a56174"
        )


_poll_until_quiet = drain.poll_until_quiet


def _checked_poll(p: Process, w: World, pending: Any) -> None:
    if w.s.iothread:
        p.check("nothing to wait for", ~pending)
    _poll_until_quiet(p, w, pending)


def _never_waits(row: Row) -> bool:
    system = build("waits", row.revision.knobs, row.scenario, _Waits()).compile()
    outcome = explore(system).verdicts["nothing to wait for"].outcome
    return outcome in (Outcome.HOLDS, Outcome.NEVER_ASKED)  # no drain at all: a cancelled job does not switch


@pytest.mark.slow
def test_the_main_thread_waits_for_no_iothread(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 9a0cec664e on, with dataplane, no drain of mirror_exit waits, but a reopen for a stray flush; negative control: a swap that drains."""

    class Checked:
        poll_until_quiet = staticmethod(_checked_poll)

        def __getattr__(self, name: str) -> Any:
            return getattr(drain, name)

    monkeypatch.setattr(mirror_exit, "drain", Checked())
    ioth = [scenario for scenario in SCENARIOS if scenario.iothread and not (scenario.device_reset and scenario.writes)]
    late = tuple(row.name for row in REVISIONS if row.date >= "2016-10-27" and row.name in _STORY)
    waits = {(row.revision.name, row.scenario.name) for row in _rows(tuple(ioth), late) if not _never_waits(row)}
    assert waits == {("684e508c23", "dataplane-flush-reopen")}
    assert not _never_waits(_rows((find_scenario("dataplane"),), ("5a7e7a0bad", "6ee4ce1ee7"))[-1])
