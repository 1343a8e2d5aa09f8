"""GSources, and how g_main_context_dispatch goes through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from draincheck.lang import BoolExpr, Process, any_

__all__ = ["GSource", "dispatch"]


class GSource(Struct, frozen=True):
    """A GSource: whether this iteration has found it ready (read by the main thread only), and its dispatch."""

    ready: BoolExpr
    dispatch: Callable[[], None]


def dispatch(p: Process, sources: Sequence[GSource], any_order: bool = False) -> None:
    """Dispatch every ready source once, in attach order (what GLib does) or in any (what its API promises)."""
    if not any_order:
        for source in sources:
            with p.when(source.ready, local=True):
                source.dispatch()
        return
    with p.loop(), p.either() as choice:
        for source in sources:
            with choice(when=source.ready):
                source.dispatch()
        with choice(when=~any_(*(source.ready for source in sources))):
            p.break_()
