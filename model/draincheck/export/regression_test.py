"""A trace as a test for pytest, a file by itself: the steps by name, and what has to come of them.

Of a model of the user's it loads the file, by its path from the test. Of a code base of QEMU it executes the steps on the reference core, too,
and demands what came of them when it was written.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from draincheck.core.outcome import Ending
from draincheck.core.run import Replayed
from draincheck.export.naming import letters
from draincheck.run import Run
from draincheck.schedule import Schedule
from draincheck.sorts import Value
from draincheck.subject import About, Source, Subject

__all__ = ["regression_test"]

#: the file name that means standard output
STDOUT: Final = "-"


def regression_test(
    run: Run,
    subject: Subject,
    about: About,
    on_core: Callable[[Run], Replayed | None],
    *,
    path: str = STDOUT,
    fixed: bool = False,
) -> str:
    """The text of the test.

    Args:
        run: what it is made of.
        subject: what that is a run of.
        about: what a reader has to know.
        on_core: what comes of a run on the reference core; None where that does not follow it.
        path: where the file is meant to lie, whence a user's model is looked for; `-`: in this folder.
        fixed: whether it passes as soon as the steps show nothing any more; else it passes as long as they do.
    """
    schedule, source = Schedule.of(run), subject.source()
    own = "file" in source
    ended = None if fixed or own else on_core(schedule.assert_shows(run.system))
    parts = [
        _head(run, about, fixed),
        "\n".join(_imports(own, ended)),
        _own_model(source, path)
        if own
        else f"#: the code base, and the scenario\nSUBJECT = named_by({_literal(source)})",
        _schedule(schedule),
        _test(run, own, fixed, ended),
    ]
    return f"{parts[0]}\n\n{parts[1]}\n\n{parts[2]}\n\n{parts[3]}\n\n\n{parts[4]}\n"


# -- the parts of the file --------------------------------------------------------------------------


def _head(run: Run, about: About, fixed: bool) -> str:
    name = run.trace.property
    command = f"check-invariants trace export {about.options} --property {shlex.quote(name)} --format pytest"
    passes = "as soon as these steps cannot come to it any more" if fixed else "as long as these steps come to it"
    return _docstring(
        f"Regression test: {name}, {about.what}.",
        "",
        f"It passes {passes}. It needs check-invariants.",
        f"Written by {about.tool}; anew: {command}{' --expect fixed' if fixed else ''}",
    )


def _imports(own: bool, ended: Replayed | None) -> Iterator[str]:
    """In alphabetical order."""
    if own:
        yield from ("from pathlib import Path", "", "from draincheck import ModelFile, Schedule")
        return
    yield "from draincheck import Schedule"
    if ended is not None:
        yield "from draincheck.conformance.reproduced import reproduced"
    yield "from drainspecs.mirror.code_base import named_by"


def _own_model(source: Source, path: str) -> str:
    """Where the model is, from the test, and what it is built with."""
    folder = Path.cwd() if path == STDOUT else Path(path).parent
    place = Path(os.path.relpath(Path(str(source["file"])).resolve(), folder.resolve())).as_posix()
    parameters = source.get("parameters", {})
    assert not isinstance(parameters, str)
    return (
        f"#: the model, from where this file lies, and its parameters\nMODEL = Path(__file__).parent / {place!r}\n"
        f"FUNCTION, PARAMETERS = {source['function']!r}, {_literal(parameters)}"
    )


def _schedule(schedule: Schedule) -> str:
    """The steps, a line each."""
    steps = "".join(f"        {tuple(step)!r},\n" for step in schedule.steps)
    start = f"    start={_literal(schedule.start)},\n" if schedule.start else ""
    loop = "" if schedule.loop is None else f"    loop={schedule.loop},\n"
    return f"SCHEDULE = Schedule(\n    property={schedule.property!r},\n{start}{loop}    steps=[\n{steps}    ],\n)"


def _test(run: Run, own: bool, fixed: bool, ended: Replayed | None) -> str:
    says = "No run with these steps shows it." if fixed else "These steps can be taken, and show it."
    system = 'ModelFile.load(f"{MODEL}:{FUNCTION}", PARAMETERS).system()' if own else "SUBJECT.system()"
    if fixed:
        lines = [f"SCHEDULE.assert_never_shows({system})"]
    elif ended is None:
        lines = [f"SCHEDULE.assert_shows({system})"]
    else:
        lines = [f"run = SCHEDULE.assert_shows({system})", *_core_lines(ended)]
    return "\n    ".join([f"def test_{letters(run.trace.property)}() -> None:", _docstring(says), *lines])


def _core_lines(ended: Replayed) -> list[str]:
    """What is demanded of the core: that it takes the steps, how the run ends if not well, and which acknowledged writes are lost."""
    lost = [(write.name, write.sector, write.status) for write in ended.lost]
    ends = [
        f"assert (ended.outcome.value, ended.message) == {(ended.outcome.value, ended.message)!r}",
        f"assert [(write.name, write.sector, write.status) for write in ended.lost] == {lost!r}",
    ]
    takes = ["ended = reproduced(run, SUBJECT)", 'assert ended is not None, "the reference core does otherwise"']
    return [*takes, *([] if ended.outcome is Ending.FINE else ends)]


# -- Python -----------------------------------------------------------------------------------------


def _literal(value: Mapping[str, str | Value | Mapping[str, Value]]) -> str:
    """A mapping as Python writes a dict."""
    items = ((key, _literal(item) if isinstance(item, Mapping) else repr(item)) for key, item in value.items())
    return "{" + ", ".join(f"{key!r}: {item}" for key, item in items) + "}"


def _docstring(*lines: str) -> str:
    """Lines as a docstring, whatever is in them."""
    return '"""' + "\n".join(map(_harmless, lines)) + ('\n"""' if len(lines) > 1 else '"""')


def _harmless(line: str) -> str:
    """A line in which nothing ends a docstring, or a line."""
    return "".join(_sign(sign) for sign in line)


def _sign(sign: str) -> str:
    if sign in '\\"':
        return f"\\{sign}"
    return sign if sign.isprintable() else ascii(sign)[1:-1]
