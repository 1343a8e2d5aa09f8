"""AioContexts: the handlers of descriptors, the counter that masks external ones, and `aio_notify`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from draincheck.lang import FALSE, TRUE, BoolExpr, BoolVar, IntVar, Process, Update, any_, ite

__all__ = ["AioContext", "FdHandler", "Rules"]


class Rules(Protocol):
    """What a code base does about handlers that are external. It is asked late: only where an answer makes a difference."""

    @property
    def walk_checks_external(self) -> bool:
        """The walk of handlers, and `aio_ctx_check`, pass over disabled ones (37989ced44)."""
        ...

    @property
    def poll_set_checks_external(self) -> bool:
        """The poll set of aio_poll leaves disabled ones out (c1e1e5fa8f)."""
        ...

    @property
    def poll_walks(self) -> str:
        """A nested aio_poll walks the handlers `always`, or only `if_ready` (721671ade7): if it has found one ready."""
        ...

    @property
    def busy_poll(self) -> str:
        """Busy polling asks handlers for work: `none`, `ignores` (disabled ones, too: 684e508c23), `honours` (59c9f437c5)."""
        ...


class FdHandler(Struct, frozen=True):
    """The handler of an eventfd.

    Attributes:
        eventfd: somebody has written it, and nobody has read it.
        revents: the readiness that a poll has found and no dispatch has consumed.
    """

    eventfd: BoolVar
    revents: BoolVar

    @property
    def io_poll(self) -> BoolExpr:
        """There is work, whether or not the eventfd says so: what busy polling looks at."""
        return FALSE


H = TypeVar("H", bound=FdHandler)


class AioContext(Struct, Generic[H], frozen=True, dict=True):
    """An event loop's context.

    Attributes:
        name: QEMU's name for it.
        rules: the code base's.
        handlers: the descriptors that are registered here, in that order.
        disable_count: `external_disable_cnt`; absent in code bases that never count.
        external: its handlers are marked external; False without a handler or a counter, where nothing asks for it.
        notified: an `aio_notify` that enabling external events caused and nobody has noticed yet; absent where enabling never notifies.
        removed: its handlers have been taken out; absent where nobody does that.
    """

    name: str
    rules: Rules
    handlers: tuple[H, ...]
    disable_count: IntVar
    external: bool
    notified: BoolVar
    removed: BoolVar

    @cached_property
    def enabled(self) -> BoolExpr:
        """Handlers here may be polled: they are (still) registered, and the disable counter allows it."""
        return ~self.removed & self.disable_count.is_(0) if self.external else ~self.removed

    @property
    def allowed(self) -> BoolExpr:
        """The walk may run the handlers."""
        enabled = self.enabled
        return enabled if enabled is TRUE or self.rules.walk_checks_external else TRUE

    @property
    def polled(self) -> BoolExpr:
        """The poll set of aio_poll has the handlers."""
        enabled = self.enabled
        return enabled if enabled is TRUE or self.rules.poll_set_checks_external else ~self.removed

    @property
    def readable(self) -> BoolExpr:
        """Some handler's descriptor is."""
        return any_(*(handler.eventfd for handler in self.handlers))

    @property
    def found(self) -> BoolExpr:
        """A poll has found some handler's descriptor readable."""
        return any_(*(handler.revents for handler in self.handlers))

    @property
    def busy_polled(self) -> BoolExpr:
        """An aio_poll of now finds work before it polls any descriptor.

        aio-posix.c: try_poll_mode ends with run_poll_handlers_once, in each call from 684e508c23 on, even one that may not block.
        """
        return any_(*(self.finds_work(handler) for handler in self.handlers))

    def finds_work(self, handler: H) -> BoolExpr:
        """Busy polling of now would run this handler; from 59c9f437c5 on only enabled ones are asked."""
        if self.rules.busy_poll == "none":
            return FALSE
        return handler.io_poll & (self.enabled if self.rules.busy_poll == "honours" else ~self.removed)

    def disable(self, when: BoolExpr = TRUE) -> Update:
        """aio_disable_external, where a condition holds."""
        return self.disable_count.inc(when)

    def enable(self) -> list[Update]:
        """aio_enable_external; the last one tells the context to look again, if the code base does."""
        return [self.give_back(), self.tell_if_last()]

    def give_back(self, when: BoolExpr = TRUE) -> Update:
        """The first half of aio_enable_external, where a condition holds: count."""
        return self.disable_count.dec(when)

    def tell_if_last(self, when: BoolExpr = TRUE) -> Update:
        """The second half, over the counter before it: aio_notify, if it is the last one."""
        return self.notified.set(self.notified | (self.disable_count.is_(1) & when))

    def sampled(self, found: BoolExpr = TRUE) -> list[Update]:
        """What a poll stores: the readiness of all descriptors, where a condition holds."""
        return [h.revents.set(ite(found, h.eventfd, h.revents)) for h in self.handlers]

    def consumed(self) -> list[Update]:
        """All readiness is gone."""
        return [handler.revents.clear() for handler in self.handlers]

    def run_fd_handlers(self, p: Process, run: Callable[[H], None]) -> None:
        """The walk of aio_dispatch, last registered first: run handlers that are ready and allowed, consume all readiness (in one step)."""
        for handler in reversed(self.handlers):
            with p.when(handler.revents & self.allowed):
                run(handler)
        p.do("revents consumed", *self.consumed(), choice=self.name)
