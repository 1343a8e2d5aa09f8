"""The explorer of logs: what its document says of switches, read back from the page by a reader that is not the package's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from check_invariants.exit import NotWritable
from check_invariants.work import log, log_html
from check_invariants.work.log_html import log_page
from draincheck.explorer.log_pages import DRAWN, JUDGEMENTS, LISTED, SeenLog
from draincheck.qemulog import excerpt
from draincheck.qemulog.excerpt import Excerpts
from draincheck.qemulog.happening import TOLD_ENTERED, TOLD_HELD
from draincheck.qemulog.log import ReadLog
from draincheck.qemulog.pivot import Fate, Intruder, Judgement, LoggedRequest, LogReport, Moment, Pivot
from draincheck.qemulog.reader import Tally
from tests.support.cli import run
from tests.support.explored_page import PageGraph, read_document
from tests.support.qemu_logs import LOGS, Guest, made
from tests.support.samples import sampled

MADE = Path(__file__).parents[1] / "data" / "made-logs"
ALL_MADE = sorted(MADE.glob("*.log"))
SIDECARS = MADE.with_name("sidecars")
#: bytes that a page of logs has at the most
MOST = 5_000_000


class LogPage(NamedTuple):
    """A page that was written: the document and its systems."""

    text: str
    document: dict[str, Any]
    systems: dict[str, PageGraph]

    def system(self, subject: int) -> PageGraph:
        """The system of a subject."""
        return self.systems[self.document["subjects"][subject]["system"]]


def page_in(text: str) -> LogPage:
    """The document that stands in a page."""
    found = re.search(r'<script type="application/json" id="document">(.*?)</script>', text)
    assert found is not None
    return LogPage(text, *read_document(found[1]))


@cache
def page_of(*words: str) -> LogPage:
    """What `log` with these words writes; it ends as it does without."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "log.html"
        with_page, without = run("log", *words, "--html", str(file)), run("log", *words)
        assert (with_page.exit_code, with_page.stdout) == (without.exit_code, without.stdout)
        return page_in(file.read_text(encoding="utf-8"))


def steps_of(system: PageGraph) -> list[tuple[int, str, tuple[int, ...]]]:
    """For each step of a switch its line, its mark, and the rules that it breaks."""
    told = system.told
    variants = [told["variants"][number] for number in told["evidence"][0]["variants"]]
    marks = [told["actions"][each["action"]]["parts"][0].get("mark", "") for each in variants]
    lines = told["evidence"][0]["logged"]
    return [
        (line, mark, tuple(each.get("broken", ()))) for line, mark, each in zip(lines, marks, variants, strict=True)
    ]


def test_a_loss_is_told_event_by_event() -> None:
    """As the log has them: the write reaches the device, enters the old disk in the window, is answered, and is lost with the switch."""
    system = page_of(str(MADE / "00-new-loss.log")).system(0)
    assert steps_of(system) == [(16, "w", ()), (18, "", ()), (19, "b", (0,)), (21, "", ()), (27, "c", (1,))]
    write = [values["write 1 (sectors 0-7)"] for values in system.states]
    assert write == [
        "not seen yet",
        "not seen yet",
        "at the device",
        "on the old disk",
        "done, as the guest was told",
        "lost",
    ]
    assert [values["window"] for values in system.states] == ["not open yet", *["open"] * 4, "over"]


def test_a_write_that_waits_goes_to_the_new_disk() -> None:
    """And breaks nothing; the one that failed beside it broke the rule and is not lost."""
    system = page_of(str(MADE / "17-new-same-sectors-one-fails-one-held.log")).system(0)
    assert [broken for _, _, broken in steps_of(system) if broken] == [(0,)]
    last = system.states[-1]
    assert last["write 1 (sectors 0-7)"] == "failed, as the guest was told"
    assert last["write 2 (sectors 0-7)"] == "done, as the guest was told"


@pytest.mark.parametrize("path", sampled(ALL_MADE, ALL_MADE[::4]), ids=lambda each: each.stem)
def test_the_page_says_what_the_text_says(path: Path) -> None:
    """Its headline is the answer; each switch has its row; what was lost in JSON is lost on the page; lines are those of the log."""
    page, told = page_of(str(path)), json.loads(run("log", "--json", str(path)).stdout)["files"][0]
    assert page.document["answer"]["headline"] == told["answer"]
    rows = page.document["matrix"]["rows"]
    assert [row["name"] for row in rows] == [f"{each['disk']}, switch {each['number']}" for each in told["pivots"]]
    lines = path.read_bytes().replace(b"\r\n", b"\n").split(b"\n")
    for row, pivot in zip(rows, told["pivots"], strict=True):
        cell = row["cells"][0]
        assert cell["text"].partition(":")[0] == pivot["judgement"]
        system = page.system(cell["subject"])
        lost = [value for value in system.states[-1].values() if value == "lost"]
        assert len(lost) == len(pivot["lost"])
        bad = pivot["judgement"] in ("loss", "assert", "broken")
        entered = [0 in broken for _, mark, broken in steps_of(system) if mark == "b"]
        assert all(each is bad for each in entered)
        for number, text in system.told["evidence"][0]["excerpt"]:
            assert lines[number - 1].decode(errors="backslashreplace")[:300] == text[:300]
        shown = {number for number, _ in system.told["evidence"][0]["excerpt"]}
        assert {line for line, _, _ in steps_of(system)} <= shown


def test_steps_stand_in_the_order_of_their_times() -> None:
    """Where lines of threads are not in order, as where some are buffered."""
    pivot = Pivot(1, "d", "0x1", Judgement.BROKEN, "why", Moment(9, "x", 10, 1), switched=Moment(5, "x", 30, 2),
                  intruders=(Intruder(LoggedRequest(0, 8), Moment(7, "x", 20, 3)),))  # fmt: skip
    page = page_in(log_page([seen([pivot])], [()], (), False, "again"))
    assert [mark for _, mark, _ in steps_of(page.system(0))] == ["w", "b", "c"]
    assert [lane["name"] for lane in page.system(0).told["lanes"]] == ["thread 1", "thread 3", "thread 2"]


def test_lines_that_have_gone_by_are_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long log the last lines are kept: those before them are missing, and the others are right."""
    monkeypatch.setattr(excerpt, "BACK", 40)
    lines = [b"line %d\n" % number for number in range(1, 21)]
    kept = Excerpts()
    assert list(kept.passing(lines)) == lines
    pivot = Pivot(1, "d", "j", Judgement.CLEAN, "", Moment(3, "x"), switched=Moment(18, "x"))
    kept.end([pivot])
    assert kept.around(pivot) == tuple((number, f"line {number}") for number in range(16, 21))


def test_of_many_alike_the_first_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """And of those at the end of the log all, which nobody has told of before."""
    monkeypatch.setattr(excerpt, "WELL", 2)
    monkeypatch.setattr(excerpt, "LAST", 1)
    kept = Excerpts()
    list(kept.passing([b"line %d\n" % number for number in range(1, 61)]))
    pivots = [Pivot(n, "d", "j", Judgement.CLEAN, "", Moment(10 * n, "x")) for n in range(1, 6)]
    for pivot in pivots[:4]:
        kept.notice(pivot)
    kept.end(pivots)
    assert [len(kept.around(pivot)) for pivot in pivots] == [5, 5, 0, 0, 5]


def test_everything_that_a_switch_can_come_to_is_explained() -> None:
    """In the list of words."""
    assert JUDGEMENTS.keys() == {judgement.value for judgement in Judgement}


def seen(pivots: list[Pivot]) -> SeenLog:
    """A log with these switches, of which no line was kept."""
    return SeenLog("log", ReadLog(LogReport(tuple(pivots), ()), Tally()), "", "the answer", Excerpts())


def large(number: int, judgement: Judgement, writes: int = 100) -> Pivot:
    """A switch with many writes."""
    start = number * 1000

    def moment(line: int) -> Moment:
        return Moment(start + line, "virtio_blk_handle_write", 1_700_000_000_000_000 + start + line, 17)

    requests = tuple(
        LoggedRequest(8 * n, 8, moment(n), hex(n), None, Fate.ACKED, moment(n + 300)) for n in range(writes)
    )
    good = judgement in (Judgement.CLEAN, Judgement.HELD)
    intruders = () if good else tuple(Intruder(each, moment(n + 150), "0x1") for n, each in enumerate(requests))
    held = requests if judgement is Judgement.HELD else ()
    why = "a reason of some length, as those of real switches are"
    return Pivot(number, "a" * 60, "0x55f36f953ef0", judgement, why, moment(0), None, None, moment(900), "0x1", "0x2", intruders, held)  # fmt: skip


def crowded(number: int, writes: int) -> LogPage:
    """The page of a log with so many switches, of every kind in turn."""
    order = list(Judgement)
    kinds = [large(1, judgement, writes) for judgement in order]
    return page_in(log_page([seen([kinds[each % len(order)] for each in range(number)])], [()], (), False, "again"))


@pytest.mark.slow
def test_a_page_is_small_whatever_the_log() -> None:
    """A hundred thousand switches with many writes each: what is left out is counted, and the first of each kind are there."""
    page = crowded(100_000, 100)
    assert len(page.text) < MOST
    rows = 5 * LISTED[False] + 2 * LISTED[True]
    assert len(page.document["matrix"]["rows"]) == rows
    assert len(page.document["subjects"]) == 5 * DRAWN[False] + 2 * DRAWN[True]
    assert page.document["matrix"]["legend"][0][1].startswith(f"{100_000 - rows} more switches")


def test_every_bad_switch_has_its_row() -> None:
    """Where there are more than are drawn; of the good ones the first."""
    page = crowded(7 * 110, 1)
    told = [row["cells"][0] for row in page.document["matrix"]["rows"]]
    assert [sum(cell["text"].startswith(kind) for cell in told) for kind in ("loss", "broken", "clean")] == [
        110,
        110,
        100,
    ]
    drawn = [cell["text"] for cell in told if cell["subject"] is not None]
    assert (drawn.count("assert"), drawn.count("held")) == (DRAWN[False], DRAWN[True])
    assert page.document["matrix"]["legend"][0] == [
        "left out",
        "20 more switches without a row here: 10 held, 10 clean",
    ]


def test_of_one_switch_the_first_writes_are_told() -> None:
    """And how many more there are."""
    page = page_in(log_page([seen([large(1, Judgement.LOSS)])], [()], (), False, "again"))
    assert len([name for name in page.system(0).states[0] if name.startswith("write")]) == TOLD_ENTERED
    assert f"{100 - TOLD_ENTERED} more writes" in page.system(0).told["evidence"][0]["end"]["lines"][0]
    assert len(page.document["subjects"][0]["evidence"][0]["replay"]["rows"]) == 100


def test_what_was_held_is_bounded_as_well() -> None:
    """Of a hundred writes."""
    page = page_in(log_page([seen([large(1, Judgement.HELD)])], [()], (), False, "again"))
    assert len([name for name in page.system(0).states[0] if name.startswith("write")]) == TOLD_HELD


def test_what_was_lost_is_drawn_before_what_was_not() -> None:
    """Of many writes that entered those that are lost."""
    pivot = large(1, Judgement.LOSS)
    intruders = tuple(
        each if number >= 90 else Intruder(LoggedRequest(each.request.sector, 8, fate=Fate.FAILED), each.entered)
        for number, each in enumerate(pivot.intruders)
    )
    page = page_in(log_page([seen([replace(pivot, intruders=intruders)])], [()], (), False, "again"))
    assert list(page.system(0).states[-1].values()).count("lost") == 10


def test_a_code_base_is_named_with_its_trace_or_the_step_that_it_refuses(tmp_path: Path) -> None:
    """A write that is lost between (w) and (c) is a run of the code base that loses it, and none of one that keeps it out."""
    path = tmp_path / "log"
    path.write_bytes(b"".join(line + b"\n" for line in made(Guest(new=False), [["acked"]]).lines))
    file = tmp_path / "log.html"
    assert run("log", str(path), "--against", "v2.6.0", "--against", "v8.0.0", "--html", str(file)).exit_code == 12
    page = page_in(file.read_text(encoding="utf-8"))
    assert [name for name, _ in page.document["matrix"]["columns"]] == ["verdict", "v2.6.0", "v8.0.0"]
    _, own, other = page.document["matrix"]["rows"][0]["cells"]
    assert (own["text"], own["tone"], other["text"][:7], other["tone"]) == ("a run", "good", "no run:", "bad")
    model = page.document["subjects"][own["subject"]]
    assert (model["kind"], model["evidence"][0]["property"], model["evidence"][0]["tone"]) == ("code base", "S3", "bad")
    notes = page.document["subjects"][0]["evidence"][0]["notes"]
    assert [(each["title"], each["subject"]) for each in notes] == [
        ("A run of v2.6.0", own["subject"]),
        ("No run of v8.0.0", None),
    ]
    assert any("(b)" in line and "blk_aio_writev (write[0.0])" in line for line in notes[0]["lines"])
    refused = [line for line in notes[1]["lines"] if "is refused" in line]
    assert refused
    assert all(page.text.count(escape(line)) >= 1 for line in refused)  # in the text for those without scripts, too


def test_windows_that_look_alike_share_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And of models beside windows no more is told than there is room for."""
    monkeypatch.setattr(log_html, "LINES", 50)
    path, file = tmp_path / "log", tmp_path / "log.html"
    path.write_bytes(b"".join(line + b"\n" for line in made(Guest(new=False), [["acked"]] * 5).lines))
    run("log", str(path), "--against", "v2.6.0", "--html", str(file))
    page = page_in(file.read_text(encoding="utf-8"))
    assert [each["kind"] for each in page.document["subjects"]] == [*["log"] * 5, "code base"]
    notes = [each["evidence"][0]["notes"][0] for each in page.document["subjects"][:5]]
    assert [each["subject"] for each in notes] == [5] * 5
    assert [bool(each["lines"]) for each in notes] == [True, True, False, False, False]


@pytest.mark.slow
def test_a_real_abort_is_a_run_of_its_own_code_base() -> None:
    """The window of an instrumented 2.5, and none of 2.7's; `--fits` names all of which it is one."""
    page = page_of(
        str(LOGS / "old-assert-commit-i.log.xz"), "--against", "ab27c3b5e7~2", "--against", "v2.7.0", "--fits"
    )
    assert [name for name, _ in page.document["matrix"]["columns"]] == [
        "verdict",
        "ab27c3b5e7~2",
        "v2.7.0",
        "code bases",
    ]
    cells = page.document["matrix"]["rows"][-1]["cells"]
    assert [each["text"] for each in cells] == ["assert", "a run", "no run: 2 of 6 events", "11 of 48 code bases"]
    assert page.document["subjects"][cells[1]["subject"]]["evidence"][0]["property"] == "A1"


def test_several_logs_and_one_that_is_none(tmp_path: Path) -> None:
    """Rows say whose they are; the headline is the worst one's answer, and the others stand below."""
    broken = tmp_path / "broken.log"
    broken.write_bytes(b"\x1f\x8bnothing")
    bad, good = str(MADE / "00-old-loss.log"), str(MADE / "00-old-clean.log")
    page = page_of(good, bad, str(broken))
    assert page.document["answer"]["headline"].startswith(f"{bad}: DATA LOSS")
    assert good in page.document["answer"]["sentence"]
    assert "malformed" in page.document["answer"]["sentence"]
    assert [row["name"].partition(": ")[0] for row in page.document["matrix"]["rows"]] == [good, bad]


@pytest.mark.slow
def test_standard_input_has_its_lines(tmp_path: Path) -> None:
    """It is read once, and they are kept meanwhile; JSON stands beside the page."""
    file = tmp_path / "log.html"
    command = [sys.executable, "-m", "check_invariants", "log", "-", "--json", "--html", str(file)]
    lines = (MADE / "00-new-loss.log").read_bytes()
    done = subprocess.run(command, input=lines, capture_output=True, check=False, timeout=300)
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (12, 12)
    page = page_in(file.read_text(encoding="utf-8"))
    assert [19, lines.decode().splitlines()[18]] in page.system(0).told["evidence"][0]["excerpt"]


def test_a_log_that_is_followed_has_its_page_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When somebody has ended that."""
    monkeypatch.setattr(log, "_wait", lambda: False)
    file = tmp_path / "log.html"
    assert run("log", "--follow", str(MADE / "00-new-loss.log"), "--html", str(file)).exit_code == 12
    assert page_in(file.read_text(encoding="utf-8")).document["subjects"][0]["tone"] == "bad"


def test_a_sidecar_says_what_is_drained_at_each_event() -> None:
    """At (w) nothing yet, at (c) the source and mirror's filter: the sections begin 19 and 684 µs behind (w), as perf has it."""
    page = page_of(str(SIDECARS / "mirror.log.xz"), "--uprobes", str(SIDECARS / "mirror.perf.txt.gz"))
    nodes = [values["drained nodes"] for values in page.system(0).states]
    assert nodes == ["not seen yet", "none", "0x55fb540dfa90 and 0x55fb540ff640"]
    (note,) = page.document["subjects"][0]["evidence"][0]["notes"]
    assert note["sentence"].startswith("drained throughout")
    assert [line.split()[1] for line in note["lines"]] == ["0x55fb540dfa90:", "0x55fb540ff640:"]


def test_what_a_log_lacks_is_named() -> None:
    """With what `-trace` is to be given, as the text has it."""
    page = page_of(str(MADE / "12-new-never-entered.log"))
    assert any("needs `-msg timestamp=on" in line for _, line in page.document["matrix"]["legend"])
    assert page.document["answer"]["tone"] == "unknown"


@pytest.mark.parametrize("where", ["-", "log", "nowhere/log.html"])
def test_a_page_goes_to_a_file_of_its_own(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to standard output, not over the log, and not where nothing can be written; nothing is lost."""
    monkeypatch.chdir(tmp_path)
    lines = (MADE / "00-new-loss.log").read_bytes()
    Path("log").write_bytes(lines)
    assert run("log", "log", "--html", where).exit_code == 2
    assert Path("log").read_bytes() == lines


def test_an_answer_is_there_though_its_page_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the folder has gone meanwhile: what was found is not lost, and the code says what happened."""

    def gone(path: str, data: str) -> None:
        raise NotWritable(f"{path} cannot be written")

    monkeypatch.setattr(log, "write_to", gone)
    result = run("log", str(MADE / "00-new-loss.log"), "--html", str(tmp_path / "log.html"))
    assert result.exit_code == 2
    assert "DATA LOSS" in result.stdout


def test_names_of_logs_are_nothing_but_names(tmp_path: Path) -> None:
    """In a file's name and in a disk's, whatever stands there."""
    name = "</script><img src=x onerror=alert(1)>\x1b[31m"
    guest = made(Guest(new=True), [["acked"]])
    path = tmp_path / "a<b>&'\"\x07.log"
    path.write_bytes(b"".join(line.replace(b"disk.raw", name.encode()) + b"\n" for line in guest.lines))
    page = page_of(str(path))
    assert "<img" not in page.text
    assert name in page.document["matrix"]["rows"][0]["name"]
    assert "\x1b" not in page.text
    assert "\x07" not in page.text
