"""`check-invariants qemu`: a real QEMU, driven."""

from __future__ import annotations

import click

from check_invariants import options
from check_invariants.deferred import Deferred


@click.group("qemu")
def command() -> None:
    """Drive a real QEMU, and hold its log against what the guest reads back."""


@command.command("run", cls=Deferred)
@click.option("--mode", type=click.Choice(["mirror", "commit"]), default="mirror", show_default=True, help="Which job.")
@click.option(
    "--disks",
    type=click.IntRange(1, 4),
    default=1,
    show_default=True,
    metavar="N",
    help="How many disks, each with a job.",
)
@click.option("--iothread", is_flag=True, help="The disks are in an IOThread.")
@click.option(
    "--ioeventfd",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="Kicks are host notifiers, or run the queue handler.",
)
@click.option("--stop", is_flag=True, help="The VM is stopped, and goes on, around each pivot.")
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="How many jobs of each disk.",
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Which blocks are written when.")
@click.option(
    "--qemu", "binary", default="qemu-system-x86_64", show_default=True, metavar="PROGRAM", help="The QEMU to drive."
)
@click.option("-o", "--output", metavar="FOLDER", help="Keep the log, and what was read back, in a new folder.")
@options.timeout()
@options.as_json
def run() -> None:
    """Mirror or commit disks under load, and read back.

    Starts a QEMU without a guest's operating system (a parked CPU, disks whose rings are written from here), mirrors or commits each disk
    again and again while it is written to, and reads every acknowledged block back behind each pivot. The trace log is judged as `log`
    does, and both are compared. QEMU comes with `apt-get install qemu-system-x86`, the package that speaks QMP with `pip install qemu.qmp`.

    \b
    Exit codes: those of `log` for the log that was written; 10 what was read back differs from what the
    log says; 2 there is no QEMU, or it does not start.

    \b
    Example: check-invariants qemu run --ioeventfd off --rounds 40
    """
