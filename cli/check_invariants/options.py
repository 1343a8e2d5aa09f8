"""Options that several commands share: names are checked against their tables, mistyped ones get the nearest, shells complete them.

Nothing here imports the library before a value has to be converted or completed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from draincheck.knobs import Setting
    from draincheck.qemu import Scenario
    from draincheck.revisions import Revision
    from drainspecs.mirror.claim import Claim

    ParamType = click.ParamType[Any]
else:  # older versions of click have no type arguments here
    ParamType = click.ParamType

__all__ = [
    "Named",
    "all_option",
    "find_claim",
    "jobs_option",
    "json_option",
    "known_claims",
    "lemma_option",
    "order_option",
    "property_names",
    "property_option",
    "revision_option",
    "scenario_option",
    "selectors",
    "set_option",
]

Command = TypeVar("Command", bound=Callable[..., Any])


class Named(ParamType):
    """A value that is looked up by name: `find` raises UnknownName for a name that `names` (with help texts) does not have."""

    def __init__(self, name: str, find: Callable[[str], Any], names: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self.name = name
        self._find = find
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Look the name up."""
        from draincheck.errors import UnknownName

        try:
            return self._find(value) if isinstance(value, str) else value
        except UnknownName as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that begin so."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(name, help=text) for name, text in self._names() if name.startswith(incomplete)]


# -- the tables -------------------------------------------------------------------------------------


def _find_revision(name: str) -> Revision:
    from draincheck.revisions import find_revision

    return find_revision(name)


def _revisions() -> Iterable[tuple[str, str]]:
    from draincheck.revisions import code_bases

    return ((row.name, row.subject) for row in code_bases())


def _find_scenario(name: str) -> Scenario:
    from drainspecs.mirror.scenarios import find_scenario

    return find_scenario(name)


def _scenarios() -> Iterable[tuple[str, str]]:
    from drainspecs.mirror.scenarios import SCENARIOS

    return ((item.name, item.meaning) for item in SCENARIOS)


def property_names(of_matrix: bool) -> Iterable[tuple[str, str]]:
    """The properties of the drain invariant; of all specifications, unless only those of the matrix are wanted."""
    if of_matrix:
        from drainspecs.mirror.properties import PROPERTIES

        return [(item.name, item.meaning) for item in PROPERTIES]
    from drainspecs.mirror.specifications import known_properties

    return known_properties().items()


def _find_property(name: str) -> str:
    from draincheck.knobs import nearest

    known = [known for known, _ in property_names(of_matrix=True)]
    if name not in known:
        raise nearest("property", name, known)
    return name


def _parse_setting(text: str) -> tuple[str, Setting]:
    from draincheck.errors import UnknownName
    from draincheck.knobs import KNOBS, parse_setting

    if "=" not in text and text in {knob.name for knob in KNOBS}:
        values = next(knob.values for knob in KNOBS if knob.name == text)
        raise UnknownName(f"{text!r} lacks a value; write {' or '.join(f'{text}={value}' for value in values)}")
    return parse_setting(text)


def _settings() -> Iterable[tuple[str, str]]:
    from draincheck.knobs import KNOBS

    return ((f"{knob.name}={value}", knob.meaning) for knob in KNOBS for value in knob.values)


def find_claim(name: str) -> Claim:
    """The claim of this name; raises UnknownName."""
    from drainspecs.mirror.claims import find_claim

    return find_claim(name)


def known_claims() -> Iterable[tuple[str, str]]:
    """The claims with their texts."""
    from drainspecs.mirror.claims import CLAIMS

    return ((claim.name, claim.text) for claim in CLAIMS)


# -- the options ------------------------------------------------------------------------------------

_REVISION = Named("revision", _find_revision, _revisions)
_SCENARIO = Named("scenario", _find_scenario, _scenarios)
_PROPERTY = Named("property", _find_property, partial(property_names, of_matrix=True))
#: checked later, against the model
_ANY_PROPERTY = Named("property", str, partial(property_names, of_matrix=False))
_SETTING = Named("knob=value", _parse_setting, _settings)

_REVISION_HELP = "A code base: a commit's hash or its beginning, HASH~1, a release (v2.6.0), or a control"


def revision_option(multiple: bool) -> Callable[[Command], Command]:
    """`--revision`, once (None if absent) or often."""
    end = "; may be given several times." if multiple else ".  [default: ab27c3b5e7]"
    return click.option(
        "--revision",
        "revisions" if multiple else "revision",
        type=_REVISION,
        multiple=multiple,
        help=_REVISION_HELP + end,
    )


def scenario_option(multiple: bool) -> Callable[[Command], Command]:
    """`--scenario`, once (None if absent) or often."""
    end = "; may be given several times." if multiple else ".  [default: mirror]"
    name = "scenarios" if multiple else "scenario"
    return click.option("--scenario", name, type=_SCENARIO, multiple=multiple, help="Topology and workload" + end)


def property_option(of_matrix: bool) -> Callable[[Command], Command]:
    """`--property`, often: of the specification, or of whatever model is checked."""
    kind = _PROPERTY if of_matrix else _ANY_PROPERTY
    return click.option(
        "--property", "properties", type=kind, multiple=True, help="Only this property; may be given several times."
    )


lemma_option = click.option(
    "--lemma",
    "lemmas",
    metavar="PROPERTY",
    multiple=True,
    help="For induction: a property of the kind `always` that helps, and is proved along; may be given several times.",
)
order_option = click.option(
    "--order",
    type=click.Choice(["attach", "any"]),
    help="Dispatch GSources of equal priority in the order of attachment, as GLib does, or in any, as its API allows.",
)
set_option = click.option(
    "--set",
    "settings",
    type=_SETTING,
    multiple=True,
    metavar="KNOB=VALUE",
    help="Turn a knob of the code base; may be given several times. `list knobs` explains them.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
jobs_option = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    help="Search in so many processes.  [default: as many as there are cores]",
)
all_option = click.option(
    "--all", "wide", is_flag=True, help="Also two writes, reads, a second disk, and GSources in any order."
)


def selectors(command: Command) -> Command:
    """The options and the argument that name one model: a code base in a scenario, or a file of the user's."""
    model = click.argument("model", required=False, metavar="[MODEL.py:FUNCTION]")
    for decorate in (model, set_option, order_option, scenario_option(False), revision_option(False)):
        command = decorate(command)
    return command
