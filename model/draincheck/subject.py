"""What is checked: a system, with what people and files call it, and what is known of it beforehand."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from draincheck.run import Run
from draincheck.sorts import Value
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from draincheck.core.config import Config
    from draincheck.knobs import Knobs

__all__ = ["About", "Expectation", "Source", "Subject", "Teller", "check_command"]

#: how a file names a subject, so that it can be built again: revision, scenario, order, settings; or file and function of a user's
Source: TypeAlias = Mapping[str, str | Mapping[str, Value]]


#: says of a run, the number of a step from 1, and a letter beside it what happens there: a few words, and a sentence or two
Teller: TypeAlias = Callable[[Run, int, str], tuple[str, str]]


class Expectation(Struct, frozen=True):
    """An expected verdict. `argument` says why, `derived` that it is our argument and not a row of the history."""

    outcome: Outcome
    argument: str
    derived: bool


class About(Struct, frozen=True):
    """What a reader of a trace has to know who has nothing else.

    Attributes:
        kind: `code base` or `model`.
        what: which one: with its release and date, or with file and function.
        scenario: who does what, in words.
        options: the arguments that name it, as a user would type them.
        marks: the letters beside steps, each with what it stands for.
        tool: who found it, with its version.
        alone: the command that decides it, where that is not `check` and knows one property alone.
        windows: truth values of the model that say when a window is open, each with what the window is called.
        teller: who knows what a marked step means where it is taken.
    """

    kind: str
    what: str
    scenario: str
    options: str
    marks: Mapping[str, str] = {}
    tool: str = "check-invariants"
    alone: str = ""
    windows: Mapping[str, str] = {}
    teller: Teller | None = None


def check_command(options: str, *properties: str) -> str:
    """The command that decides these properties (all if there are none) of what the options name, to copy into a shell."""
    asked = "".join(f" --property {shlex.quote(name)}" for name in properties)
    return f"check-invariants check {options}{asked}"


class Subject(Protocol):
    """What can be checked. Specifications provide the code bases; a file of a user's is one, too (`model_file`)."""

    @property
    def title(self) -> str:
        """Its name in results and traces."""
        ...

    @property
    def heading(self) -> str:
        """Its name with what there is to say of it, in a line or more."""
        ...

    @property
    def about(self) -> About:
        """What a reader of its traces has to know."""
        ...

    def system(self) -> TransitionSystem:
        """The compiled model. Raises ModelError if it cannot be given a meaning."""
        ...

    def source(self) -> Source:
        """What a file needs to say to build it again."""
        ...

    def expectation(self, property_name: str) -> Expectation | None:
        """What is expected of a property, None if nothing is."""
        ...

    def impact(self, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
        """What the verdicts mean for whoever owns the data, in words; nothing where nobody owns any."""
        ...

    def matters(self, property_name: str) -> bool:
        """Whether a violation of this property alone is bad news; a rule inside QEMU may be broken and no guest see it."""
        ...

    def limits(self, property_name: str, outcome: Outcome) -> Sequence[str]:
        """What the model leaves out and this verdict could turn on."""
        ...

    def on_core(self) -> tuple[Knobs, Config]:
        """What the reference core is started with to do the same. Raises ModelError if it cannot."""
        ...
