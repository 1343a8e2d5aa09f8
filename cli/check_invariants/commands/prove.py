"""`check-invariants prove`: certificates for what holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from check_invariants.exit import EmptySelection, ExitCode
from check_invariants.options import json_option, property_option, selectors
from check_invariants.output import counted, emit, emit_json, write_to

__all__ = ["command"]


@click.command("prove")
@selectors
@property_option(of_matrix=False)
@click.option("-o", "--output", metavar="FILE", help="Where to write it.  [default: MODEL.smt2 in this directory]")
@json_option
@click.pass_context
def command(
    ctx: click.Context, /, *, properties: Sequence[str], output: str | None, as_json: bool, **selectors: Any
) -> None:
    """Write a certificate of what holds.

    An SMT-LIB script with an inductive invariant: the reachable states, as a decision diagram. `certificate check` has
    its queries answered by z3 or cvc5; so can anybody else. Without --property: everything that holds.

    \b
    Exit codes: 0 written; 10 a property does not hold, or nothing holds; 150 the model is malformed;
    2 wrong arguments, or the output cannot be written.

    \b
    Example: check-invariants prove --revision 9a0cec664e -o 9a0cec664e.smt2
    """
    from check_invariants.judge import compiled
    from check_invariants.selection import chosen_properties, select
    from draincheck.certificate import CertificateError, make

    selected = select(properties=properties, **selectors)
    system = compiled(selected)
    chosen_properties(system, properties)
    try:
        made = make(system, list(properties) or None, source=selected.source())
    except CertificateError as error:
        raise EmptySelection(f"{system.name}: {error}") from error
    names = [claim.property for claim in made.header.claims]
    if not names:
        raise EmptySelection(f"{system.name}: nothing holds, so there is nothing to certify")
    path = output or str(Path(system.name.replace(" / ", "-").replace("/", "-") + ".smt2"))
    write_to(path, made.text)
    if as_json:
        emit_json("prove", {"model": system.name, "file": path, "properties": names, "exit_code": int(ExitCode.OK)})
    else:
        emit(f"{path}: {counted(len(made.text), 'byte')}, certifies {', '.join(names)} of {system.name}\n")
    ctx.exit(ExitCode.OK)
