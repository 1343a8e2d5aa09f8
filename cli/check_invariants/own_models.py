"""The user's own models: loaded, with parameters, one or several; and what a file is about that may be about one of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import click
from msgspec import Struct

from check_invariants import standard
from check_invariants.exit import MalformedInput, NeedsModel
from check_invariants.meant import code_base_meant, folder_meant
from check_invariants.names import merged
from check_invariants.output import Counter
from draincheck import ModelError, ModelFile
from draincheck.errors import ForeignProgram, MalformedModel, NoModelName, NoSuchModel, UnfitParameters
from draincheck.knobs import Setting
from draincheck.model_file import Builder, Name, builders
from draincheck.parameters import Parameter, assigned, distinct, typed
from draincheck.sorts import Value
from draincheck.subject import Source, Subject
from draincheck.words import listed
from drainspecs.mirror.code_base import named_by

__all__ = [
    "Maker", "Models", "Varied", "built_otherwise", "called_with", "load_model", "load_models", "loading", "refusing", "select_from_source",
    "varied",
]  # fmt: skip


def select_from_source(
    source: Source | None,
    what: str = "trace",
    *,
    model: str | None = None,
    settings: Sequence[tuple[str, Setting]] = (),
) -> Subject:
    """What a trace file (or `what` else) is about: a code base that it names, or the user's model, if one is named, as the user names it.

    Raises MalformedInput if it names nothing that can be built, NeedsModel for a program, which nobody but the user names, and BadParameter
    for parameters that the model does not take.
    """
    if model is None and settings:
        raise click.UsageError("--set is for a model of your own: name it, by --model MODEL.py:FUNCTION")
    if model is None:
        try:
            with _refusals():
                return named_by(source, what)
        except ForeignProgram as error:
            named = f"{_model_option(error.name)} {_options(_parameters(source, what))}".rstrip()
            raise NeedsModel(str(error), named) from error
    theirs = _parameters(source, what)
    try:
        with loading():
            return ModelFile.load(model, merged(settings))
    except UnfitParameters as error:
        hint = f"; the {what} was made with {_options(theirs)}" if theirs else ""
        raise click.BadParameter(f"{error}{hint}", param_hint="'--set'") from error


def built_otherwise(source: Source | None, subject: Subject) -> str:
    """That a file was made with other parameters than the user names, and how those are named; "" if it was not."""
    theirs = _parameters(source)
    if not isinstance(subject, ModelFile) or typed(theirs) == typed(subject.parameters):
        return ""
    made, built = (assigned(values) or "no parameters" for values in (theirs, subject.parameters))
    how = f"add {_options(theirs)}" if theirs else "name the function alone"
    return f"it was made with {made}, and {subject.name} is built with {built}: {how} if that is what you mean"


def _model_option(name: str) -> str:
    """The option that names the program that a file is about, to copy; of a name that is none the form."""
    file, _, function = name.partition(":")
    return shlex.join(["--model", name]) if file.endswith(".py") and function else "--model MODEL.py:FUNCTION"


def _parameters(source: Source | None, what: str = "source") -> Mapping[str, Value]:
    """What a file says of parameters, which is only repeated. Raises MalformedInput."""
    found = (source or {}).get("parameters", {})
    if isinstance(found, str):
        raise MalformedInput(f"{what}.source.parameters: expected an object, not {found!r}; export it again")
    return found


def _options(parameters: Mapping[str, Value]) -> str:
    """The options that give a model these parameters."""
    return shlex.join(word for item in parameters.items() for word in ("--set", assigned(dict([item]))))


def load_model(name: str, settings: Iterable[tuple[str, Setting]] = ()) -> ModelFile:
    """A model of the user's, with these parameters.

    Raises BadParameter for a name that leads nowhere and for parameters that it does not take, and MalformedInput for a file that cannot
    be used.
    """
    with taken_parameters(), loading():
        return ModelFile.load(name, merged(settings))


class Maker(Struct, frozen=True):
    """One of several models: what tells it from the others, the arguments that name it, and how it is made. Raises as `load_model`."""

    name: str
    options: str
    make: Callable[[], ModelFile]
    variant: str | None = None


class Models(Struct, frozen=True):
    """Several models of the user's: what they are called together, and whether they are the variants of a file."""

    called: str
    all: Sequence[Maker]
    variants: bool


def load_models(name: str, settings: Iterable[tuple[str, Setting]]) -> ModelFile | Models:
    """A model of the user's; or several: the variants of a file, or a function with several values of a parameter. Raises as `load_model`."""
    given = merged(settings)
    with taken_parameters(), loading():
        found = builders(name)
    if not Name.of(name).function:
        if given:
            raise click.UsageError(f"--set is for one function: name it, as {name}:FUNCTION")
        makers = [
            Maker(i.title, i.options({}), partial(_made, i, {}), i.variant.name if i.variant else None) for i in found
        ]
        return Models(name, makers, variants=True)
    (builder,) = found
    with taken_parameters(), loading():
        points = builder.points(given)
    if len(points) == 1:
        return _made(builder, points[0])
    varied = [parameter for parameter in points[0] if len({distinct(point[parameter]) for point in points}) > 1]
    makers = [
        Maker(assigned({p: point[p] for p in varied}), builder.options(point), partial(_made, builder, point))
        for point in points
    ]
    fixed = {parameter: value for parameter, value in points[0].items() if parameter not in varied}
    return Models(called_with(name, fixed.items()), makers, variants=False)


class Varied(Struct, frozen=True):
    """A function of the user's with parameters that are varied.

    Attributes:
        axes: the values that each of these may get.
        fixed: those that are given one value.
        defaults: what those of `axes` are if nothing is said.
    """

    builder: Builder
    axes: Mapping[str, tuple[Value, ...]]
    fixed: Mapping[str, Value]
    defaults: Mapping[str, Value]


def varied(
    name: str, settings: Iterable[tuple[str, Setting]], names: Sequence[str] = (), *, other_values: bool = False
) -> Varied:
    """The parameters that can be varied: those that `--set` gives several values, and (of these names) those whose values can be listed.

    With `other_values` those that it gives one value, too: what could they be otherwise? Raises as `load_model`.
    """
    with taken_parameters(), loading():
        builder = Builder.load(name)
        takes = builder.parameters
        values = {key: takes.named(key).several(value) for key, value in {**builder.given, **merged(settings)}.items()}
        several = {key: found for key, found in values.items() if len(found) > 1}
        if other_values and several:
            raise UnfitParameters(f"one model is asked about here: give {', '.join(several)} one value")
        fixed = {key: found[0] for key, found in values.items() if len(found) == 1}
        free = [item for item in takes.all if item.choices and (other_values or item.name not in values)]
        chosen = {takes.named(key).name for key in names} or {item.name for item in free} | set(several)
        axes = {item.name: item.choices for item in free if item.name in chosen} | several
        if other_values:
            axes |= {item.name: both for item in takes.all if len(both := _now_and_by_default(item, fixed)) > 1}
        if missing := chosen - set(axes):
            raise UnfitParameters(f"{listed(sorted(missing))} cannot be varied: list values, as in --set NAME=1..3")
        takes.demand_all({**fixed, **axes} if not other_values else fixed)
        return Varied(
            builder, axes, fixed, {i.name: i.start for i in takes.all if i.name in axes and i.start is not None}
        )


def _now_and_by_default(item: Parameter, fixed: Mapping[str, Value]) -> tuple[Value, ...]:
    """The two values that are known of a parameter whose values cannot be listed: its default, and the one that it is given."""
    if item.choices or item.start is None or item.name not in fixed:
        return ()
    return tuple({distinct(value): value for value in (item.start, fixed[item.name])}.values())


@contextmanager
def refusing() -> Generator[None]:
    """While models with other parameters are made: whatever is refused is the model's fault, or the parameters'."""
    with taken_parameters(), loading():
        try:
            yield
        except ModelError as error:
            raise MalformedInput(str(error)) from error


def _made(builder: Builder, values: Mapping[str, Value]) -> ModelFile:
    with taken_parameters(), loading():
        return builder.build(values)


@contextmanager
def loading() -> Generator[None]:
    """While a program of the user's runs: the library's refusals as the command line's, and standard output kept for the result."""
    with _refusals():
        standard.keep()
        try:
            with Counter("", phase="building"):
                yield
        finally:
            standard.mend()


@contextmanager
def taken_parameters() -> Generator[None]:
    """Parameters that a model does not take are a wrong `--set`."""
    try:
        yield
    except UnfitParameters as error:
        raise click.BadParameter(str(error), param_hint="'--set'") from error


def called_with(name: str, settings: Iterable[tuple[str, Value]]) -> str:
    """A model of the user's in words, with the parameters that it is given."""
    given = [assigned({parameter: value}) for parameter, value in settings]
    return f"{name} with {listed(given)}" if given else name


@contextmanager
def _refusals() -> Generator[None]:
    """The library's refusals as the command line's."""
    try:
        yield
    except NoModelName as error:
        message = f"{error}{folder_meant(error.text) or code_base_meant(error.text)}"
        raise click.BadParameter(message, param_hint="'MODEL.py:FUNCTION'") from error
    except NoSuchModel as error:
        raise click.BadParameter(str(error), param_hint="'MODEL.py:FUNCTION'") from error
    except MalformedModel as error:
        raise MalformedInput(str(error)) from error
