"""The commit message of ab27c3b5e7, sentence by sentence (abridged), and the claims that decide each."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

__all__ = ["MESSAGE", "Sentence"]


class Sentence(Struct, frozen=True):
    """A sentence of the message, abridged, and the names of the claims that decide what it says."""

    text: str
    claims: tuple[str, ...]


MESSAGE: Final = (
    Sentence("5a7e7a0ba moved mirror_exit to a BH and added no protection against requests just before it", ("opens",)),
    Sentence("for example, at that commit: the first drawing", ("drawing",)),
    Sentence("at (a) the BDS has no pending request", ("quiet",)),
    Sentence("the same main_loop_wait will dispatch iohandlers, which may lead to new I/O", ("drawing",)),
    Sentence("so the invariant is already broken at (c)", ("drawing",)),
    Sentence("data loss", ("opens",)),
    Sentence("f3926945c8 made iohandlers use the AIO API", ("unordered",)),
    Sentence("the order of handler and defer within a main_loop_wait becomes unpredictable", ("unordered",)),
    Sentence("if the event arrives at the next call, so does the order of mirror_exit and the handler", ("case-2",)),
    Sentence("this commit made the bug easier to trigger", ("easier",)),
    Sentence("bug case 1: its drawing", ("case-1",)),
    Sentence("bug case 2: its drawing", ("case-2",)),
    Sentence("in both cases (b) breaks the invariant wanted by (a) and (c)", ("case-1", "case-2")),
    Sentence("until then the loss has been silent", ("silent",)),
    Sentence("3f09bfbc7b added asserts at (c); an active commit under load was first to fail there", ("asserts",)),
    Sentence("2.5 added bdrv_drained_begin at (a) to protect dataplane", ("dataplane",)),
    Sentence("but we never realized the main loop bug until now", ("realized",)),
    Sentence("this patch disables iohandlers' external events temporarily, together with bs->ctx", ("bandage", "temporarily", "together")),
)  # fmt: skip
