"""Character devices of the main loop: the monitor's socket, and one through which a kick may arrive."""

from __future__ import annotations

from collections.abc import Callable

from draincheck.core.glib import GPollFD, GSource
from draincheck.core.host import Host

__all__ = ["Chardev"]


class Chardev:
    """A socket with a GSource. `readable`: its peer has sent something that has not been read."""

    def __init__(self, host: Host, name: str, frontend: Callable[[], None]) -> None:
        self.host = host
        self.name = name
        self.frontend = frontend
        self.readable = False
        self.pollfd = GPollFD(self)
        pollfds = (self.pollfd,)
        self.source = GSource(name, io_watch_poll_prepare, self.io_watch_poll_check, self.tcp_chr_read, lambda: pollfds)

    def io_watch_poll_check(self) -> bool:
        """The poll has found the socket readable."""
        return self.pollfd.revents

    def tcp_chr_read(self) -> None:
        """Read what has come, let the frontend do it, and answer."""
        self.readable = self.pollfd.revents = False
        self.host.event("%s reads", self.name)
        self.frontend()
        self.host.note("%s answers", self.name)

    def send(self) -> None:
        """The peer sends something."""
        self.readable = True


def io_watch_poll_prepare() -> bool:
    """Only the poll can tell."""
    return False
