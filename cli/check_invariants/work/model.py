"""`check-invariants model`: what it does and shows."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from check_invariants import standard
from check_invariants.documents import Document, json_text
from check_invariants.exit import ExitCode
from check_invariants.files import check_output, say_written, write_to
from check_invariants.judge import compiled, meaningful
from check_invariants.options import STDOUT
from check_invariants.selection import chosen_properties, select
from draincheck import __version__
from draincheck.errors import ExportError
from draincheck.export import FORMATS, Exported, Origin, demanded
from draincheck.properties import Property
from draincheck.ranges import guarded
from draincheck.subject import Subject
from draincheck.system import TransitionSystem

if TYPE_CHECKING:
    from check_invariants.selectors import Selectors


def export(
    form: str | None, properties: Sequence[str], output: str, as_json: bool, **selectors: Unpack[Selectors]
) -> ExitCode:
    """Write a model in a format: the one that is named, or that the file's suffix means."""
    form = form or _meant(output)
    subject = select(properties, **selectors)
    check_output(output)
    system = compiled(subject)
    with meaningful(subject.title):
        system = guarded(system)
        try:
            written = FORMATS[form].write(
                system, _asked(system, properties), _origin(subject, form, properties, output)
            )
        except ExportError as error:
            raise click.UsageError(f"{subject.title} cannot be written as {form}: {error}") from error
    standard.note("".join(f"warning: not in the file: {each}\n" for each in written.left_out))
    write_to(output, json_text("model-export", _document(subject, system, form, written)) if as_json else written.text)
    say_written(f"{subject.title} as {form}{', in a JSON document,' if as_json else ''}", output)
    return ExitCode.OK


def _meant(output: str) -> str:
    """The format that a file's suffix means, or the first one."""
    suffix = Path(output).suffix.lower()
    return next((name for name, each in FORMATS.items() if each.suffix == suffix), next(iter(FORMATS)))


def _document(subject: Subject, system: TransitionSystem, form: str, written: Exported) -> Document:
    """The text with what there is to know of it."""
    return {
        "title": subject.title,
        "digest": system.digest,
        "language": form,
        "carried": [{"property": name, "called": called} for name, called in written.carried],
        "left_out": [{"property": each.name, "why": each.why} for each in written.left_out],
        "extra_states": written.extra_states,
        "text": written.text,
    }


def _asked(system: TransitionSystem, names: Sequence[str]) -> Sequence[Property]:
    return chosen_properties(system, names) if names else demanded(system)


def _origin(subject: Subject, form: str, properties: Sequence[str], output: str) -> Origin:
    about = subject.about
    asked = "".join(f" --property {shlex.quote(name)}" for name in properties)
    command = f"check-invariants model export {about.options} --format {form}{asked}"
    tool = f"check-invariants {__version__}"
    return Origin(about.what, about.scenario, tool, command, "" if output == STDOUT else Path(output).stem)
