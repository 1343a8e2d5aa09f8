"""The claims of the commit message that this project was born from, and what comes after them, each decided by computation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from draincheck.names import named
from draincheck.revisions import find_revision
from drainspecs.mirror.claim import Claim, ClaimResult, ClaimVerdict, Question
from drainspecs.mirror.facts import bad, good, likelier, more_kicks, not_older, noted, read, turns
from drainspecs.mirror.orders import HANDLER_FIRST, HANDLER_LAST, QUIET
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, applies, find_scenario

__all__ = ["CLAIMS", "decide_claims", "find_claim"]

_YES, _NO, _IF = ClaimVerdict.CONFIRMED, ClaimVerdict.REFUTED, ClaimVerdict.CONDITIONAL
_BEFORE, _AFTER = "6ee4ce1ee7", "f3926945c8"
_NO_NOTIFIER = ("timer", "no-ioeventfd")
_EVERYWHERE = tuple(scenario.name for scenario in DEFAULT_SCENARIOS)


def _quiet(*revisions: str) -> tuple[Question, ...]:
    found = [good(r, s, QUIET) for r in revisions for s in _EVERYWHERE if applies(find_revision(r), find_scenario(s))]
    return sum(found, ())


def _orders(order: str) -> tuple[Question, ...]:
    return (
        *turns(_AFTER, "iohandler"),
        *good(_BEFORE, "mirror", HANDLER_FIRST, order=order),
        *bad(_AFTER, "mirror", (HANDLER_LAST, HANDLER_FIRST), order=order),
    )


def _easier(order: str) -> tuple[Question, ...]:
    return more_kicks(_BEFORE, _AFTER, order) + likelier(_BEFORE, _AFTER, order)


def _case_2(order: str) -> tuple[Question, ...]:
    return bad(("f3926945c8", "3f09bfbc7b", "176c36997f", "37989ced44"), "mirror", "case 2", order=order)


def _lost(scenario: str, *revisions: str) -> tuple[Question, ...]:
    return sum((good(revision, scenario, "A1") + bad(revision, scenario, "S4") for revision in revisions), ())


def _aborts(scenario: str) -> tuple[Question, ...]:
    return bad("3f09bfbc7b", scenario, "A1") + good("3f09bfbc7b", scenario, "S4")


def _queued(scenario: str) -> tuple[Question, ...]:
    return (
        *good("f871abd60f", scenario, "F1"),
        *bad("cf3129323f", scenario, "F1"),
        *good("cf3129323f", scenario, "F1", parked_counts=False),
        *good("7f16476fab", scenario, "F1"),
    )


def _uncovered(scenario: str) -> tuple[Question, ...]:
    return (
        *bad(("0ff841f6d1", "d4a92a8420", "9a0cec664e", "f871abd60f"), scenario, "S4"),
        *bad("ab27c3b5e7", scenario, "S1", begin="before_check"),
        *good("cf3129323f", scenario, "S1"),
    )


def _resumed(scenario: str) -> tuple[Question, ...]:
    return (
        *bad("3bb0e2980a", scenario, "A1"),
        *good("3bb0e2980a", scenario, "S4"),
        *good("3bb0e2980a", (f"{scenario}-qcow2", f"{scenario}-read"), "A1"),
        *good("3bb0e2980a", scenario, "A1", replace_node="check_first"),
        *good("2398747128", scenario, "A1"),
    )


def _inert(knob: str) -> tuple[Question, ...]:
    return bad("ab27c3b5e7", "mirror", ("case 1", "A1"), **{knob: False})


_QUIET_UNTIL = _quiet("5a7e7a0bad", "f3926945c8", "3f09bfbc7b", "176c36997f", "a77fd4bb29", "ab27c3b5e7", "9a0cec664e")
_ASSERTS = good((_BEFORE, _AFTER), "commit", "A1")
#: the bandage is taken off at every way to the end of the job
_ENDS = ("cancel", "cancel-early", "source-error", "target-error", "zero-length")
_UNDONE = good("ab27c3b5e7", ("mirror", "commit", *(f"mirror-{end}" for end in _ENDS)), ("B2", "B5"))

CLAIMS: Final = (
    Claim("opens", "5a7e7a0bad opens the window: before it no request can slip in before mirror_exit, from it on writes are lost", _YES,
          good("5a7e7a0bad~1", "mirror", "S1") + bad("5a7e7a0bad", "mirror", ("S1", "S4"))),
    Claim("drawing", "the first drawing: at 5a7e7a0bad the request enters after GLib's dispatch, in qemu_iohandler_poll of the iteration of (a), "
          "and breaks the invariant at (c)", _YES,
          bad("5a7e7a0bad", "mirror", ("case 1", HANDLER_LAST)) + good("5a7e7a0bad", "mirror", (HANDLER_FIRST, "case 2"), order="any")
          + bad("5a7e7a0bad", "mirror", "S8")),
    Claim("quiet", "at (a) the source has no pending request", _IF, _QUIET_UNTIL + good("bdffb31d8e", _EVERYWHERE, QUIET),
          "up to bdffb31d8e~1; then a flush between the last count and (a) lets in what has no host notifier, until cf3129323f queues it",
          if_conditioned=_QUIET_UNTIL, remarks=good("f871abd60f", _NO_NOTIFIER, QUIET) + good("cf3129323f", _NO_NOTIFIER, QUIET)),
    Claim("unordered", "f3926945c8 makes the order of (a) and a host notifier's handler within one iteration unpredictable", _IF, _orders("attach"),
          "GSources may be dispatched in any order; in the order GLib uses, the handler comes after (a), as before, if mirror's flush yields",
          if_conditioned=_orders("any"), remarks=(
              "not modelled: where the target takes no flushes (cache=unsafe), block-job-complete reaches (a) itself, after the handlers, "
              "in GLib's order too",)),
    Claim("easier", "f3926945c8 makes the bug easier to trigger", _NO, _easier("attach") + _easier("any"),
          instead="in the order GLib uses, the same kicks lead to the bug as before; in any order more positions of a kick do, and not more likely"),
    Claim("case-1", "bug case 1: the request enters in the iteration of (a)", _YES,
          bad(("f3926945c8", "3f09bfbc7b"), "mirror", ("case 1", "S2")) + good("5a7e7a0bad~1", "mirror", "S1"),
          remarks=(f"virtio_submit_multiwrite and blk_aio_multiwrite are drawn; at {_AFTER} writes go through {find_revision(_AFTER).knobs.submit}",)),
    Claim("case-2", "bug case 2: the request enters in the next iteration, before (c)", _IF, _case_2("attach"),
          "GSources may be dispatched in any order; in the order GLib uses it is unreachable", if_conditioned=_case_2("any")),
    Claim("silent", "the loss was silent before 3f09bfbc7b", _IF,
          _lost("mirror", "5a7e7a0bad", _BEFORE, _AFTER) + _lost("dataplane", "b112a65c52", _BEFORE, _AFTER)
          + _lost("commit", "5a7e7a0bad", _BEFORE, _AFTER),
          "from 6ee4ce1ee7 on; between 5a7e7a0bad and 6ee4ce1ee7 an active commit may also crash in bdrv_swap",
          if_conditioned=sum((_lost(scenario, _BEFORE, _AFTER) for scenario in ("mirror", "dataplane", "commit")), ())),
    Claim("asserts", "3f09bfbc7b's assertion checks the invariant at (c), and an active commit is the first to see it fail", _IF,
          good("5a7e7a0bad", "commit", "A1") + _ASSERTS + _aborts("commit") + good("3f09bfbc7b", ("dataplane", "mirror-reopen"), "S4"),
          "from 6ee4ce1ee7 on (before, it may crash), and where the stray request is still pending: with dataplane, or where a reopen drains, "
          "it may also be lost in silence", if_conditioned=_ASSERTS + _aborts("commit") + _aborts("mirror")),
    # a pending kick when dataplane stops: at first the stop eats it, then it runs the queue handler, in the end the request is queued
    Claim("dataplane", "2.5 protects a mirror of a disk whose dataplane keeps running, and not one in the main loop", _YES,
          bad("c1e1e5fa8f", "dataplane", "S1") + good("176c36997f", "dataplane", "S1") + bad("176c36997f", "mirror", "S1")
          + good("176c36997f", "dataplane-stop", "S1") + bad(("03de2f5274", "f871abd60f"), "dataplane-stop", "S1")
          + good("cf3129323f", "dataplane-stop", "S1"),
          remarks=(
              *noted(good("684e508c23", "dataplane", "S1")[0], "(until 59c9f437c5; no release has it)"),
              "dataplane-stop: 2.5's stop eats the kick; from 03de2f5274 (v2.6.0) on it runs the queue handler, whatever the section says")),
    Claim("realized", "nobody had noticed the main loop's bug before ab27c3b5e7", _NO,
          read("the message of 6ee4ce1ee7 does not mention the window of the main loop", False) + not_older("6ee4ce1ee7", "ab27c3b5e7")
          + good("6ee4ce1ee7", "mirror", "S1"),
          instead="the message of 6ee4ce1ee7, ten months older, names the window and calls it a bug"),
    Claim("bandage", "the bandage ab27c3b5e7 closes cases 1 and 2 (not case 3)", _YES,
          turns("ab27c3b5e7", "bandage") + bad("ab27c3b5e7~1", "mirror", "case 1") + bad("ab27c3b5e7~1", "mirror", "case 2", order="any")
          + good("ab27c3b5e7", "mirror", ("case 1", "case 2"), order="any") + good("ab27c3b5e7", "mirror", "A1")),
    Claim("temporarily", "the bandage is temporary: what it disables is enabled again, however the job ends", _IF,
          _UNDONE + good("ab27c3b5e7", "dataplane-reset", "B3"),
          "the disk keeps its AioContext; if dataplane stops meanwhile, the end asks for the context of then", if_conditioned=_UNDONE),
    Claim("together", "iohandler_ctx is disabled together with the node's context: no handler runs in between", _NO,
          good("ab27c3b5e7", ("mirror", "commit"), "S7") + good("ab27c3b5e7", "mirror", "S7", drain="nested"),
          instead="bdrv_drained_begin yields between the two, and a handler may run: case 3; where drains do not yield, none does"),
    Claim("case-3", "beyond the message: the bandage leaves case 3 open, silently, in its own tree, where drained_begin yields; "
          "on a tree with nested drains it would be clean", _YES,
          bad("ab27c3b5e7", "mirror", ("case 3", "S4")) + good("ab27c3b5e7", "mirror", "A1") + good("ab27c3b5e7", "mirror", "S1", drain="nested")),
    Claim("inert", "beyond the message: the bandage is inert without 37989ced44 and without 14560d69e7", _YES,
          _inert("walk_checks_external") + _inert("is_external") + good("ab27c3b5e7", "mirror", "case 1")),
    Claim("moved", "beyond the message: 0ff841f6d1 closes case 3 for virtio-blk", _YES,
          bad("6820643fdb", "mirror", "case 3") + good(("0ff841f6d1", "d4a92a8420"), ("mirror", "commit"), "S1"),
          remarks=("virtio-scsi is not modelled: its notifier moves with 1c627137c1, and until then its disks are as before",)),
    Claim("begin-first", "beyond the message: the order of 9a0cec664e alone, on top of the bandage, closes case 3 structurally", _YES,
          bad("ab27c3b5e7", "mirror", "S6") + good("ab27c3b5e7", "mirror", "S6", begin="before_check")
          + good("ab27c3b5e7", "mirror", "S1", begin="before_check", order="any")),
    Claim("uncovered", "beyond the message: none of these covers a read or write without a host notifier; cf3129323f does, as far as modelled",
          _YES, _uncovered("timer") + _uncovered("no-ioeventfd"), remarks=(
              "cf3129323f .. 7f16476fab~1: a flush, discard or ioctl that is queued stays counted, and a drain waits for it for ever",
              "v6.1.0 .. v7.2: with a raw target a queued write meets an assertion at the switch (the claim resumed)")),
    Claim("queued", "beyond the message: cf3129323f counts a flush that it queues, and the drain before the switch waits for it for ever; "
          "7f16476fab mends that", _YES,
          _queued("timer-flush") + _queued("no-ioeventfd-flush") + good("cf3129323f", "mirror-flush", "F1")),
    Claim("resumed", "beyond the message: from 3bb0e2980a (v6.1.0) to v7.2 a write that was queued goes on inside the switch, before a raw target may "
          "be written: QEMU aborts; 2398747128 (v8.0.0) mends that", _YES,
          good("7f16476fab", _EVERYWHERE, "A1") + _resumed("timer") + _resumed("no-ioeventfd")
          + good("3bb0e2980a", ("mirror", "commit", "dataplane"), "A1") + bad("3bb0e2980a", "commit-no-ioeventfd", "A1")
          + good("3bb0e2980a", "commit-no-ioeventfd-qcow2", "A1") + turns("2398747128", "replace_node"),
          remarks=(
              "seen: a QEMU 7.2.22 whose trace log ends with the steps of the counterexample, in their order; and ten commits to a qcow2 base "
              "without it",)),
)  # fmt: skip


def find_claim(name: str) -> Claim:
    """The claim of this name; raises UnknownName with the nearest ones."""
    return named("claim", name, CLAIMS)


def decide_claims(claims: Iterable[Claim] = CLAIMS) -> Iterator[ClaimResult]:
    """Decide claims one after the other."""
    return (claim.decide() for claim in claims)
