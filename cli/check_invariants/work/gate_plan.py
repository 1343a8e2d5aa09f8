"""`check-invariants gate` of a project: what its configuration comes to. Names in it are looked up as early as they can be, each by its line."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from check_invariants.configuration import CodeBaseEntry, Entry, GateConfig, ModelEntry, Spot
from check_invariants.own_models import loading
from draincheck import Subject
from draincheck.errors import SourceLine
from draincheck.knobs import Setting, parse_setting
from draincheck.model_file import Builder, builders
from draincheck.names import nearest
from draincheck.parameters import assigned, shown
from draincheck.properties import FAULTS, Reachable
from draincheck.qemu import Scenario
from draincheck.revisions import find_revision
from drainspecs.mirror.code_base import CodeBase
from drainspecs.mirror.objections import objection
from drainspecs.mirror.scenarios import DEFAULT_SCENARIOS, applies, find_scenario, in_table
from drainspecs.mirror.specification import Specification
from drainspecs.mirror.specifications import known_properties, specification_of

__all__ = ["Planned", "plan"]


class Made(NamedTuple):
    """A subject: its name in reports, the arguments that name it on the command line, and what makes it."""

    called: str
    options: str
    make: Callable[[], Subject]


class Planned(NamedTuple):
    """What an entry of a configuration comes to: `subjects`, found and made only when they are wanted.

    `called` and `options` are as those of `Made`, of all of them together; `otherwise` is what is expected of properties that the entry's
    `expect` does not name.
    """

    entry: Entry
    spot: Spot
    called: str
    options: str
    subjects: Callable[[], Iterable[Made]]
    otherwise: str

    @property
    def line(self) -> SourceLine:
        """Where the entry begins."""
        return self.spot.line()

    @property
    def expected(self) -> str:
        """In words."""
        said = [f"{name} {word}" for name, word in self.entry.expect.items()]
        if said and self.entry.asked and set(self.entry.asked) <= set(self.entry.expect):
            return ", ".join(said)
        return ", ".join([*said, f"all others {self.otherwise}" if said else f"all {self.otherwise}"])


def plan(config: GateConfig) -> list[Planned]:
    """What is to be checked, in the order of the file; no model is run for it. Raises Misconfigured."""
    return [planned for entry, spot in config.entries for planned in _planned(entry, spot)]


def _planned(entry: Entry, spot: Spot) -> Iterator[Planned]:
    for name in entry.expect:
        with spot.saying("expect", name):
            if entry.asked and name not in entry.asked:
                raise ValueError(f"something is expected of {name!r}, which `properties` leaves out")
    if isinstance(entry, ModelEntry):
        yield _model(entry, spot)
    else:
        yield from _code_bases(entry, spot)


def _says_itself(entry: ModelEntry) -> bool:
    """Whether the file says what it expects."""
    return not entry.function or bool(entry.variant)


def _asked(entry: Entry) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """The properties that are named, each with the keys that name it."""
    yield from ((name, ("properties", number)) for number, name in enumerate(entry.asked))
    yield from ((name, ("expect", name)) for name in entry.expect)


# -- models of the project's own --------------------------------------------------------------------


def _model(entry: ModelEntry, spot: Spot) -> Planned:
    """Raises Misconfigured for a file that is not in the configuration's folder, wherever its links lead, and for half a name."""
    config = spot.config
    path = config.folder / entry.file
    with spot.saying("file"):
        if not path.resolve().is_relative_to(config.folder.resolve()):
            raise ValueError(
                f"{entry.file!r} lies outside the folder of {config.path}, and no program from there is run: "
                "put the configuration into a folder around it"
            )
        if not path.is_file():
            raise ValueError(f"there is no file {entry.file!r} in the folder of {config.path}")
    _check_whole(entry, spot)
    name = ":".join(filter(None, [str(path), entry.function, entry.variant]))
    given = f" ({assigned(entry.parameters)})" if entry.parameters else ""
    models = partial(_models, str(path), entry, spot, given)
    otherwise = "as its file says" if _says_itself(entry) else "holds"
    return Planned(entry, spot, f"{name}{given}", _options(name, entry), models, otherwise)


def _options(name: str, entry: ModelEntry) -> str:
    """The arguments that name a model with the entry's parameters."""
    given = (f"{parameter}={shown(value)}" for parameter, value in entry.parameters.items())
    return shlex.join([name, *(word for each in given for word in ("--set", each))])


def _check_whole(entry: ModelEntry, spot: Spot) -> None:
    """Raise Misconfigured for keys that need another one, or exclude each other."""
    if entry.variant and not entry.function:
        with spot.saying("variant"):
            raise ValueError(f"which function has the variant {entry.variant!r}? name it: function = ...")
    for key in ("parameters", "expect", "counts"):
        with spot.saying(key):
            if getattr(entry, key) and not entry.function:
                raise ValueError("parameters, expect and counts are for one function: name it, as function = ...")
    with spot.saying("parameters"):
        if entry.variant and entry.parameters:
            raise ValueError("a variant has its own parameters: leave out `variant` or `parameters`")


def _models(file: str, entry: ModelEntry, spot: Spot, given: str) -> list[Made]:
    """The models that an entry names. Raises Misconfigured, and what `loading` raises."""
    with loading():
        found = list(_builders(file, entry, spot))
    names = [f"{item.program.file}:{item.title}" for item in found]
    pairs = zip(names, found, strict=True)
    return [Made(f"{name}{given}", _options(name, entry), partial(_built, item, entry, spot)) for name, item in pairs]


def _builders(file: str, entry: ModelEntry, spot: Spot) -> Iterator[Builder]:
    if not entry.function:
        with spot.saying("file"):
            yield from builders(file)
        return
    with spot.saying("function"):
        builder = Builder.load(f"{file}:{entry.function}")
    with spot.saying("variant"):
        yield builder.of_variant(entry.variant) if entry.variant else builder


def _built(builder: Builder, entry: ModelEntry, spot: Spot) -> Subject:
    with loading():
        for name, value in entry.parameters.items():
            with spot.saying("parameters", name):
                builder.parameters.named(name).read(value)
        with spot.saying("parameters" if entry.parameters else "function"):
            model = builder.build(entry.parameters)
    known = [item.name for item in (*model.built.properties, *FAULTS.values())]
    for name, keys in _asked(entry):
        with spot.saying(*keys):
            if name not in known:
                raise nearest("property", name, known)
            if entry.expect.get(name) == "reachable" and not isinstance(model.built.property_named(name), Reachable):
                raise ValueError(f"{name!r} is no state to be reached (`m.reachable`): expect holds or violated")
    return model


# -- code bases of QEMU's ---------------------------------------------------------------------------


def _code_bases(entry: CodeBaseEntry, spot: Spot) -> Iterator[Planned]:
    specification = _specification(entry, spot)
    with spot.saying("revision"):
        revision = find_revision(entry.revision)
    settings = dict(_setting(name, value, spot) for name, value in entry.settings.items())
    order = _order(entry, settings.pop("order", None), spot)
    scenarios = list(_scenarios(entry, spot))
    with spot.saying("counts"):
        if entry.counts and len(scenarios) > 1:
            raise ValueError("counts are those of one scenario: name it, as scenarios = [...]")
    for number, scenario in enumerate(scenarios):
        code_base = CodeBase(revision, scenario, order, settings, specification)
        with spot.saying(*(("scenarios", number) if entry.scenarios else ())):
            if _can_run(code_base, named=bool(entry.scenarios)):
                made = Made(_called(entry, code_base), code_base.options, partial(_itself, code_base))
                otherwise = "holds" if settings or not in_table(scenario) else "as QEMU's history says"
                yield Planned(entry, spot, made.called, made.options, partial(_only, made), otherwise)


def _specification(entry: CodeBaseEntry, spot: Spot) -> Specification:
    """What has the properties that are named. Raises Misconfigured."""
    known = list(known_properties())
    for name, keys in _asked(entry):
        with spot.saying(*keys):
            if name not in known:
                raise nearest("property", name, known)
            if entry.expect.get(name) == "reachable" and name != "R1":
                raise ValueError(f"{name} is no state to be reached: expect holds or violated")
    asked = [name for name, _ in _asked(entry)]
    with spot.saying(*next((keys for _, keys in _asked(entry)), ())):
        if (found := specification_of(asked)) is None:
            raise ValueError(f"{', '.join(asked)} are decided on different models: write an entry for each")
        return found


def _scenarios(entry: CodeBaseEntry, spot: Spot) -> Iterator[Scenario]:
    found: dict[Scenario, str] = {}
    for number, name in enumerate(entry.scenarios):
        with spot.saying("scenarios", number):
            scenario = find_scenario(name)
            if scenario in found:
                raise ValueError(
                    f"{name} is named twice{'' if found[scenario] == name else f', as {found[scenario]} before'}"
                )
            found[scenario] = name
            yield scenario
    if not entry.scenarios:
        yield from DEFAULT_SCENARIOS


def _setting(name: str, value: bool | int | str, spot: Spot) -> tuple[str, Setting]:
    with spot.saying("settings", name):
        return parse_setting(f"{name}={shown(value)}")


def _order(entry: CodeBaseEntry, turned: Setting | None, spot: Spot) -> str | None:
    """The order of GSources, which the knob of this name says, too. Raises Misconfigured if the two say different things."""
    said = None if turned is None else shown(turned)
    with spot.saying("settings", "order"):
        if entry.order and said and entry.order != said:
            raise ValueError(f"`order` says {entry.order}, and the knob of this name {said}: leave one of them out")
    return entry.order or said


def _called(entry: CodeBaseEntry, code_base: CodeBase) -> str:
    """Its name in reports; that which the configuration has for it comes first, if it is another."""
    if entry.revision == code_base.revision.name:
        return code_base.title
    return f"{entry.revision} ({code_base.turned.name}) / {code_base.scenario.name}"


def _itself(code_base: CodeBase) -> Subject:
    return code_base


def _only(made: Made) -> list[Made]:
    return [made]


def _can_run(code_base: CodeBase, named: bool) -> bool:
    """Whether it takes part; raises ValueError for a scenario that is named and cannot be run, and for what no code base could be."""
    revision, scenario = code_base.turned, code_base.scenario
    if reason := objection(revision.knobs, scenario):
        raise ValueError(f"no code base could be like {revision.name}: {reason}")
    if not applies(revision, scenario) and named:
        raise ValueError(f"{revision.name} cannot run the scenario {scenario.name}")
    return applies(revision, scenario)
