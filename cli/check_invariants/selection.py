"""The model that a user's options name, and how a trace file says which model that was."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import click

from check_invariants.counted import Counted, writes_from
from check_invariants.exit import EmptySelection, MalformedInput
from check_invariants.model_file import ModelFile
from check_invariants.options import property_names
from draincheck.expr import Value
from draincheck.properties import Property
from draincheck.qemu import Probes, Scenario
from draincheck.report.jsontrace import Source
from draincheck.revisions import Revision, UnknownName, find_revision, nearest, parse_setting, with_settings
from draincheck.system import TransitionSystem
from drainspecs.mirror.expectations import Expectation
from drainspecs.mirror.scenarios import applies, find_scenario
from drainspecs.mirror.specifications import Specification, find_specification, specification_of
from drainspecs.questions.variants import objection, shown

__all__ = [
    "CodeBase",
    "Counted",
    "Selected",
    "check_possible",
    "chosen_properties",
    "merged",
    "select",
    "select_from_source",
]

DEFAULT_REVISION = "ab27c3b5e7"
DEFAULT_SCENARIO = "mirror"


@dataclass(frozen=True, slots=True)
class CodeBase:
    """A code base in a scenario.

    Attributes:
        revision: the row of the table that it starts from.
        scenario: topology and workload.
        order: the order of GSources, if the user says it.
        settings: knobs turned by hand.
        specification: what it is held against; the drain invariant, unless other properties are asked about.
    """

    revision: Revision
    scenario: Scenario
    order: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    specification: Specification = field(default_factory=lambda: find_specification("invariant"))

    @property
    def turned(self) -> Revision:
        """The revision with its knobs turned; the name says which."""
        order = {} if self.order in (None, self.revision.knobs.order) else {"order": self.order}
        return with_settings(self.revision, {**order, **self.settings})

    @property
    def title(self) -> str:
        """Its name in results and traces."""
        return f"{self.turned.name} / {self.scenario.name}"

    @property
    def options(self) -> str:
        """The options that name it, as a user would type them."""
        words = ["--revision", self.revision.name, "--scenario", self.scenario.name]
        words += ["--order", self.order] if self.order else []
        for knob, value in self.settings.items():
            words += ["--set", f"{knob}={shown(value)}"]
        return shlex.join(words)

    def expectation(self, property_name: str) -> Expectation | None:
        """What is expected of a property: nothing once knobs are turned by hand. GSource order changes no expectation."""
        if self.settings:
            return None
        return self.specification.expected(self.revision.name, self.scenario, property_name)

    def system(self) -> TransitionSystem:
        """The compiled model."""
        return self.specification.build(self.title, self.turned, self.scenario)

    def probes_of_states(self, command: str) -> type[Probes]:
        """The specification, for a command that decides properties of states. Raises UsageError for one of whole runs."""
        if self.specification.probes is None:
            names = ", ".join(self.specification.properties)
            raise click.UsageError(
                f"`{command}` is for properties of single states; {names} demand something of whole runs: `check` and `liveness` decide them"
            )
        return self.specification.probes

    def source(self) -> Source:
        """What a trace file needs to say to build it again."""
        return {
            "revision": self.revision.name,
            "scenario": self.scenario.name,
            "order": self.turned.knobs.order,
            "settings": {name: value for name, value in self.settings.items() if name != "order"},
            "specification": self.specification.name,
        }


#: what a command checks
Selected = CodeBase | ModelFile


def select(
    *,
    revision: Revision | None,
    scenario: Scenario | None,
    order: str | None,
    settings: Sequence[tuple[str, Any]],
    model: str | None,
    properties: Sequence[str] = (),
) -> Selected:
    """What the options name, made so that it has the properties asked about.

    Raises UsageError for options that exclude each other, BadParameter for an unknown property, EmptySelection for what never was.
    """
    if model is not None:
        if revision or scenario or order or settings:
            raise click.UsageError("a model of your own has no --revision, --scenario, --order or --set")
        return ModelFile.load(model)
    turned = merged(settings)
    if order is not None and turned.get("order", order) != order:
        raise click.UsageError(f"--order {order} and --set order={turned['order']} exclude each other")
    order = order or turned.pop("order", None)
    _check_names(properties, [name for name, _ in property_names(of_matrix=False)])
    code_base = CodeBase(
        revision or find_revision(DEFAULT_REVISION),
        scenario or find_scenario(DEFAULT_SCENARIO),
        order,
        {name: value for name, value in turned.items() if name != "order"},
        _specification(properties),
    )
    _check_applies(code_base)
    return code_base


def _specification(properties: Sequence[str]) -> Specification:
    """The one that has these properties. Raises UsageError if they belong to several."""
    found = specification_of(properties)
    if found is None:
        homes = {name: specification_of([name]) for name in properties}
        words = ", ".join(f"{name} ({home.name})" for name, home in homes.items() if home is not None)
        raise click.UsageError(f"these properties are decided on different models, so ask for them apart: {words}")
    return found


def merged(settings: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Settings by knob; one knob cannot have two values."""
    merged: dict[str, Any] = {}
    for name, value in settings:
        if merged.setdefault(name, value) != value:
            raise click.UsageError(f"--set gives {name} two values")
    return merged


def check_possible(revision: Revision, scenario: Scenario) -> None:
    """Raise MalformedInput if no code base could have these knobs together."""
    if reason := objection(revision.knobs, scenario):
        raise MalformedInput(f"no code base could be like {revision.name}: {reason}")


def _check_applies(code_base: CodeBase) -> None:
    check_possible(code_base.turned, code_base.scenario)
    if not applies(code_base.turned, code_base.scenario):
        raise EmptySelection(
            f"{code_base.turned.name} cannot run the scenario {code_base.scenario.name}: mirror was not allowed with dataplane "
            "before b112a65c52; choose a later revision, or add --set dataplane_mirror=on"
        )


def select_from_source(source: Source | None, what: str = "trace") -> Selected | Counted:
    """The model that a trace file (or `what` else) names. Raises MalformedInput if it names none that can be built."""
    if source is None:
        raise MalformedInput(f"the {what} does not say which model it belongs to; export it again")
    try:
        return _from_source(source)
    except (UnknownName, KeyError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise MalformedInput(f"{what}.source does not name a model: {why}; export the {what} again") from error


def _from_source(source: Source) -> Selected | Counted:
    if "parametric" in source:
        writes = writes_from(_word(source, "parametric"))
        return Counted(find_revision(_word(source, "revision")), _settings(source), writes)
    if "file" in source:
        return ModelFile.load(f"{_word(source, 'file')}:{_word(source, 'function')}")
    revision, scenario = find_revision(_word(source, "revision")), find_scenario(_word(source, "scenario"))
    code_base = CodeBase(
        revision,
        scenario,
        parse_setting(f"order={_word(source, 'order')}")[1],
        _settings(source),
        find_specification(_word(source, "specification")),
    )
    return replace(code_base, order=None) if code_base.order == revision.knobs.order else code_base


def _word(source: Source, key: str) -> str:
    value = source[key]
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a name")
    return value


def _settings(source: Source) -> dict[str, Any]:
    """The knobs turned by hand."""
    value: Mapping[str, Value] | str = source.get("settings", {})
    if not isinstance(value, Mapping):
        raise ValueError("settings is not an object")
    return dict(parse_setting(f"{name}={_shown(setting)}") for name, setting in value.items())


def _shown(value: Value) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def chosen_properties(
    system: TransitionSystem, names: Sequence[str], option: str = "--property"
) -> tuple[Property, ...]:
    """The properties of these names, in the system's order; all if none is named. Raises BadParameter for an unknown name."""
    if not system.properties:
        raise EmptySelection(
            f"{system.name} demands nothing: it has no properties; give it some, such as m.always(...)"
        )
    _check_names(names, [item.name for item in system.properties], option)
    return tuple(item for item in system.properties if not names or item.name in names)


def _check_names(names: Iterable[str], known: list[str], option: str = "--property") -> None:
    for name in names:
        if name not in known:
            raise click.BadParameter(str(nearest("property", name, known)), param_hint=f"'{option}'")
