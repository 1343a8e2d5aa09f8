"""Logs that somebody made who wanted a wrong verdict: each with what is right, from a reading of QEMU of his own."""

from __future__ import annotations

from pathlib import Path

import pytest

from draincheck.errors import LogError
from draincheck.qemulog.log import read_log
from draincheck.qemulog.source import blocks, opened

LOGS = Path(__file__).parents[1] / "data" / "made-logs"
#: log -> the verdict on each of its switches
EXPECTED = {
    "00-new-clean": ["clean"],
    "00-new-loss": ["loss"],
    "00-old-clean": ["clean"],
    "00-old-loss": ["loss"],
    "01-old-complete-then-cancel-loss": ["loss"],
    "01b-old-clean-then-complete-cancel-loss": ["clean", "loss"],
    "01c-new-complete-cancel-assert": ["assert"],
    "02c-new-nbd-stderr-glued-loss": ["loss"],
    "02d-old-stderr-glued-loss": ["loss"],
    "02e-new-stderr-glued-loss": ["loss"],
    "02h-old-monitor-prompt-glued-loss": ["loss"],
    "03-old-ide-mirrored-virtio-quiet": ["loss"],
    "03-old-ide-mirrored-virtio-writes": ["clean"],
    "04-new-write-blocking-copied": ["cannot tell"],
    "04b-new-background-recount": ["clean"],
    "05-new-reused-filter-no-answers": ["held", "clean"],
    "05a-new-reused-filter-answers": ["held", "clean"],
    "05c-new-reused-filter-one-unanswered": ["held", "clean"],
    # a device's kick ends before another's begins, so that what enters behind a request, in its thread, is that one: here the failed one
    "06-new-other-disk-same-sectors-broken": ["broken"],
    "06b-new-same-sectors-two-devices-unclear": ["broken"],
    "06c-new-same-sectors-two-devices-both-done": ["loss"],
    "06d-new-other-disk-same-sectors-loss": ["loss"],
    "07-new-reached-before-failed": ["broken"],
    # the guest's backend stands on a node above the source: it has no line for the switch, and a write there goes to the old disk
    "09-new-throttle-over-source-nbd-beside": ["cannot tell"],
    "09b-new-second-backend-no-switch-line": ["loss"],
    "09c-new-throttle-opened-over-source-loss": ["loss"],
    "09d-new-throttle-over-another-disk-clean": ["clean"],
    "09e-new-throttle-path-seen-loss": ["loss"],
    "09f-new-unknown-node-path-seen-clean": ["clean"],
    "09g-new-own-backend-writes-clean": ["clean"],
    "09h-new-two-filters-over-source-loss": ["loss"],
    "09i-new-two-filters-over-another-disk-clean": ["clean"],
    "10-new-loss-crlf": ["loss"],
    "12-new-never-entered": ["cannot tell"],
    "13-v28-no-end": ["cannot tell"],
    "14-new-entry-missing-later-rewrite": ["cannot tell"],
    "14b-new-entry-missing-other-disk": ["cannot tell"],
    "17-new-same-sectors-one-fails-one-held": ["broken"],
    "30-new-loss-begins-at-ready": ["cannot tell"],
    "30b-new-begins-at-ready-loss-then-clean-job": ["loss", "clean"],
    # requests merged, split, retried; jobs that end otherwise; pointers of devices and nodes that are used again; clocks that step back; two QEMUs
    "40-merged-loss": ["loss"],
    "41-merged-held": ["held"],
    "42-merged-one-fails": ["loss"],
    "43-split-loss": ["loss"],
    "44-zero-write": ["loss"],
    "45-retried-loss": ["loss"],
    "46-retried-held": ["held"],
    "47-retried-fails-again": ["broken"],
    "48-cancelled": [],
    "49-two-backends-one-writes": ["loss", "clean"],
    "50-device-pointer-reused-write-fails": ["clean", "broken"],
    "51-device-pointer-reused-held": ["clean", "held"],
    "52-snapshot-then-commit-loss": ["loss"],
    "53-two-qemus-quiet-one-switches": ["cannot tell"],
    "54-two-qemus-both-busy": ["clean"],
    "55-begins-in-the-window": ["cannot tell"],
    "56-a-backup-job-is-no-switch": ["clean"],
    "57-clock-steps-back": ["loss"],
    "58-clock-steps-back-clean": ["clean"],
    "59-clock-steps-back-two-threads-clean": ["clean"],
    "60-clock-steps-back-two-threads-loss": ["loss"],
    "61-overlap-none": ["clean", "clean"],
    "62-overlap-first": ["loss", "clean"],
    "63-overlap-second": ["clean", "loss"],
    "64-overlap-both": ["loss", "loss"],
    "65-middle-own-writes": ["clean"],
    "66-middle-own-quiet": ["cannot tell"],
    "67-entry-event-enabled-late": ["cannot tell"],
    "68-job-fails": [],
    "69-stale-pointer-as-another-s-filter": ["clean", "clean"],
    "70-entered-before-w-answered-in-window": ["clean"],
    "71-enters-old-after-c": ["loss"],
    "72-cut-broken": ["assert"],
    "73-write-copied-by-next-iteration": ["clean"],
    "74-old-failed": ["broken"],
    "75-old-merged": ["loss"],
    "76-old-two-disks-other-writes": ["clean"],
    "77-old-clock-back": ["loss"],
    # where each write passes (bdrv_co_pwritev_part); what is plugged and unplugged; requests from before
    "78-parts-loss": ["loss"],
    "79-parts-held": ["held"],
    "80-parts-failed": ["broken"],
    "81-job-s-copy-to-the-target": ["clean"],
    "82-parts-before-only": ["clean"],
    "83-entry-missing-path-seen": ["loss"],
    "84-one-in-one-held": ["loss"],
    "85-other-disk-unplugged": ["clean"],
    "86-plugged-while-finishing": ["clean"],
    "87-from-ready-loss": ["loss"],
    "88-pending-from-before": ["clean"],
    "89-failed-rw-complete-alone": ["broken"],
    "90-same-job-pointer-again": ["clean", "loss"],
    "93-failed-and-retried-behind-the-switch": ["broken"],
    "94-write-of-no-bytes": ["broken"],
    # a drain waits for all writes at work: one that is answered behind (c) was not waited for, and may have been written behind the last copy
    "95-new-answered-behind-the-switch": ["cannot tell"],
    "95b-old-answered-behind-the-switch": ["cannot tell"],
    "96-new-fails-while-switching": [],
    # of another disk's writes nobody waits when this one is switched; one that failed is no write at work, and is done again on the new disk
    "97-new-other-disk-in-flight": ["clean"],
    "98-old-other-disk-in-flight": ["clean"],
    "99-new-failed-and-done-again-behind": ["clean"],
    # a request that has entered before, or is answered, enters no more: the same sectors are written anew
    "100-new-failed-then-rewritten-lost": ["loss"],
    "101-new-done-then-rewrite-fails": ["broken"],
    "102-new-done-then-rewrite-held": ["held"],
    "103-new-rewritten-with-more-lost": ["loss"],
    "104-new-copied-at-once": ["cannot tell"],
    # QEMU ignores that a job is cancelled softly which is done; one that was cancelled before the log begins takes its filter away
    "105-new-cancelled-when-done-loss": ["loss", "clean"],
    "106-new-cancelled-before-the-log": [],
    "107-new-cancelled-before-the-log-written": [],
    "108-new-rewrite-of-more-held": ["held"],
    "109-new-rewrite-of-more-lost": ["loss"],
    # what stood where NUL bytes stand is not known: the log is malformed, whatever can be read of it
    "110-hole-before-a-line": ["clean"],
    "111-hole-in-an-unknown-event": ["clean"],
    "112-hole-in-a-text": ["clean"],
}
#: sectors that were lost, where others with the same ones are near
LOST = {
    "100-new-failed-then-rewritten-lost": (0, 8),
    "103-new-rewritten-with-more-lost": (0, 16),
    "109-new-rewrite-of-more-lost": (0, 64),
}


def test_every_log_is_expected() -> None:
    """No file is left out."""
    assert {path.stem for path in LOGS.glob("*.log")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_hostile_log_is_judged_rightly(name: str) -> None:
    """Neither a loss in silence nor one that is none."""
    with opened(str(LOGS / f"{name}.log")) as source:
        found = read_log(blocks(source))
    assert [pivot.judgement.value for pivot in found.report.pivots] == EXPECTED[name]


@pytest.mark.parametrize("name", LOST)
def test_the_sectors_of_the_write_that_was_lost_are_told(name: str) -> None:
    """Not those of another write there, which was done before."""
    with opened(str(LOGS / f"{name}.log")) as source:
        (pivot,) = read_log(blocks(source)).report.pivots
    assert [(each.sector, each.sectors) for each in pivot.lost] == [LOST[name]]


@pytest.mark.parametrize("name", EXPECTED)
def test_holes_make_a_log_malformed(name: str) -> None:
    """Wherever NUL bytes stand in it; and nothing else of these logs does."""
    with opened(str(LOGS / f"{name}.log")) as source:
        assert (read_log(blocks(source)).tally.misprints > 0) == ("-hole-" in name)


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_package_that_is_cut_is_no_end_of_the_log(cut: int, tmp_path: Path) -> None:
    """Of zstandard and xz: what is missing may be the loss."""
    import lzma

    import zstandard

    text = (LOGS / "00-new-loss.log").read_bytes()
    for pack in (zstandard.compress, lzma.compress):
        file = tmp_path / "log"
        file.write_bytes(pack(text)[:-cut])
        with opened(str(file)) as source, pytest.raises(LogError, match="cannot be unpacked"):
            list(blocks(source))
        file.write_bytes(pack(text) + b"garbage")
        with opened(str(file)) as source, pytest.raises(LogError, match="cannot be unpacked"):
            list(blocks(source))
