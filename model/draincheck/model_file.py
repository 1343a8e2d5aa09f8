"""A user's model: `MODEL.py:FUNCTION`, where the function returns a `draincheck.lang.Model` or a `TransitionSystem`.

The function may take parameters (`parameters`), and have variants with what is expected of each (`lang.variations`):
`MODEL.py:FUNCTION:VARIANT` is one of them, `MODEL.py` all that the file has.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from draincheck.errors import MalformedModel, ModelError, NoModelName, NoSuchModel, UnfitParameters
from draincheck.lang import Model
from draincheck.lang.variations import Variant, variants_of
from draincheck.names import nearest
from draincheck.parameters import MOST, Parameters, assigned, called_with, shown, typed
from draincheck.program import Program
from draincheck.properties import FAULTS
from draincheck.ranges import guarded
from draincheck.sorts import Value
from draincheck.subject import About, Expectation, Source
from draincheck.system import TransitionSystem
from draincheck.verdict import Outcome, Verdict
from draincheck.words import counted, listed

if TYPE_CHECKING:
    from draincheck.core.config import Config
    from draincheck.knobs import Knobs

__all__ = ["Builder", "ModelFile", "Name", "builders"]


class ModelFile(Struct, frozen=True):
    """A model of the user's, loaded.

    Attributes:
        file: as given.
        function: as given.
        built: what the function returned, compiled.
        parameters: those that it was given; the others have their defaults.
        variant: the variant that this is; None for a function that was asked about as such, and nothing is expected then.
    """

    file: str
    function: str
    built: TransitionSystem
    parameters: Mapping[str, Value] = field(default_factory=dict[str, Value])
    variant: Variant | None = None

    @classmethod
    def load(cls, name: str, parameters: Mapping[str, Value] | None = None) -> ModelFile:
        """Import the file, call the function (of a variant with its parameters), compile what it returns.

        `parameters` are given to it beside those of the variant, as values or as a user writes them. What the file prints goes to
        standard error; a process that it forks ends with the function.

        Raises:
            NoSuchModel: the name leads nowhere.
            UnfitParameters: the function does not take these parameters.
            MalformedModel: with the place, a file that cannot be used.
        """
        return Builder.load(name).build(parameters or {})

    @property
    def title(self) -> str:
        """Its name in results and traces."""
        return self.built.name

    @property
    def name(self) -> str:
        """What it is called on the command line: its file, function and variant."""
        return f"{self.file}:{self.function}{'' if self.variant is None else f':{self.variant.name}'}"

    @property
    def options(self) -> str:
        """The arguments that name it, as a user would type them."""
        return _options(self.name, {} if self.variant is not None else self.parameters)

    @property
    def heading(self) -> str:
        """Its name, and where it comes from, with its parameters."""
        return f"{self.title} ({', '.join(filter(None, [self.name, assigned(self.parameters)]))})"

    @property
    def about(self) -> About:
        """Its file and function, its parameters, and who takes part."""
        what = ", ".join(filter(None, [self.name, assigned(self.parameters)]))
        processes = list(dict.fromkeys(action.process for action in self.built.actions))
        return About(
            "model",
            f"{self.title} ({what})",
            f"what {listed(processes)} {'does' if len(processes) == 1 else 'do'}",
            self.options,
        )

    def system(self) -> TransitionSystem:
        """The compiled model."""
        return self.built

    def expectation(self, property_name: str) -> Expectation | None:
        """What a variant expects; of other models nothing is expected but what they demand."""
        if self.variant is None:
            return None
        return Expectation(Outcome(self.variant.expected(property_name)), f"{self.variant.line} says so", False)

    def source(self) -> Source:
        """What a trace file needs to say to build it again."""
        parameters = {"parameters": self.parameters} if self.parameters else {}
        return {"file": self.file, "function": self.function, **parameters}

    def matters(self, property_name: str) -> bool:
        """Whatever a model of the user's demands does."""
        return True

    def impact(self, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
        """Nothing: nobody knows whose data it is about."""
        return ()

    def limits(self, property_name: str, outcome: Outcome) -> Sequence[str]:
        """Nothing is known of what it leaves out."""
        return ()

    def on_core(self) -> tuple[Knobs, Config]:
        """Raises ModelError: the core knows QEMU alone."""
        raise ModelError("the core runs QEMU's code bases, not a model of your own")


class Name(Struct, frozen=True):
    """`MODEL.py`, `MODEL.py:FUNCTION` or `MODEL.py:FUNCTION:VARIANT` in its parts; "" for one that it does not have."""

    file: str
    function: str = ""
    variant: str = ""

    @classmethod
    def of(cls, text: str) -> Name:
        """The parts. Raises NoSuchModel for a text that is none of these."""
        found = re.fullmatch(r"(.+?\.py)(?::([^:]+)(?::(.+))?)?", text, re.DOTALL)
        parts = text.rpartition(":") if found is None else ("", "", "")
        if found is None and not (parts[0] and parts[2]):
            raise NoModelName(text)
        return cls(parts[0], parts[2]) if found is None else cls(found[1], found[2] or "", found[3] or "")


class Builder(Struct, frozen=True, dict=True):
    """A function of a user's file that makes models; with a variant, one that makes that."""

    program: Program
    function: str
    call: Callable[..., object]
    variant: Variant | None = None

    @classmethod
    def load(cls, text: str) -> Builder:
        """The one that a name means. Raises NoSuchModel for a name that leads nowhere, and MalformedModel for a file that cannot be used."""
        name = Name.of(text)
        if not name.function:
            raise NoModelName(name.file)
        program = Program.load(name.file)
        made = cls(program, name.function, program.function(name.function))
        return made.of_variant(name.variant) if name.variant else made

    def of_variant(self, name: str) -> Builder:
        """The variant of this name. Raises NoSuchModel."""
        known = {item.name: item for item in variants_of(self.call)}
        if name not in known:
            why = str(nearest("variant", name, list(known))) if known else f"{self.function} has no variants"
            raise NoSuchModel(f"{self.program.file}: {why}")
        return replace(self, variant=known[name])

    @cached_property
    def parameters(self) -> Parameters:
        """What the function takes."""
        return self.program.run(self.function, lambda: Parameters.of(self.call, self.function))

    @property
    def given(self) -> dict[str, Value]:
        """The parameters that the variant gives. Raises MalformedModel if the function does not take them."""
        if self.variant is None:
            return {}
        try:
            return {name: self.parameters.named(name).kept(value) for name, value in self.variant.parameters.items()}
        except UnfitParameters as error:
            raise MalformedModel(f"{self.variant.line}: the variant {self.variant.name!r}: {error}") from error

    @property
    def title(self) -> str:
        """What tells it from the others of its file."""
        return self.function if self.variant is None else f"{self.function}:{self.variant.name}"

    def options(self, given: Mapping[str, Value]) -> str:
        """The arguments that name the model with these parameters, as a user would type them."""
        return _options(f"{self.program.file}:{self.title}", given)

    def points(self, given: Mapping[str, Value]) -> list[dict[str, Value]]:
        """All combinations of the values that are given, each as `build` takes it. Raises UnfitParameters, also for too many of them."""
        axes = {name: self.parameters.named(name).several(value) for name, value in given.items()}
        self.parameters.demand_all({**self.given, **axes})
        if (size := prod(map(len, axes.values()))) > MOST:
            raise UnfitParameters(
                f"{counted(size, 'combination')} are too many for one table, which takes {MOST} at most"
            )
        return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]

    def build(self, parameters: Mapping[str, Value]) -> ModelFile:
        """The model with these parameters; of a variant that is given others than its own, nothing is expected any more.

        Raises UnfitParameters, and MalformedModel.
        """
        own = self.given
        values = self.parameters.read({**own, **parameters})
        file, variant = self.program.file, self.variant if typed(values) == typed(own) else None
        made = self.program.run(self.function, lambda: _compiled(called_with(self.call, self.parameters.made(values))))
        if not isinstance(made, TransitionSystem):
            wanted = "wanted is a draincheck.lang.Model or a TransitionSystem"
            raise MalformedModel(f"{file}: {self.function}() returns {_article(type(made).__name__)}; {wanted}")
        found = ModelFile(file, self.function, made, values, variant)
        _check_expected(found)
        return found


def builders(text: str) -> list[Builder]:
    """What a name means: one model, or all variants of a file. Raises as `Builder.load`, and NoSuchModel for a file that has none."""
    name = Name.of(text)
    if name.function:
        return [Builder.load(text)]
    program = Program.load(name.file)
    found = [Builder(program, function, call, item) for function, call, item in program.variants()]
    if not found:
        known = [shlex.quote(f"{name.file}:{function}") for function in program.functions]
        named = listed(known, "or") or "as MODEL.py:FUNCTION"
        raise NoSuchModel(f"{name.file} has no variants: name a function of it, {named}")
    return found


def _options(name: str, parameters: Mapping[str, Value]) -> str:
    """The arguments that name a model with these parameters."""
    return shlex.join([name, *(word for n, v in parameters.items() for word in ("--set", f"{n}={shown(v)}"))])


def _compiled(made: object) -> object:
    """A model as a system; anything else as it is."""
    if isinstance(made, Model):
        return made.compile()
    return guarded(made) if isinstance(made, TransitionSystem) else made


def _check_expected(model: ModelFile) -> None:
    """Raise MalformedModel if something is expected of a property that the model does not demand."""
    if model.variant is None:
        return
    known = [item.name for item in (*model.built.properties, *FAULTS.values())]
    for name in model.variant.expect:
        if name not in known:
            near = nearest("property", name, known)
            raise MalformedModel(
                f"{model.variant.line}: the variant {model.variant.name!r} expects something of an {near}"
            )


def _article(name: str) -> str:
    return "None" if name == "NoneType" else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
