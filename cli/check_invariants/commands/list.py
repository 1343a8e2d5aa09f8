"""`check-invariants list`: the tables that the other commands take names from."""

from __future__ import annotations

import click

from check_invariants.options import json_option
from check_invariants.output import Column, Table, emit, emit_json, emit_table

__all__ = ["command"]


@click.command("list")
@click.argument("what", type=click.Choice(["revisions", "scenarios", "properties", "knobs", "claims"]))
@json_option
def command(what: str, as_json: bool) -> None:
    """List revisions, scenarios, properties, knobs or claims.

    \b
    Exit codes: 0; 2 wrong arguments.

    \b
    Example: check-invariants list knobs
    """
    from check_invariants.work.list import NOTES, TABLES, cell_text

    headers, rows = TABLES[what]()
    if as_json:
        emit_json("list", {"list": what, "items": rows})
        return
    # on a narrow terminal wide columns are cut first, then those on the right are left out
    columns = [Column(header, give_way=index, least=30) for index, header in enumerate(headers.values())]
    emit_table(Table(columns, [[cell_text(row[key]) for key in headers] for row in rows]))
    if what in NOTES:
        emit(f"\n{NOTES[what]}\n")
