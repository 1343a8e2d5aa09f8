"""A lost wakeup: a consumer that looks, finds nothing and goes to sleep, while the item comes in between.

The producer wakes whoever sleeps *now*; who goes to sleep a moment later has missed it and sleeps for ever, with an item in the queue. The
usual repair is to announce the sleep first and to look once more behind that (`recheck`), as QEMU's event loops do with `notify_me`.

    check-invariants check examples/lost_wakeup.py                # all variants, against what is expected of them
    check-invariants check examples/lost_wakeup.py:lost_wakeup --set items=1..3  # 13: an item waits for ever
    check-invariants why examples/lost_wakeup.py:lost_wakeup --property "every item is handled"
"""

from typing import Final

from draincheck.lang import Expected, Model, variant

ASLEEP: Final[dict[str, Expected]] = {
    "every item is handled": "violated",
    "nobody sleeps beside an item": "violated",
    "no deadlock": "violated",
}


@variant("bug", expect=ASLEEP)
@variant("bug, three items", items=3, expect=ASLEEP)
@variant("fixed", recheck=True)
@variant("fixed, three items", recheck=True, items=3)
def lost_wakeup(recheck: bool = False, items: int = 1) -> Model:
    """A producer of so many items and their consumer, which looks again after it has announced its sleep, or does not."""
    m = Model("lost wakeup")
    queued, handled = m.int("queued", 0, items), m.int("handled", 0, items)
    asleep = m.bool("asleep")  # announced: whoever produces something wakes the consumer
    with m.thread("producer") as p, p.call("produce"):
        for _ in range(items):
            p.do("put an item into the queue", queued.inc())
            p.do("wake the consumer if it sleeps", asleep.clear())
    with m.thread("consumer") as p, p.call("consume"), p.loop():
        with p.when(queued.is_(0), text="the queue is empty"):
            p.do("announce the sleep", asleep.set())
            if recheck:
                with p.when(queued > 0, text="an item came meanwhile"):
                    p.do("stay awake", asleep.clear())
            p.wait("sleep", ~asleep)
        with p.otherwise():
            p.do("take an item", queued.dec())
            p.do("handle it", handled.inc())
    m.progress()  # both go on while they can
    m.eventually("every item is handled", handled.is_(items))
    m.stays_reachable("nobody sleeps beside an item", ~asleep | queued.is_(0))
    m.final(handled.is_(items))  # the consumer may sleep when all is done
    m.no_deadlock()
    return m
