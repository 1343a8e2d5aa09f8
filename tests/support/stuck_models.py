"""Small models in which something waits for ever, each with one point: who waits for what, and who could have helped."""

from __future__ import annotations

from draincheck.lang import BoolVar, Model

__all__ = [
    "aborts", "bounded_queue", "drain_and_request", "either_friend", "ended_partner", "error_ahead", "lock_of_the_caller", "lost_wakeup",
    "nested_drain", "never_armed", "never_both", "never_enough", "out_of_range", "parked_coroutine", "place_never_reached", "spinner", "spinning_holder",
    "starved_reader", "swing", "three_in_a_circle", "too_late", "two_locks", "two_ways", "wrong_turn",
]  # fmt: skip


def two_locks(ordered: bool = False) -> Model:
    """A takes lock a, then b; B takes b, then a. With `ordered` both take a first."""
    m = Model("two locks")
    locks = {name: m.enum(f"lock {name}", "free", "A", "B") for name in "ab"}
    for name, order in (("A", "ab"), ("B", "ab" if ordered else "ba")):
        with m.thread(name) as p:
            for lock in order:
                p.do(f"takes {lock}", locks[lock].set(name), when=locks[lock].is_("free"))
            p.do("releases both", *(lock.set("free") for lock in locks.values()))
    m.final(m.at("A", "(ended)") & m.at("B", "(ended)"))
    m.no_deadlock()
    return m


def lost_wakeup(always: bool = False) -> Model:
    """The guest notifies only where the main loop has said that it sleeps; it looks too early. With `always` it does so in any case."""
    m = Model("lost wake-up")
    sleeping, notified = m.bool("sleeping"), m.bool("notified")
    with m.thread("guest") as p:
        if always:
            p.do("notifies", notified.set())
        else:
            with p.when(sleeping):
                p.do("notifies", notified.set())
    with m.thread("main loop") as p, p.call("main_loop_wait"), p.call("qemu_poll_ns"):
        p.do("is about to sleep", sleeping.set())
        p.wait("wake-up", notified)
    m.final(m.at("main loop", "(ended)"))
    m.no_deadlock()
    return m


def parked_coroutine(completes: bool = False) -> Model:
    """Main starts a request and waits for it; nobody enters it again. With `completes` main does."""
    m = Model("parked coroutine")
    done = m.bool("done")
    request = m.coroutine("request")
    with request as co, co.call("blk_co_preadv"):
        co.do("submits")
        co.yield_("in flight")
        co.do("completes", done.set())
    with m.thread("main") as p:
        p.enter(request)
        if completes:
            p.enter(request)
        p.wait("the request", done)
    m.final(done)
    m.no_deadlock()
    return m


def drain_and_request(counted: bool = True) -> Model:
    """A drain waits for a request that is counted and waits for the end of the drained section. Not counted, it is not waited for."""
    m = Model("drain and request")
    quiesced, in_flight = m.bool("quiesced"), m.int("in_flight", 0, 1)
    with m.thread("main thread") as p, p.call("bdrv_drained_begin"):
        p.do("quiesce", quiesced.set())
        p.wait("nothing in flight", in_flight.is_(0))
        p.do("resume", quiesced.clear())
    with m.thread("iothread") as p, p.call("blk_co_pwritev"):
        if counted:
            p.do("count", in_flight.inc())
        p.wait("the end of the section", ~quiesced)
        if counted:
            p.do("done", in_flight.dec())
    m.final(m.at("main thread", "(ended)") & m.at("iothread", "(ended)"))
    m.no_deadlock()
    return m


def starved_reader(strength: str = "weak") -> Model:
    """A writer that holds a lock again and again, and a reader that is only promised a turn if it could go on all the time."""
    m = Model("starved reader")
    locked, read = m.bool("locked"), m.bool("read")
    with m.thread("writer") as p, p.loop():
        p.do("locks", locked.set())
        p.do("unlocks", locked.clear())
    reader = m.thread("reader")
    with reader as p:
        p.do("reads", read.set(), when=~locked)
    m.fair(m.processes["writer"])
    m.fair(reader, "strong" if strength == "strong" else "weak")
    m.eventually("read in the end", read)
    return m


def ended_partner(items: int = 1) -> Model:
    """A consumer of two items, and a producer of so many, which ends."""
    m = Model("ended partner")
    there = m.int("items", 0, 2)
    with m.thread("producer") as p:
        for _ in range(items):
            p.do("makes one", there.inc())
    with m.thread("consumer") as p:
        for number in range(2):
            p.do(f"takes item {number}", there.dec(), when=there > 0)
    m.final(m.at("consumer", "(ended)"))
    m.no_deadlock()
    return m


def three_in_a_circle(started: bool = False) -> Model:
    """P waits for Q, Q for R, R for P."""
    m = Model("three in a circle")
    given = {name: m.bool(f"{name} is done", initial=started and name == "Q") for name in "PQR"}
    for name, other in zip("PQR", "QRP", strict=True):
        with m.thread(name) as p:
            p.wait(f"for {other}", given[other])
            p.do("done", given[name].set())
    m.final(given["P"] & given["Q"] & given["R"])
    m.no_deadlock()
    return m


def bounded_queue(takes: int = 1) -> Model:
    """A producer for ever, a queue of two places, and a consumer that takes so many."""
    m = Model("bounded queue")
    queued = m.int("queued", 0, 2)
    with m.thread("producer") as p, p.loop():
        p.do("puts", queued.inc(), when=queued < 2)
    with m.thread("consumer") as p:
        for _ in range(takes):
            p.do("takes", queued.dec(), when=queued > 0)
    m.no_deadlock()
    return m


def nested_drain() -> Model:
    """A job's coroutine drains by polling, on the stack of main; what it waits for can only be entered by main."""
    m = Model("nested drain")
    pending = m.bool("pending")
    request, job = m.coroutine("request"), m.coroutine("job")
    with request as co:
        co.do("submits", pending.set())
        co.yield_("in flight")  # parked by the drain
        co.do("completes", pending.clear())
    with job as co, co.call("mirror_run"), co.call("bdrv_drain"):
        co.wait("nothing pending", ~pending)
    with m.thread("main") as p, p.call("main_loop_wait"):
        p.enter(request)
        p.enter(job, place="in the job")
        p.enter(request)
    m.final(m.at("main", "(ended)"))
    m.no_deadlock()
    return m


def place_never_reached() -> Model:
    """One waits for the other to come to a place that it does not come to any more."""
    m = Model("a place")
    with m.thread("other") as p, p.either() as choice:
        with choice():
            p.do("goes the right way")
            p.wait("ready", m.at("one", "(ended)"))
        with choice():
            p.do("goes the wrong way")
            p.wait("elsewhere", m.at("one", "(ended)"))
    with m.thread("one") as p:
        p.wait("the other", m.at("other", "ready"))
    m.final(m.at("one", "(ended)"))
    m.no_deadlock()
    return m


def two_ways() -> Model:
    """A choice between two ways, each with demands that are false; one could be made true by somebody who waits himself."""
    m = Model("two ways")
    red, green, blue = m.bool("red"), m.bool("green"), m.bool("blue", initial=True)
    with m.thread("chooser") as p, p.either() as choice:
        with choice(when=red & blue):
            p.do("first")
        with choice(when=green & ~blue):
            p.do("second")
    with m.thread("painter") as p:
        p.wait("not blue", ~blue)
        p.do("paints", green.set())
    m.no_deadlock()
    return m


def spinner() -> Model:
    """One thread spins for ever, and nobody sets what the other waits for."""
    m = Model("spinner")
    flag, phase = m.bool("flag"), m.bool("phase")
    with m.thread("spins") as p, p.loop():
        p.do("round", phase.set(~phase))
    with m.thread("sleeps") as p, p.call("ppoll"):
        p.wait("the flag", flag)
    m.fair(m.processes["spins"])
    m.eventually("flag in the end", flag)
    return m


def swing() -> Model:
    """Two conditions that are never true together."""
    m = Model("swing")
    left, right, met = m.bool("left"), m.bool("right"), m.bool("met")
    with m.thread("swings") as p, p.loop():
        p.do("goes left", left.set(), right.clear())
        p.do("goes right", right.set(), left.clear())
    with m.thread("sits") as p:
        p.do("meets", met.set(), when=left & right)
    m.fair(m.processes["swings"])
    m.eventually("met in the end", met)
    return m


def wrong_turn(back: bool = False) -> Model:
    """After a wrong turn, and two steps that change nothing, a thread waits for what nobody sets; with `back` it returns."""
    m = Model("wrong turn")
    home, key = m.bool("home"), m.bool("key")
    with m.thread("walker") as p, p.either() as choice:
        with choice():
            p.do("turns right")
            p.do("comes home", home.set())
        with choice():
            p.do("turns left")
            p.do("walks")
            p.do("walks on")
            if not back:
                p.wait("the key", key)
            p.do("comes home late", home.set())
    m.can_always_finish("home stays in reach", home)
    return m


def lock_of_the_caller() -> Model:
    """Main holds a lock and enters a job that wants it; another thread wants it, too."""
    m = Model("lock of the caller")
    lock = m.enum("lock", "free", "main", "job", "other")
    job = m.coroutine("job")
    with job as co:
        co.do("takes", lock.set("job"), when=lock.is_("free"))
    with m.thread("main") as p:
        p.do("takes", lock.set("main"), when=lock.is_("free"))
        p.enter(job)
        p.do("gives", lock.set("free"))
    with m.thread("other") as p:
        p.do("takes", lock.set("other"), when=lock.is_("free"))
        p.do("gives", lock.set("free"))
    m.no_deadlock()
    return m


def never_armed() -> Model:
    """One tries for ever, which does something only where it is armed, and nobody arms it."""
    m = Model("never armed")
    _tried(m, m.bool("armed"))
    m.no_deadlock()
    return m


def _tried(m: Model, armed: BoolVar) -> None:
    """One tries for ever, and another waits for what comes of it where it is armed."""
    done = m.bool("done")
    with m.thread("tries") as p, p.loop():
        p.do("tries", done.set(armed | done))
    with m.thread("waits") as p:
        p.wait("for it", done)


def too_late(arms: bool = False) -> Model:
    """The same where somebody could have armed it, and walked off instead; or with `arms` did."""
    m = Model("too late")
    armed = m.bool("armed")
    with m.thread("decides") as p, p.either() as choice:
        with choice():
            p.do("arms", armed.set())
        if not arms:
            with choice():
                p.do("walks off")
    _tried(m, armed)
    m.no_deadlock()
    return m


def error_ahead(mends: bool = False) -> Model:
    """The one step that would help is an error where a part is missing; with `mends` somebody may bring it."""
    m = Model("error ahead")
    done, part = m.bool("done"), m.bool("part")
    with m.thread("builder") as p, p.atomic():
        p.do("builds", done.set())
        p.error("a part is missing", when=~part)
    waits = m.thread("waits")
    with waits as p:
        p.wait("for it", done)
    if mends:
        with m.thread("friend", may_stop=True) as p:
            p.do("brings it", part.set())
    m.fair(waits)
    m.eventually("done in the end", done)
    return m


def never_enough(more: bool = False) -> Model:
    """One waits for three, and another takes back whatever it has added, one at a time; with `more` it adds twice before."""
    m = Model("never enough")
    number = m.int("number", 0, 3)
    with m.thread("adds") as p, p.loop():
        p.do("adds", number.inc(), when=number < 3)
        if more:
            p.do("adds", number.inc(), when=number < 3)
        p.do("takes back", number.dec(), when=number > 0)
    with m.thread("waits") as p:
        p.wait("for three", number.is_(3))
    m.no_deadlock()
    return m


def out_of_range() -> Model:
    """The one step that would help leaves its variable's range, wherever it comes."""
    m = Model("out of range")
    done, number = m.bool("done"), m.int("number", 0, 1)
    with m.thread("builder", may_stop=True) as p:
        p.do("counts", number.inc())
        p.do("builds", number.inc(), done.set())
    with m.thread("waits") as p:
        p.wait("for it", done)
    m.progress()
    m.eventually("done in the end", done)
    return m


def spinning_holder(spins: bool = True) -> Model:
    """Who holds a lock spins (or waits) until a flag is set, and who would set it waits for the lock; so does somebody else."""
    m = Model("spinning holder")
    lock = m.enum("lock", "free", "holder", "setter", "bystander")
    flag, turn = m.bool("flag"), m.bool("turn")
    with m.thread("holder") as p:
        p.do("takes", lock.set("holder"), when=lock.is_("free"))
        if spins:
            with p.until(flag):
                p.do("spins", turn.set(~turn))
        else:
            p.wait("for the flag", flag)
        p.do("gives", lock.set("free"))
    for name in ("setter", "bystander"):
        with m.thread(name) as p:
            p.do("takes", lock.set(name), when=lock.is_("free"))
            if name == "setter":
                p.do("sets", flag.set())
            p.do("gives", lock.set("free"))
    m.no_deadlock()
    return m


def either_friend() -> Model:
    """Two wait for each other, one of them also for a friend who would do as well, and may stop."""
    m = Model("either friend")
    mine, yours, his = m.bool("mine"), m.bool("yours"), m.bool("his")
    with m.thread("one") as p:
        p.wait("for you", yours)
        p.do("gives", mine.set())
    with m.thread("other") as p:
        p.wait("for either", mine | his)
        p.do("gives", yours.set())
    with m.thread("friend", may_stop=True) as p:
        p.do("helps", his.set())
    m.progress()
    m.eventually("all is well", yours)
    return m


def aborts() -> Model:
    """A program that may abort while one waits, and another has ended."""
    m = Model("aborts")
    flag, over = m.bool("flag"), m.bool("over")
    with m.thread("ends") as p:
        p.do("is over", over.set())
    with m.thread("decides") as p:
        p.wait("until that is over", over)
        with p.either() as choice:
            with choice():
                p.abort("gives up")
            with choice():
                p.do("goes on", flag.set())
    with m.thread("waits") as p:
        p.wait("for the flag", flag)
    m.progress()
    m.eventually("flag in the end", flag)
    return m


def never_both(both: bool = False) -> Model:
    """Two conditions, of which one is true: the one who would make the other true takes it back, and may stop; with `both` it does not."""
    m = Model("never both")
    left, right, met = m.bool("left", initial=True), m.bool("right"), m.bool("met")
    with m.thread("swings", may_stop=True) as p:
        p.do("goes right", right.set(), *([] if both else [left.clear()]))
    with m.thread("sits") as p:
        p.do("meets", met.set(), when=left & right)
    m.progress()
    m.eventually("met in the end", met)
    return m
