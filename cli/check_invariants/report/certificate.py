"""`check-invariants certificate`: what it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from check_invariants.claimed import claimed
from check_invariants.exit import ExitCode
from check_invariants.output import counted
from check_invariants.work.certificate import CheckedFile

__all__ = ["summary_of", "to_json", "to_text"]


def to_text(item: CheckedFile) -> str:
    """What came of a file, in a line for each reason."""
    if item.code is ExitCode.OK and item.header is not None:
        solvers = " and ".join(verdict.solver for verdict in item.verdicts)
        asked = item.verdicts[0].queries
        queries = f"{asked} {'query' if asked == 1 else 'queries'}"
        return f"{item.file}: accepted by {solvers} ({queries}): {claimed(item.header.claims)} in {item.header.model}\n"
    reasons = [verdict.reason for verdict in item.verdicts if not verdict.accepted]
    return "".join(
        f"{item.file}: {item.word.upper()}: {reason}\n" for reason in dict.fromkeys(reasons or [item.problem])
    )


def summary_of(found: Sequence[CheckedFile], solvers: Sequence[str], complete: bool) -> str:
    """What came of all of them, in a line."""
    tally = Counter(item.word for item in found)
    words = [f"{number} {word}" for word, number in tally.items()]
    asked = sum(verdict.queries for item in found for verdict in item.verdicts)
    end = "; every verdict of the default matrix that needs a certificate has one" if complete else ""
    return f"{counted(len(found), 'certificate')}, {' and '.join(solvers)}: {', '.join(words)}; {asked} queries answered{end}\n"


def to_json(item: CheckedFile) -> dict[str, Any]:
    """What came of a file, as JSON values."""
    header = item.header
    return {
        "file": item.file,
        "outcome": item.word,
        "model": None if header is None else header.model,
        "claims": [] if header is None else [{"property": c.property, "verdict": c.verdict} for c in header.claims],
        "problem": item.problem,
        "solvers": [
            {
                "solver": verdict.solver,
                "accepted": verdict.accepted,
                "undecided": verdict.undecided,
                "reason": verdict.reason,
                "queries": verdict.queries,
            }
            for verdict in item.verdicts
        ],
    }
