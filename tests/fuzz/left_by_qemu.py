"""What real programs leave behind, changed somewhere: logs, what was recorded beside them, backtraces."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.fuzz.changes import changed_lines, changed_text, changed_words, nasty
from tests.support.backtraces import STRANGERS, eu_stack, gdb
from tests.support.qemu_logs import Guest, made

__all__ = ["backtrace", "log", "sidecar"]


def log(random: Random, folder: Path) -> Sequence[str]:
    """A log of QEMU, changed somewhere, or the formats that its events are said to have."""
    guest = Guest(new=random.random() < 0.5, stamped=random.random() < 0.5, disks=random.randint(1, 2))
    words = (
        "acked",
        "failed",
        "late",
        "copy",
        *(("held",) if guest.new else ()),
        *(("other",) if guest.disks > 1 else ()),
    )
    rounds = [random.choices(words, k=random.randint(0, 3)) for _ in range(random.randint(0, 3))]
    text = b"\n".join(made(guest, rounds).lines).decode()
    formats = 'mirror_start(void *bs, void *s, void *opaque) "bs %p s %p opaque %p"\nhost(const char *a) "%s-->%s"\n'
    change = random.choice((changed_text, changed_lines, changed_words))
    if random.random() < 0.3:
        formats = change(formats, random)
    else:
        text = change(text, random)
    packed = random.choice((bytes, bytes, gzip.compress))(text.encode(errors="surrogatepass"))
    (folder / "trace.log").write_bytes(packed if random.random() < 0.8 else packed[: random.randrange(len(packed) + 1)])
    (folder / "formats").write_text(formats, encoding="utf-8", errors="surrogatepass")
    wanted = random.choice(((), ("--json",), ("--trace-events", "formats"), ("--html", "page.html")))
    return ["log", "trace.log", *wanted]


def sidecar(random: Random, folder: Path) -> Sequence[str]:
    """A log with what perf or ftrace recorded beside it, changed somewhere."""
    lines = made(Guest(new=random.random() < 0.5), [["acked"], []]).lines
    (folder / "trace.log").write_bytes(b"\n".join(lines))
    times = [line[2:].split(b":")[0].decode() for line in random.choices(lines, k=random.randint(0, 9))]
    probes = (
        "bdrv_drained_begin",
        "bdrv_drained_end",
        "bdrv_drained_begin__return",
        "bdrv_replace_node",
        "sched_switch",
    )
    forms = (
        "qemu 7 [001] {}: p:{}: (5d00) bs={}",
        "qemu-7 [001] DBZff {}: {}: (0x5d00) a={}",
        "PERF_RECORD_LOST lost {}",
    )
    text = "\n".join(
        random.choice(forms).format(time, random.choice(probes), f"0x55d0a000000{random.randrange(2)}")
        for time in times
    )
    change = random.choice((changed_text, changed_lines, changed_words))
    text = change(text or "#", random)
    (folder / "sections.txt").write_text(text, encoding="utf-8", errors="surrogatepass")
    return ["log", "trace.log", "--uprobes", "sections.txt", *random.choice(((), ("--json",)))]


def backtrace(random: Random, folder: Path) -> Sequence[str]:
    """A backtrace, of a known program or of another, changed somewhere."""
    calls = (
        "main",
        "main_loop_wait",
        "os_host_main_loop_wait",
        "g_main_context_dispatch",
        "aio_bh_poll",
        "mirror_run",
        "aio_poll",
        "ppoll",
    )
    stacks = [(nasty(random), random.choices(calls, k=random.randint(0, 9))) for _ in range(random.randint(0, 3))]
    text = random.choice((gdb(stacks), gdb(stacks, addresses=False), eu_stack(stacks), *STRANGERS[:3]))
    text = random.choice((changed_text, changed_lines, changed_words))(text or "#0 f ()", random)
    (folder / "bt.txt").write_text(text, encoding="utf-8", errors="surrogatepass")
    wanted = random.choice(((), ("--json",), ("-o", "out.json"), ("--top", "9")))
    return ["locate", "bt.txt", "--revision", "9a0cec664e", "--scenario", "mirror", *wanted]
