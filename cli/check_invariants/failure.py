"""A command that ends without a result: what is said of it, to people, in a document, and in reports, and its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from io import StringIO

import click

from check_invariants import standard
from check_invariants.deferred import own_model
from check_invariants.documents import emit_json
from check_invariants.exit import DEBUG, InternalError, LimitReached, NoCommand, NotWritable, cut_short, interrupted
from draincheck.errors import NotInstalled, OutOfBudget, WorkerLost
from draincheck.optional import missed_by

__all__ = ["failed"]

#: the command that leaves reports
REPORTING = "gate"

#: what click says of a word that no argument is left for
ONE_TOO_MANY = "unexpected extra argument"


def failed(error: Exception, arguments: Sequence[str]) -> int:
    """Say why a command with these arguments has no result: on standard error, in a document if one is wanted, and in its reports; the exit code."""
    told = _told(error, arguments)
    said = StringIO()
    told.show(said)
    standard.note(said.getvalue())
    _document(told, arguments)
    return told.exit_code


def _told(error: Exception, arguments: Sequence[str]) -> click.ClickException:
    """The error in words for people, and with an exit code of the table."""
    if isinstance(error, click.UsageError):
        return _with_what_was_meant(error, arguments)
    if isinstance(error, click.ClickException):
        return error
    if isinstance(error, click.Abort):
        seen = "what is printed is not all" if standard.was_used() else "nothing was decided"
        return interrupted(f"interrupted: {seen}")
    return _unforeseen(error)


def _with_what_was_meant(error: click.UsageError, arguments: Sequence[str]) -> click.UsageError:
    """The error; of a word that is no command, or one too many, with what it may have been meant as."""
    if not isinstance(error, NoCommand) and ONE_TOO_MANY not in error.message:
        return error
    from check_invariants.meant import code_base_meant, no_command, taking  # brings all code bases

    if isinstance(error, NoCommand):
        is_model = own_model([error.word]) is not None
        return click.UsageError(no_command(error.word, list(error.known), is_model), error.ctx)
    meant = next((said for word in arguments if (said := code_base_meant(word, taking(error.ctx)))), "")
    return click.UsageError(f"{error.message}{meant}", error.ctx)


def _unforeseen(error: Exception) -> click.ClickException:
    """What no command has foreseen; mostly it is our fault."""
    if isinstance(error, OutOfBudget):
        return cut_short(error.stop, "what was not decided is unknown")
    if isinstance(error, OSError) and error.filename is None and error.errno is not None:
        standard.let_go()
        return NotWritable(f"standard output cannot be written: {error.strerror}")
    if isinstance(error, WorkerLost):
        return LimitReached(str(error))
    if missed := str(error) if isinstance(error, NotInstalled) else missed_by(error):
        return click.UsageError(missed)
    if damaged := _damaged(error):
        return InternalError(
            f"internal error: {damaged} is damaged ({type(error).__name__}: {error})\n"
            "Python has compiled it, and trusts it: delete it and run again, and it is made anew."
        )
    return InternalError(
        f"internal error: {type(error).__name__}: {error}\n"
        f"This is a bug of check-invariants. Run again with {DEBUG}=1 for the traceback, and report it, please."
    )


def _damaged(error: Exception) -> str:
    """The compiled file that Python could not load, if that is what has happened; otherwise ""."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_name != "_compile_bytecode":
        trace = trace.tb_next
    return "" if trace is None else str(trace.tb_frame.f_locals.get("bytecode_path") or "")


def _document(error: click.ClickException, arguments: Sequence[str]) -> None:
    """Print the error as a document too, if one is wanted and none has been printed, and into reports."""
    if "--json" in arguments and not standard.was_used():
        with suppress(NotWritable):  # that has been said
            emit_json("error", {"error": error.format_message(), "exit_code": int(error.exit_code)})
    if arguments[:1] == [REPORTING]:
        from check_invariants.refusal import report_refusal  # brings every report

        report_refusal(error, arguments[1:])
