"""`check-invariants prove`: what it shows."""

from __future__ import annotations

from typing import Any

import click
from msgspec.structs import asdict

from check_invariants.claimed import claimed
from check_invariants.limited import as_far_as_modelled
from check_invariants.output import STDOUT, counted, emit, emit_json, write_to
from check_invariants.work.prove import Proven, ProvenMatrix, by_reason

__all__ = ["deliver", "show_matrix"]


def deliver(found: Proven, path: str, as_json: bool) -> None:
    """Write the certificate, and say so; beside one that goes to standard output only standard error is left for that."""
    write_to(path, found.certificate.text)
    if as_json:
        emit_json("prove", _json(found, path))
    elif path == STDOUT:
        click.echo(_text(found, "standard output"), nl=False, err=True)
    else:
        emit(_text(found, path))


def _text(found: Proven, where: str) -> str:
    header = found.certificate.header
    lines = [
        f"{where}: {counted(len(found.certificate.text), 'byte')}: {claimed(header.claims)} in {header.model} ({found.how})",
        *(f"not certified: {line}" for line in by_reason(found.missing)),
    ]
    return "".join(f"{line}\n" for line in lines) + as_far_as_modelled(found.selected, found.claims)


def _json(found: Proven, path: str) -> dict[str, Any]:
    header = found.certificate.header
    return {
        "model": header.model,
        "digest": header.digest,
        "file": path,
        "k": header.k,
        "claims": [
            {"property": name, "verdict": verdict.value, "limits": list(found.selected.limits(name, verdict))}
            for name, verdict in found.claims
        ],
        "missing": [{"property": item.property, "reason": item.reason} for item in found.missing],
        "exit_code": int(found.code),
    }


def show_matrix(done: ProvenMatrix, as_json: bool) -> None:
    """Print what the certificates of the default matrix come to."""
    if as_json:
        emit_json("prove-matrix", _matrix_json(done))
    else:
        emit(_matrix_text(done))


def _matrix_text(done: ProvenMatrix) -> str:
    numbers, size = done.numbers, sum(item.size for item in done.written)
    lines = [
        f"{done.directory}: {counted(len(done.written), 'certificate')}, {size} bytes",
        f"{counted(numbers.rows, 'row')}, {counted(numbers.systems, 'distinct system')}, {counted(numbers.states, 'state')}; verdicts:",
        f"  {numbers.holds:5} hold: certified",
        f"  {done.limited:5} of these as far as modelled: `check-invariants matrix --full` says what is left out",
        f"  {numbers.unreachable:5} goals out of reach: certified",
        f"  {numbers.violated:5} violated: these have counterexamples instead, which `check-invariants check` prints",
        *([f"  {numbers.unknown:5} unknown"] if numbers.unknown else []),
        "liveness is no part of the matrix, and there are no certificates for it",
        *(f"NOT CERTIFIED: {line}" for line in done.missing),
    ]
    return "".join(f"{line}\n" for line in lines)


def _matrix_json(done: ProvenMatrix) -> dict[str, Any]:
    files = [
        {
            "file": item.file,
            "bytes": item.size,
            "model": item.header.model,
            "digest": item.header.digest,
            "properties": [claim.property for claim in item.header.claims],
        }
        for item in done.written
    ]
    numbers = {**asdict(done.numbers), "limited": done.limited}
    return {**numbers, "files": files, "missing": list(done.missing), "exit_code": int(done.code)}
