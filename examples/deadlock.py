"""A deadlock: two threads that take the same two locks, each in an order of its own.

Here they are the big QEMU lock (BQL) and an AioContext's. `ordered` has both threads take them in the same order; `gives_up` has the
IOThread let go of its lock when it does not get the other one: nobody is stuck then, but nobody has promised that it ever comes through.

    check-invariants check examples/deadlock.py                   # all variants, against what is expected of them
    check-invariants check examples/deadlock.py:deadlock          # 13: who waits for whom
    check-invariants sweep examples/deadlock.py:deadlock --property "no deadlock"
"""

from draincheck.lang import EnumVar, Model, Process, variant


def take(p: Process, lock: EnumVar, who: str) -> None:
    """Wait until nobody has a lock, and take it."""
    p.do(f"take {lock.name}", lock.set(who), when=lock.is_("free"))


@variant("bug", expect={"no deadlock": "violated", "both get through": "violated"})
@variant("ordered", ordered=True)
@variant("gives up", gives_up=True, expect={"both get through": "violated"})
def deadlock(ordered: bool = False, gives_up: bool = False) -> Model:
    """The main thread takes the BQL first; the IOThread the AioContext's lock, unless the order is the same for both."""
    m = Model("two locks")
    bql, context = (m.enum(name, "free", "main thread", "iothread") for name in ("BQL", "AioContext lock"))
    through = {name: m.bool(f"{name} is through") for name in ("main thread", "iothread")}
    with m.thread("main thread") as p, p.call("bdrv_drain_all"):
        take(p, bql, "main thread")
        take(p, context, "main thread")
        p.do("drain", through["main thread"].set())
        p.do("let go of both", context.set("free"), bql.set("free"))
    with m.thread("iothread") as p, p.call("virtio_blk_data_plane_stop"), p.loop():
        first, second = (bql, context) if ordered else (context, bql)
        take(p, first, "iothread")
        with p.either() as choice:
            with choice():
                take(p, second, "iothread")
                p.do("stop", through["iothread"].set())
                p.do("let go of both", context.set("free"), bql.set("free"))
                p.break_()
            if gives_up:
                with choice(when=~second.is_("free")):
                    p.do("let go and try again", first.set("free"))
    m.progress()
    m.eventually("both get through", through["main thread"] & through["iothread"])
    m.no_deadlock()
    return m
