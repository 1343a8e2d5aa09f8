"""`check-invariants log`: trace logs of real QEMUs, held against the drain rule."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.command("log", cls=Deferred)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--trace-events", "formats", metavar="FILE", help="How this QEMU prints its events: its trace-events-all."
)
@click.option(
    "--uprobes",
    "sidecars",
    metavar="SIDECAR",
    multiple=True,
    help="What perf or ftrace recorded of the drained sections of the QEMU that wrote FILE. Several: the first is of the first FILE, and so on.",
)
@click.option(
    "--follow", is_flag=True, help="Go on reading what is being written, also where the log is rotated, until Ctrl-C."
)
@click.option(
    "--against",
    "revisions",
    type=options.Named("revision"),
    multiple=True,
    metavar="REVISION",
    help="Is each window a run of this code base's model, with as many writes? May be given several times.",
)
@click.option(
    "--fits", is_flag=True, help="Of which code bases is each window a run? Those of the scenario, all of them."
)
@click.option(
    "--scenario", type=options.Named("scenario"), metavar="SCENARIO", help="The models' topology.  [default: mirror]"
)
@click.option(
    "--export",
    "output",
    type=options.OutputFile(),
    metavar="TRACE.json",
    help="Write the worst window as a trace of the first code base.",
)
@click.option(
    "--graph",
    "picture",
    type=options.OutputFile(),
    metavar="FILE",
    help="Draw why the first window that is none is no run of the code base: all candidates. The suffix says how: svg, png, dot, graphml, json.",
)
@click.option(
    "--html",
    type=options.OutputFile(),
    metavar="FILE",
    help="Write the explorer: each switch, to look at (see `report`).",
)
@options.budget
@options.as_json
def command() -> None:
    """Hold trace logs of real QEMUs against the drain rule.

    Each mirror or active-commit job in a log is followed to the moment at which it switches the guest's disk. No write of the guest may enter
    the block layer on the old disk between the job's last look at what is dirty (w) and the switch (c). For each switch: clean; held (writes
    waited, and went to the new disk); loss, with the sectors; assert (the log ends inside a broken window); broken (without anything lost
    that the guest was told is done); other abort; cannot tell, with what is missing. Logs may be packed (gzip, xz, zstandard), with or without
    times and threads; `-` reads standard input. The answer is the first line and the last.

    With --follow each switch is told when it comes. Ctrl-C ends that: the answer follows, and the exit code is that of what was found.

    With --uprobes each window also shows which drained sections of the disk are open at (w), at each (b) and at (c): the output of `perf script`
    or ftrace's trace file, with probes on bdrv_drained_begin and bdrv_drained_end, in the time of day. What has lost events makes no clean switch.

    With --against a window is also held against a model: is there a run that shows the same events in the same order, whatever it hides between
    them? If not, the longest part of it that is, what the model allows there instead, and which step it refuses. Where hidden steps may have led
    to several such places, all of these candidates are told, and --graph draws them with the ways there. What came of all windows together
    stands behind the answer. A window that is lost is written by --export as a trace, which `replay` runs on the reference core. Where --export or
    --graph find nothing to write, standard error says why, and the exit code is still the log's.

    The page of --html has the switches event by event, beside the log's own lines; with --follow it is written at the end.

    \b
    Exit codes: 0 every switch clean or held; 12 a loss, a broken window; 14 another abort, or a window
    is no run of a code base that was named; 30 cannot tell: no switch, events are missing,
    a model has fewer writes than a window, or no time or memory was left; 10 a code base that was
    named cannot run the scenario; 150 a known event that does not say what it should, or no line of a
    log; 130 Ctrl-C before a log was read to its end; 2 there is no such file (--follow waits for
    one), or a package for zstandard is missing.

    \b
    Example: check-invariants log trace.log
       Also: check-invariants log --follow /var/log/qemu/vm-trace.log
    """
