"""The words of the story, each with what it means: the one home of `list terms`, of the table in docs/reference/words.md, and of the marks in a trace."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

__all__ = ["GLOSSARY", "MARKS", "TERMS", "WINDOWS", "Term"]


class Term(Struct, frozen=True):
    """A word or a sign, and what it means, in a sentence that needs no other term."""

    name: str
    meaning: str


#: the letters that hang beside steps
MARKS: Final = {
    "w": "bdrv_get_dirty_count is 0: mirror_run reads the last dirty count, and the window opens",
    "a": "block_job_defer_to_main_loop: mirror_run leaves its exit to a bottom half of the main loop",
    "b": "blk_aio_writev (before 2016 blk_aio_multiwrite, later blk_aio_pwritev): a guest's request is submitted to the disk",
    "c": "mirror_exit: the exit runs in the main loop and switches the disk to the target",
}

#: the truth values that say when W is open, of the first job and of the second, and what a drawing calls it
WINDOWS: Final = {
    "window": "W, the window: what is submitted to the source is lost",
    "window [1]": "W of the second job: what is submitted to its source is lost",
}

TERMS: Final = (
    *(Term(f"({letter})", meaning) for letter, meaning in MARKS.items()),
    Term("W",
         "the window: from (w), the last dirty count that was 0, to (c), the switch in mirror_exit; what is submitted to the "
         "source in between is lost"),
    Term("source, target",
         "the disk that the job copies from, which is the guest's until the switch; and the copy, which is the guest's from then "
         "on"),
    Term("job",
         "a block job: mirror, or the active commit that uses the same code; a coroutine (mirror_run) that copies a disk while the"
         " guest writes to it"),
    Term("section", "what stands between bdrv_drained_begin and bdrv_drained_end of a node: no new request of its users should enter it there"),
    Term("drained",
         "a node without pending requests, in a section that keeps new ones out: external events are disabled, or requests wait in"
         " a queue"),
    Term("host notifier, kick", "the eventfd through which a virtual CPU tells the device of new requests; a kick is one such call"),
    Term("the seed", "the message of commit ab27c3b5e7, from which the story starts: it knows bug cases 1 and 2; case 3 is what it leaves open"),
    Term("case 1, 2, 3",
         "when a request enters the source in W: in the main-loop iteration of (a), in a later one before (c), or already between "
         "(w) and (a)"),
    Term("code base", "QEMU as it was after one commit, as far as the story goes; named by the commit, by a release, or made by hand with --set"),
    Term("row", "a code base in a scenario: one line of the matrix"),
    Term("scenario", "which disk, which event loops and which requests there are: `list scenarios`"),
    Term("knob", "one thing in which code bases differ, with its values: `list knobs`; a code base is a setting of all of them"),
    Term("control", "a code base that never existed, made from one that did: the tool has to find it wrong, or right, for a known reason"),
    Term("guest-visible",
         "what somebody outside QEMU can notice: S1, S3, S4 (writes), A1 (crash), F1 (hang), R1; the other S and B are rules "
         "inside QEMU"),
    Term("holds", "every reachable state was looked at, and something put the property to the test"),
    Term("never asked", "nothing that can happen puts the property to the test: that it is not violated says nothing, and is no success"),
    Term("unknown", "a limit or Ctrl-C came first"),
    Term("as far as modelled, ~", "the verdict could turn on something that the model leaves out; the output says on what"),
    Term("mitigation",
         "a change that QEMU made against stray requests, or against what such a change had broken: `list mitigations`; `repair` "
         "looks for sets of them"),
    Term("cost", "of a mitigation: how much of QEMU somebody has to touch and to trust, from 1 (one place, nothing else changes) to 4 (every block "
         "device behaves differently); what it builds on costs extra; it orders the answers of `repair` and claims no more"),
)  # fmt: skip

#: words of QEMU and of this model that stand in traces, for somebody who has seen neither
_OF_TRACES: Final = (
    Term(
        "main loop",
        "the thread that runs monitor commands, timers, bottom halves and, without dataplane, the guest's requests: one after the other",
    ),
    Term(
        "AioContext",
        "an event loop: file descriptors, timers and bottom halves with their handlers; qemu_aio_context is the main loop's, and "
        "iohandler_ctx another that the main loop dispatches, too",
    ),
    Term(
        "bottom half (BH)", "a function that somebody has put off: the event loop calls it soon, when nothing else runs"
    ),
    Term(
        "coroutine",
        "a function that can stop in the middle (yield) and go on later, when somebody enters it; mirror_run is one",
    ),
    Term(
        "IOThread (dataplane)",
        "a thread with an event loop of its own, which handles a disk's requests beside the main loop",
    ),
    Term(
        "drained section",
        "see section: quiesce_counter counts how many are open on a node, and external_disable_cnt how many keep an event loop's "
        "external handlers from being called",
    ),
    Term(
        "revents",
        "what a poll has found: a handler is called for it later in the same round, even if the descriptor is not ready any more",
    ),
    Term("main_loop_wait # 3", "the third round of the main loop: prepare, poll, check, dispatch"),
    Term(
        "write[0.1]",
        "a request of the guest: the second write to the first disk; ring: made, in_flight: on its way, io_done: the host has "
        "done it, acked: the guest was told",
    ),
    Term(
        "dirty bitmap",
        "what remembers which sectors were written since the job has copied them; dirty[0.1] is a bit of it",
    ),
    Term("root", "the node that the guest's disk is: source, until the job switches it to target"),
)

#: all of it, for somebody who has a page and nothing else
GLOSSARY: Final = {term.name: term.meaning for term in (*_OF_TRACES, *TERMS)}
