"""What a user's options name, and the properties chosen of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypedDict, Unpack

import click
from msgspec import Struct

from check_invariants import standard
from check_invariants.exit import EmptySelection, MalformedInput, NeedsModel
from check_invariants.output import Counter
from draincheck import ModelError, ModelFile, TransitionSystem
from draincheck.checking import chosen
from draincheck.errors import ForeignProgram, MalformedModel, NoSuchModel, UnfitParameters
from draincheck.knobs import Setting, nearest, shown
from draincheck.model_file import Builder, Name, builders
from draincheck.parameters import assigned
from draincheck.properties import FAULTS, Property
from draincheck.qemu import Probes, Scenario
from draincheck.revisions import Revision, find_revision
from draincheck.sorts import Value
from draincheck.subject import Source, Subject
from draincheck.words import listed
from drainspecs.mirror.code_base import CodeBase, named_by
from drainspecs.mirror.objections import objection
from drainspecs.mirror.scenarios import applies, find_scenario
from drainspecs.mirror.specification import Specification
from drainspecs.mirror.specifications import known_properties, specification_of

__all__ = [
    "CodeBaseOptions",
    "Maker",
    "Models",
    "OwnModel",
    "Selectors",
    "Varied",
    "built_otherwise",
    "called_with",
    "check_possible",
    "chosen_properties",
    "impossible",
    "load_model",
    "load_models",
    "loading",
    "merged",
    "named_code_base",
    "own_settings",
    "probes_of_states",
    "refusing",
    "select",
    "select_code_base",
    "select_from_source",
    "select_models",
    "taken_parameters",
    "varied",
]

DEFAULT_REVISION = "ab27c3b5e7"
DEFAULT_SCENARIO = "mirror"


class CodeBaseOptions(TypedDict, total=False):
    """The options that name a code base in a scenario, as far as a command has them."""

    revision: Revision | None
    scenario: Scenario | None
    order: str | None
    settings: Sequence[tuple[str, Setting]]


class OwnModel(TypedDict):
    """The options that name a model of the user's that a file is about: which, with which parameters."""

    model: str | None
    settings: Sequence[tuple[str, Setting]]


class Selectors(CodeBaseOptions):
    """The options that name a code base, or a model of the user's."""

    model: str | None


def select(properties: Sequence[str] = (), *, model: str | None, **options: Unpack[CodeBaseOptions]) -> Subject:
    """What the options name, made so that it has the properties asked about.

    Raises UsageError for options that exclude each other, BadParameter for an unknown property, EmptySelection for what never was.
    """
    if model is None:
        return select_code_base(properties, **options)
    return load_model(model, own_settings(options))


def select_models(
    properties: Sequence[str] = (), *, model: str | None, **options: Unpack[CodeBaseOptions]
) -> Subject | Models:
    """What the options name, several models of the user's included; raises as `select` does."""
    if model is None:
        return select_code_base(properties, **options)
    return load_models(model, own_settings(options))


def own_settings(options: CodeBaseOptions) -> Sequence[tuple[str, Setting]]:
    """The parameters for a model of the user's. Raises UsageError for what code bases alone have."""
    if options.get("revision") or options.get("scenario") or options.get("order"):
        raise click.UsageError("a model of your own has no --revision, --scenario or --order")
    return options.get("settings", ())


def select_code_base(properties: Sequence[str] = (), **options: Unpack[CodeBaseOptions]) -> CodeBase:
    """The code base that the options name; raises as `select` does."""
    code_base = named_code_base(properties, **options)
    _check_applies(code_base)
    return code_base


def named_code_base(properties: Sequence[str] = (), **options: Unpack[CodeBaseOptions]) -> CodeBase:
    """The same, whether or not it can run its scenario."""
    turned, order = merged(options.get("settings", ())), options.get("order")
    if order is not None and turned.get("order", order) != order:
        raise click.UsageError(f"--order {order} and --set order={turned['order']} exclude each other")
    order = shown(turned.pop("order")) if "order" in turned else order
    _check_names(properties, list(known_properties()))
    return CodeBase(
        options.get("revision") or find_revision(DEFAULT_REVISION),
        options.get("scenario") or find_scenario(DEFAULT_SCENARIO),
        order,
        turned,
        _specification(properties),
    )


def _specification(properties: Sequence[str]) -> Specification:
    """The one that has these properties. Raises UsageError if they belong to several."""
    found = specification_of(properties)
    if found is None:
        homes = {name: specification_of([name]) for name in properties}
        words = ", ".join(f"{name} ({home.name})" for name, home in homes.items() if home is not None)
        raise click.UsageError(f"these properties are decided on different models, so ask for them apart: {words}")
    return found


def merged(settings: Iterable[tuple[str, Setting]]) -> dict[str, Setting]:
    """Settings by knob; one knob cannot have two values."""
    merged: dict[str, Setting] = {}
    for name, value in settings:
        if merged.setdefault(name, value) != value:
            raise click.UsageError(f"--set gives {name} two values")
    return merged


def impossible(code_base: CodeBase) -> str:
    """Why a code base cannot be, or cannot run its scenario; "" if it can."""
    if not applies(code_base.turned, code_base.scenario):
        return "mirror was not allowed with dataplane before b112a65c52"
    return objection(code_base.turned.knobs, code_base.scenario)


def check_possible(revision: Revision, scenario: Scenario) -> None:
    """Raise MalformedInput if no code base could have these knobs together."""
    if reason := objection(revision.knobs, scenario):
        raise MalformedInput(f"no code base could be like {revision.name}: {reason}")


def probes_of_states(code_base: CodeBase, command: str) -> type[Probes]:
    """The specification, for a command that decides properties of states. Raises UsageError for one of whole runs."""
    if code_base.specification.probes is None:
        names = ", ".join(code_base.specification.properties)
        raise click.UsageError(
            f"`{command}` is for properties of single states; {names} demand something of whole runs: `check` and `liveness` decide them"
        )
    return code_base.specification.probes


def _check_applies(code_base: CodeBase) -> None:
    check_possible(code_base.turned, code_base.scenario)
    if not applies(code_base.turned, code_base.scenario):
        raise EmptySelection(
            f"{code_base.turned.name} cannot run the scenario {code_base.scenario.name}: mirror was not allowed with dataplane "
            "before b112a65c52; choose a later revision, or add --set dataplane_mirror=on"
        )


def select_from_source(
    source: Source | None, what: str = "trace", *, model: str | None, settings: Sequence[tuple[str, Setting]]
) -> Subject:
    """What a trace file (or `what` else) is about: a code base that it names, or the user's model, if one is named, as the user names it.

    Raises MalformedInput if it names nothing that can be built, NeedsModel for a program, which nobody but the user names, and BadParameter
    for parameters that the model does not take.
    """
    if model is None and settings:
        raise click.UsageError("--set is for a model of your own: name it, by --model MODEL.py:FUNCTION")
    if model is None:
        with _refusals():
            return named_by(source, what)
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
    if not isinstance(subject, ModelFile) or theirs == subject.parameters:
        return ""
    made, built = (assigned(values) or "no parameters" for values in (theirs, subject.parameters))
    how = f"add {_options(theirs)}" if theirs else "name the function alone"
    return f"it was made with {made}, and {subject.name} is built with {built}: {how} if that is what you mean"


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
    """One of several models: what tells it from the others, and how it is made. Raises as `load_model`."""

    name: str
    make: Callable[[], ModelFile]


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
        makers = [Maker(item.title, partial(_made, item, {})) for item in found]
        return Models(name, makers, variants=True)
    (builder,) = found
    with taken_parameters(), loading():
        points = builder.points(given)
    if len(points) == 1:
        return _made(builder, points[0])
    varied = [parameter for parameter in points[0] if len({point[parameter] for point in points}) > 1]
    makers = [Maker(assigned({p: point[p] for p in varied}), partial(_made, builder, point)) for point in points]
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
            axes |= {i.name: (i.start,) for i in takes.all if i.name in fixed and not i.choices and i.start is not None}
        if missing := chosen - set(axes):
            raise UnfitParameters(f"{listed(sorted(missing))} cannot be varied: list values, as in --set NAME=1..3")
        takes.demand_all({**fixed, **axes} if not other_values else fixed)
        return Varied(
            builder, axes, fixed, {i.name: i.start for i in takes.all if i.name in axes and i.start is not None}
        )


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
    except ForeignProgram as error:
        raise NeedsModel(f"{error}: add --model MODEL.py:FUNCTION") from error
    except NoSuchModel as error:
        raise click.BadParameter(str(error), param_hint="'MODEL.py:FUNCTION'") from error
    except MalformedModel as error:
        raise MalformedInput(str(error)) from error


def chosen_properties(
    system: TransitionSystem, names: Sequence[str], option: str = "--property"
) -> tuple[Property, ...]:
    """The properties of these names, in the system's order; all if none is named. Raises BadParameter for an unknown name."""
    if not system.properties and not names:
        raise EmptySelection(
            f"{system.name} demands nothing: it has no properties; give it some, such as m.always(...)"
        )
    _check_names(names, [item.name for item in (*system.properties, *FAULTS.values())], option)
    return chosen(system, names)


def _check_names(names: Iterable[str], known: list[str], option: str = "--property") -> None:
    for name in names:
        if name not in known:
            raise click.BadParameter(str(nearest("property", name, known)), param_hint=f"'{option}'")
