"""What a user's options name, and the properties chosen of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Unpack

import click

from check_invariants.exit import EmptySelection, MalformedInput
from check_invariants.names import merged
from draincheck import TransitionSystem
from draincheck.checking import chosen
from draincheck.knobs import Setting, shown
from draincheck.names import nearest
from draincheck.properties import FAULTS, Property
from draincheck.qemu import Probes, Scenario
from draincheck.revisions import Revision, find_revision
from draincheck.subject import Subject
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.objections import objection
from drainspecs.mirror.scenarios import applies, find_scenario
from drainspecs.mirror.specification import Specification
from drainspecs.mirror.specifications import known_properties, specification_of

if TYPE_CHECKING:
    from check_invariants.selectors import CodeBaseOptions

__all__ = [
    "check_names",
    "check_possible",
    "chosen_properties",
    "had_by",
    "impossible",
    "named_code_base",
    "names_of",
    "only_the_default",
    "own_settings",
    "probes_of_states",
    "select",
    "select_code_base",
]

DEFAULT_REVISION = "ab27c3b5e7"
DEFAULT_SCENARIO = "mirror"


def select(properties: Sequence[str] = (), *, model: str | None, **options: Unpack[CodeBaseOptions]) -> Subject:
    """What the options name, made so that it has the properties asked about.

    Raises UsageError for options that exclude each other, BadParameter for an unknown property, EmptySelection for what never was.
    """
    if model is None:
        return select_code_base(properties, **options)
    from check_invariants.own_models import load_model  # no code base needs a word of it

    return load_model(model, own_settings(options))


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
    check_names(properties, list(known_properties()))
    return CodeBase(
        options.get("revision") or find_revision(DEFAULT_REVISION),
        options.get("scenario") or find_scenario(DEFAULT_SCENARIO),
        order,
        turned,
        _specification(properties),
    )


def only_the_default(options: CodeBaseOptions) -> str:
    """What an answer adds that is about the default scenario because none was named: it says nothing of the others; else ""."""
    return "" if options.get("scenario") else "; other scenarios are not asked: --scenario"


def _specification(properties: Sequence[str]) -> Specification:
    """The one that has these properties. Raises UsageError if they belong to several."""
    found = specification_of(properties)
    if found is None:
        homes = {name: specification_of([name]) for name in properties}
        words = ", ".join(f"{name} ({home.name})" for name, home in homes.items() if home is not None)
        raise click.UsageError(f"these properties are decided on different models, so ask for them apart: {words}")
    return found


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


def chosen_properties(
    system: TransitionSystem, names: Sequence[str], option: str = "--property"
) -> tuple[Property, ...]:
    """The properties of these names, in the system's order; all if none is named. Raises BadParameter for an unknown name."""
    if not system.properties and not names:
        raise EmptySelection(
            f"{system.name} demands nothing: it has no properties; give it some, such as m.always(...)"
        )
    check_names(names, names_of(system), option)
    return chosen(system, names)


def names_of(system: TransitionSystem) -> list[str]:
    """The properties that a system can be asked about."""
    return [item.name for item in (*system.properties, *FAULTS.values())]


def had_by(system: TransitionSystem, names: Iterable[str]) -> list[str]:
    """Those of some properties that a system can be asked about."""
    known = names_of(system)
    return [name for name in names if name in known]


def check_names(names: Iterable[str], known: list[str], option: str = "--property") -> None:
    """Raise BadParameter for a name that is none of those that are known."""
    for name in names:
        if name not in known:
            raise click.BadParameter(str(nearest("property", name, known)), param_hint=f"'{option}'")
