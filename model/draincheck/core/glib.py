"""GLib's main context, as far as QEMU's main loop uses it: prepare, query, check, dispatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from draincheck.core.aio import AioContext, Pollable
from draincheck.core.host import Host

__all__ = ["GMainContext", "GPollFD", "GSource", "PollFD", "aio_source"]


class PollFD(Protocol):
    """A descriptor to poll, and what was found (an AioHandler embeds one)."""

    fd: Pollable
    revents: bool


class GPollFD:
    """A descriptor to poll."""

    __slots__ = ("fd", "revents")

    def __init__(self, fd: Pollable) -> None:
        self.fd = fd
        self.revents = False


class GSource:
    """Something the main context polls and dispatches. All of QEMU's here have the default priority."""

    __slots__ = ("check", "dispatch", "name", "pollfds", "prepare", "ready")

    def __init__(
        self,
        name: str,
        prepare: Callable[[], bool],
        check: Callable[[], bool],
        dispatch: Callable[[], None],
        pollfds: Callable[[], Sequence[PollFD]],
    ) -> None:
        self.name = name
        self.prepare, self.check, self.dispatch, self.pollfds = prepare, check, dispatch, pollfds
        self.ready = False


def aio_source(ctx: AioContext) -> GSource:
    """aio_get_g_source: the context as a GSource. GLib polls all its descriptors, external or not."""
    return GSource(ctx.name, ctx.aio_ctx_prepare, ctx.aio_ctx_check, ctx.aio_ctx_dispatch, lambda: ctx.handlers)


class GMainContext:
    """The default main context: sources in attach order."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.sources: list[GSource] = []

    def g_source_attach(self, source: GSource) -> None:
        """Append a source: at equal priority GLib looks at sources in the order in which they were attached."""
        self.sources.append(source)

    def g_main_context_prepare(self) -> bool:
        """Ask every source whether it is ready already; true if one is, so that the poll must not sleep."""
        for source in self.sources:
            source.ready = source.prepare()
        return any(source.ready for source in self.sources)

    def g_main_context_query(self) -> list[PollFD]:
        """All descriptors to poll."""
        return [pollfd for source in self.sources for pollfd in source.pollfds()]

    def g_main_context_check(self, fds: Sequence[PollFD], polled: Sequence[bool]) -> bool:
        """Store what the poll has found and ask the sources that were not ready; true if one is ready now."""
        for pollfd, revents in zip(fds, polled, strict=True):
            pollfd.revents = revents
        for source in self.sources:
            if not source.ready:
                source.ready = source.check()
        return any(source.ready for source in self.sources)

    def dispatch_order(self) -> list[GSource]:
        """The sources in the order in which a dispatch looks at them."""
        return self.sources

    def g_main_context_dispatch(self) -> None:
        """Dispatch every ready source once, in attach order; or, where only the API's promise counts, in any order."""
        if self.host.knobs.order == "any":
            self._dispatch_in_any_order()
            return
        self.host.point()
        for source in self.dispatch_order():
            self.host.between()
            if source.ready:
                self._dispatch(source)
            else:
                self.host.looked()

    def _dispatch_in_any_order(self) -> None:
        while True:
            self.host.loop_head()
            ready = {source.name: source for source in self.sources if source.ready}
            if not ready:
                self.host.point()
                return
            self._dispatch(ready[self.host.choose(*ready)])

    def _dispatch(self, source: GSource) -> None:
        source.ready = False
        source.dispatch()
