"""QEMU's code bases as what is checked, each in a scenario; and what is checked as files name it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from draincheck.errors import ForeignProgram, MalformedModel, UnknownName
from draincheck.knobs import Knobs, Setting, parse_setting, shown
from draincheck.qemu import Scenario
from draincheck.revisions import Revision, called, find_revision, why_it_stands, with_settings
from draincheck.sorts import Value
from draincheck.subject import About, Expectation, Source, Subject
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome, Verdict
from drainspecs.mirror.abstractions import limits_on
from drainspecs.mirror.impact import consequences, matters
from drainspecs.mirror.scenarios import find_scenario, in_table
from drainspecs.mirror.specification import Specification
from drainspecs.mirror.specifications import find_specification
from drainspecs.mirror.story import tell
from drainspecs.mirror.terms import MARKS, WINDOWS

if TYPE_CHECKING:
    from draincheck.core.config import Config

__all__ = ["CodeBase", "named_by"]


class CodeBase(Struct, frozen=True):
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
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    specification: Specification = field(default_factory=lambda: find_specification("invariant"))

    @classmethod
    def named(cls, revision: str, scenario: str = "mirror", **settings: bool | str) -> CodeBase:
        """The code base of this name, with knobs turned by hand: `False` and `"off"` are the same. Raises UnknownName."""
        return cls(find_revision(revision), find_scenario(scenario), settings=_turned_by_hand(settings))

    @property
    def turned(self) -> Revision:
        """The revision with its knobs turned; the name says which."""
        order = {} if self.order in (None, self.revision.knobs.order) else {"order": self.order}
        return with_settings(self.revision, {**order, **self.settings})

    @property
    def called(self) -> str:
        """What people call it: as it was asked for, by its release if it is one, and with what was turned by hand."""
        return called(self.turned)

    @property
    def title(self) -> str:
        """Its name in results and traces."""
        return f"{self.turned.name} / {self.scenario.name}"

    @property
    def heading(self) -> str:
        """Its name, what changed there, and what the scenario is."""
        row = self.turned
        release = f", {row.release}" if row.release else ""
        what = f"{self.title} ({row.date}{release}: {row.subject})"
        unexpected = "" if in_table(self.scenario) else "no expectation for this size"
        return "\n".join(filter(None, [what, why_it_stands(row), self.scenario.meaning, unexpected]))

    @property
    def options(self) -> str:
        """The options that name it, as a user would type them."""
        return self._options("--scenario", self.scenario.name)

    @property
    def options_everywhere(self) -> str:
        """The same in whatever scenario."""
        return self._options()

    def _options(self, *scenario: str) -> str:
        words = ["--revision", self.revision.stands_for or self.revision.name, *scenario]
        words += ["--order", self.order] if self.order else []
        for knob, value in self.settings.items():
            words += ["--set", f"{knob}={shown(value)}"]
        return shlex.join(words)

    @property
    def about(self) -> About:
        """What it is called, its release and date, and the scenario in words."""
        row = self.turned
        what = f"QEMU at {row.name} ({', '.join(filter(None, [row.release, row.date]))}): {row.subject}"
        what += f"; {why}" if (why := why_it_stands(row)) else ""
        return About(
            "code base",
            what,
            f"{self.scenario.name}: {self.scenario.meaning}",
            self.options,
            MARKS,
            windows=WINDOWS,
            teller=tell,
        )

    def expectation(self, property_name: str) -> Expectation | None:
        """What is expected of a property: nothing once knobs are turned by hand. GSource order changes no expectation."""
        if self.settings:
            return None
        return self.specification.expected(self.revision.name, self.scenario, property_name)

    def system(self) -> TransitionSystem:
        """The compiled model."""
        return self.specification.build(self.title, self.turned, self.scenario)

    def source(self) -> Source:
        """What a trace file needs to say to build it again."""
        return {
            "revision": self.revision.name,
            "scenario": self.scenario.name,
            "order": self.turned.knobs.order,
            "settings": {name: value for name, value in self.settings.items() if name != "order"},
            "specification": self.specification.name,
        }

    def impact(self, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
        """What comes of it for the guest; nothing to say of demands on whole runs."""
        return () if self.specification.probes is None else consequences(self.turned.knobs, verdicts)

    def matters(self, property_name: str) -> bool:
        """Not a rule inside QEMU."""
        return matters(property_name)

    def limits(self, property_name: str, outcome: Outcome) -> Sequence[str]:
        """What is left out (`abstractions`) and this verdict could turn on."""
        return [note.says for note in limits_on(self.turned.name, self.scenario, property_name, outcome)]

    def on_core(self) -> tuple[Knobs, Config]:
        """Knobs and configuration."""
        from draincheck.conformance.matrix import config_of

        return self.turned.knobs, config_of(self.scenario)


def named_by(source: Source | None, what: str = "trace") -> Subject:
    """The subject that a trace file (or `what` else) names.

    A user's model is a program. A file may come from anywhere, so that it names a program is no reason to run it.

    Raises MalformedModel if it names none that can be built, ForeignProgram for a user's model.
    """
    if source is None:
        raise MalformedModel(f"the {what} does not say which model it belongs to; export it again")
    try:
        return _named_by(source)
    except (UnknownName, KeyError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise MalformedModel(f"{what}.source does not name a model: {why}; export the {what} again") from error


def _named_by(source: Source) -> Subject:
    if "parametric" in source:
        from drainspecs.mirror.counted import Counted  # brings solvers

        return Counted.named(find_revision(_word(source, "revision")), _settings(source), _word(source, "parametric"))
    if "file" in source:
        name = f"{source['file']}:{source.get('function', '')}"[:200]
        raise ForeignProgram(name)
    revision, scenario = find_revision(_word(source, "revision")), find_scenario(_word(source, "scenario"))
    code_base = CodeBase(
        revision,
        scenario,
        shown(parse_setting(f"order={_word(source, 'order')}")[1]),
        _settings(source),
        find_specification(_word(source, "specification")),
    )
    return replace(code_base, order=None) if code_base.order == revision.knobs.order else code_base


def _word(source: Source, key: str) -> str:
    value = source[key]
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a name")
    return value


def _settings(source: Source) -> dict[str, Setting]:
    """The knobs turned by hand."""
    value: Mapping[str, Value] | str = source.get("settings", {})
    if not isinstance(value, Mapping):
        raise ValueError("settings is not an object")
    return _turned_by_hand(value)


def _turned_by_hand(settings: Mapping[str, Value]) -> dict[str, Setting]:
    """Knobs and what they are turned to, also in words. Raises UnknownName for what there is not."""
    return dict(
        parse_setting(f"{name}={shown(value if isinstance(value, bool) else str(value))}")
        for name, value in settings.items()
    )
