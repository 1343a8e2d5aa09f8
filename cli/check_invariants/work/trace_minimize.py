"""`check-invariants trace minimize`: what it does and shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from check_invariants import standard
from check_invariants.documents import Document, emit_json
from check_invariants.exit import Diverged, ExitCode
from check_invariants.files import check_output, write_to
from check_invariants.judge import asking
from check_invariants.options import STDOUT
from check_invariants.output import Counter, emit
from check_invariants.trace_formats import TRACE_FORMATS, Exhibit, trace_format_of
from check_invariants.work.trace import Followed
from draincheck import TraceError
from draincheck.analysis.minimal import MINIMIZING_LIMITS, Minimal, minimized
from draincheck.analysis.switches import Cost
from draincheck.report.jsontrace import trace_to_json
from draincheck.verdict import Limits
from draincheck.words import counted

if TYPE_CHECKING:
    from check_invariants.selectors import OwnModel


def command(file: str, *, max_states: int | None, output: str, as_json: bool, **own: Unpack[OwnModel]) -> ExitCode:
    """Make the trace in a file smaller."""
    check_output(output, [file])
    _, subject, run, outcome = Followed.of(file, **own)
    counter = Counter("state")
    with asking(subject.title, counter, "after {} there is no smaller trace"):
        try:
            found = minimized(run, MINIMIZING_LIMITS if max_states is None else Limits(states=max_states), counter)
        except TraceError as error:
            raise Diverged(f"{file}: {error}") from error
    code = ExitCode.INCONCLUSIVE if found.stopped else ExitCode.OK
    verdict = found.outcome if outcome is None else outcome
    if output != STDOUT or not as_json:
        form = TRACE_FORMATS[trace_format_of(output)]
        write_to(output, form.render(Exhibit(found.run, subject, verdict, path=output)))
    if as_json:
        trace = trace_to_json(found.run, source=subject.source(), verdict=verdict)
        emit_json(
            "minimize",
            {"answer": _answer(found), "source": dict(subject.source()), **_json(found), "trace": trace},
            code,
        )
    else:
        (standard.note if output == STDOUT else emit)(f"{_answer(found)}\n")
    return code


def _answer(found: Minimal) -> str:
    """What was found, in a sentence."""
    trace, gained = found.run.trace, found.after < found.before
    now = f"now {_words(found.after)}" if gained else "none smaller was found" if found.doubt else "as small as can be"
    worth = f"not proven the smallest: {found.doubt}" if found.doubt else "no trace of it is smaller"
    return f"{trace.system}: {trace.property}: {_words(found.before)}; {now} ({worth})"


def _words(cost: Cost) -> str:
    return f"{counted(cost.switches, 'context switch')}, {counted(cost.steps, 'step')}"


def _json(found: Minimal) -> Document:
    """The same as JSON values."""
    return {
        "model": found.run.trace.system,
        "property": found.run.trace.property,
        "before": {"switches": found.before.switches, "steps": found.before.steps},
        "after": {"switches": found.after.switches, "steps": found.after.steps},
        "smallest": not found.doubt,
        "doubt": found.doubt or None,
    }
