"""Coroutines that have a home: the context in whose thread they run again, whoever wakes them; and their sleep."""

from __future__ import annotations

from msgspec import Struct

from draincheck.eventloop.bottom_half import BottomHalf
from draincheck.eventloop.timer import Timer
from draincheck.lang import BoolExpr, Coroutine, EnumVar, Process, Update

__all__ = ["CoSleep", "HomedCoroutine"]


class HomedCoroutine(Struct, frozen=True):
    """A coroutine that runs in its home. There it is entered at once; from elsewhere it is scheduled, and home enters it.

    Attributes:
        coroutine: what runs.
        home: the name of its context; absent where it always is the same one.
        comes_back: the bottom half of its home that enters it again: aio_co_schedule's, or one of its own.
        waits: the name, for `at`, of where whoever has entered it waits for it; "" for none.
    """

    coroutine: Coroutine
    home: EnumVar
    comes_back: BottomHalf
    waits: str = ""

    @property
    def parked(self) -> BoolExpr:
        """It has yielded, and nothing is going to enter it yet."""
        return self.coroutine.can_be_entered & ~self.comes_back.pending

    def enter(self, p: Process) -> None:
        """qemu_coroutine_enter: run it in this thread until it yields or ends."""
        p.enter(self.coroutine, "qemu_coroutine_enter", place=self.waits)

    def wake(self, p: Process, here: str) -> None:
        """aio_co_wake, in the thread of a context: enter it if that is its home, else schedule it there.

        An error of the run if it is scheduled already: QEMU aborts then, in aio_co_schedule and in qemu_coroutine_enter.
        """
        p.error(
            f"Co-routine was already scheduled: {self.coroutine.name}",
            when=self.comes_back.pending,
            violates="coroutines scheduled once",
        )
        with p.when(self.home.is_(here)):
            self.enter(p)
        with p.otherwise():
            p.do("aio_co_schedule", *self.comes_back.schedule())

    def yield_to(self, callback: str, place: str, *besides: Update) -> None:
        """Have a bottom half of its home enter it again, and yield at a place until then. `besides` are updates of the same step."""
        self.coroutine.do(f"schedule {callback}", *self.comes_back.schedule(), *besides)
        self.coroutine.yield_(place, "qemu_coroutine_yield")


class CoSleep(Struct, frozen=True):
    """qemu_co_sleep: a coroutine yields until its timer enters it again; who wants it earlier deletes the timer.

    Attributes:
        sleeper: who sleeps.
        timer: it is armed while the coroutine is at the place.
        place: where the coroutine has yielded while it sleeps.
    """

    sleeper: HomedCoroutine
    timer: Timer
    place: str = "sleep"

    @property
    def asleep(self) -> BoolExpr:
        """It sleeps, or its time has come and nobody has entered it yet."""
        return self.sleeper.coroutine.at(self.place)

    @property
    def may_end(self) -> BoolExpr:
        """The time may come now."""
        return self.asleep & self.timer.may_expire

    def begin(self, label: str) -> None:
        """Sleep."""
        self.sleeper.coroutine.yield_(self.place, label)

    def run_timer(self, p: Process) -> None:
        """The timer's callback, if its time has come."""
        with p.when(self.timer.due):
            p.do("the job's sleep is over", *self.timer.taken())
            self.sleeper.enter(p)

    def interrupt(self, p: Process) -> None:
        """Enter it at once if it sleeps."""
        with p.when(self.asleep):
            p.do("the sleep timer is deleted", *self.timer.taken())
            self.sleeper.enter(p)
