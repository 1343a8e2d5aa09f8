"""Exports say what they are of, name everything apart, and say what they cannot carry; the command writes them whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import z3
from msgspec.structs import replace

from draincheck.errors import ExportError, ModelError
from draincheck.export import FORMATS, Exported, Origin, demanded, infix, tla
from draincheck.export.naming import Spellings, letters, remark
from draincheck.naturals import NATURAL
from draincheck.properties import Always, CanAlwaysFinish, Eventually, NoDeadlock, Property
from draincheck.sorts import BOOL, EnumSort, IntSort
from draincheck.system import BoolVar, EnumVar, IntVar, TransitionSystem
from tests.golden.documents import validator
from tests.support.cli import run
from tests.support.exported import shifting
from tests.support.machines import Machine, clock, philosophers
from tests.support.tla import Module

ORIGIN = Origin("of", command="how")

#: names that break things: signs of every language here, reserved words, names that become one another, nothing but signs
NASTY = (
    "x", "X", "x_", "x_2", "x 2", "x_2_", "x'", "x @1", "|x|", "x\\", "\\", '"', "*/", "(*", "*)", "%d %s", "$x", "{a|b}", "a/b", "a b", "a:b", "-1", "1",
    "☃", "ünï", "\ud800", "\x1b[31m", "two\nlines", "?0", "#", "@", "_", "true", "assert", "and", "linux", "unix", "errno", "now", "skip", "init", "step",
    "c", "c.1", "domain", "vars", "Next", "Init", "WF_x", "SF_x", "IF", "TypeOK", "select", "violates x", "v" * 300, "v" * 301, "new 0", "steps", "end",
    "run", "do", "od", "int", "byte", "short", "double", "static", "struct", "stdin", "_pid", "np_", "sv", "as", "let", "par", "BOOLEAN", "Nat", "STRING",
)  # fmt: skip


def nasty() -> TransitionSystem:
    """Variables, values, actions, processes and properties with these names."""
    bits = [BoolVar(name, BOOL, (0,)) for name in NASTY]
    state = EnumVar("state", EnumSort.of(NASTY), (0,))
    machine = Machine(*bits, state)
    for bit, name in zip(bits, NASTY, strict=True):
        machine.action(name, ~bit & state.is_(NASTY[0]), bit.set(), state.set(name), process=name)
    return machine.system(*(Always(f"{name} ", ~bit) for name, bit in zip(NASTY, bits, strict=True)))


def written(form: str, system: TransitionSystem) -> Exported:
    """A system with all that is demanded of it, in a format."""
    return FORMATS[form].write(system, demanded(system), ORIGIN)


@pytest.mark.parametrize("form", FORMATS)
def test_names_are_told_apart(form: str) -> None:
    """Every property has a name of its own, whatever it is called, and the file is printable ASCII."""
    found = written(form, nasty())
    assert len({called for _, called in found.carried}) == len(NASTY)
    assert set(found.text) <= {"\n", *map(chr, range(32, 127))}


@pytest.mark.slow
def test_a_module_with_nasty_names_is_one() -> None:
    """TLA+: it is parsed, nothing is defined twice, and it has the right states: a name after none, or after the first."""
    module = Module(written("tla", nasty()).text)
    assert len(set(module.variables)) == len(NASTY) + 1
    assert len(module.states.order) == 2 * len(NASTY)


def test_solvers_read_nasty_names() -> None:
    """SMT-LIB: z3 reads the definitions, and finds the first bit set after two steps."""
    solver = z3.Solver(ctx=z3.Context())
    solver.from_string(written("smtlib", nasty()).text.replace("(push 1)", "").replace("(pop 1)", ""))
    assert solver.check() == z3.sat


@pytest.mark.needs("spin")
@pytest.mark.needs("gcc")
def test_spin_reads_nasty_names(tmp_path: Path) -> None:
    """Promela: what C and Spin know already is called otherwise, and all is found."""
    from tests.support.spin import search

    found = search(written("promela", nasty()), tmp_path)
    assert (found.states, len(found.shown)) == (2 * len(NASTY), len(NASTY))


def test_names_that_one_function_makes_equal_are_numbered() -> None:
    """The first keeps its name; what is reserved is nobody's."""
    names = Spellings(lambda name, number: letters(name) if number == 1 else f"{letters(name)}_{number}", {"a_b", "x"})
    assert [names.new(name) for name in ("a/b", "a b", "a_b_2", "", "q")] == ["a_b_2", "a_b_3", "a_b_2_2", "x_2", "q"]


@pytest.mark.parametrize("text", ["*/", "/*/", "(*)", "/**/", "**/", "x */ y", "(* *)"])
def test_no_comment_ends_or_begins_in_a_remark(text: str) -> None:
    """Whatever signs follow each other."""
    assert not any(sign in remark(text) for sign in ("*/", "/*", "(*", "*)"))


def _system(item: Callable[[BoolVar], Property], resting: bool = False) -> TransitionSystem:
    bit = BoolVar("bit", BOOL, (0,))
    machine = Machine(bit)
    machine.action("set", ~bit, bit.set())
    return replace(machine.system(item(bit)), at_rest=(("p", bit),) if resting else ())


@pytest.mark.parametrize(
    ("item", "resting", "carried", "left_out"),
    [
        (lambda bit: Always("it", bit), False, set(FORMATS), set()),
        (lambda bit: CanAlwaysFinish("it", bit), False, set(), set(FORMATS)),
        (lambda bit: Eventually("it", bit), False, {"tla"}, {"promela", "smtlib"}),
        (lambda bit: NoDeadlock("it"), False, set(FORMATS), set()),
        (lambda bit: NoDeadlock("it"), True, set(FORMATS), set(FORMATS)),
    ],
    ids=["always", "in reach", "in the end", "deadlock", "deadlock of one"],
)
def test_what_a_format_lacks_is_named(
    item: Callable[[BoolVar], Property], resting: bool, carried: set[str], left_out: set[str]
) -> None:
    """In what is returned, and in the file; what it has in part is in both."""
    found = {form: written(form, _system(item, resting)) for form in FORMATS}
    assert {form for form, each in found.items() if each.carried} == carried
    assert {form for form, each in found.items() if each.left_out} == left_out
    assert {form for form, each in found.items() if "NOT HERE: it: " in each.text} == left_out


def test_runs_of_a_quotient_are_not_carried() -> None:
    """Demands on whole runs mean nothing where states were made one; all others are there."""
    system = replace(_system(lambda bit: Eventually("it", bit)), quotient="bits that are alike")
    assert [each.name for each in written("tla", system).left_out] == ["it"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_says_what_it_is_of(form: str) -> None:
    """Title, command, digest."""
    system = philosophers()
    text = written(form, system).text
    assert all(said in text for said in ("of\n", "how", system.digest, "4 variables, 6 actions of 2 processes"))


def test_numbers_without_an_end() -> None:
    """SMT-LIB and TLA+ have them; in Promela they are refused with the reason."""
    number = IntVar("number", NATURAL, (0,))
    machine = Machine(number)
    machine.action("count", number < 3, number.inc())
    system = machine.system(Always("small", number < 3))
    assert "number \\in Nat" in written("tla", system).text
    assert "(<= 0 |number|)" in written("smtlib", system).text
    with pytest.raises(ModelError, match="no upper end"):
        written("promela", system)


@pytest.mark.parametrize("form", ["promela", "tla"])
def test_terms_that_would_not_end_are_refused(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that a term shares are written out each time: of what grows beyond all bounds the first characters are named."""
    monkeypatch.setattr(infix, "LONGEST", 1000)
    number = IntVar("number", IntSort(0, 3), (0,))
    sum_ = number + 0
    for _ in range(20):
        sum_ = sum_ + sum_
    machine = Machine(number)
    machine.action("count", sum_ < 3, number.set(1))
    with pytest.raises(ExportError, match="more than 1000 characters"):
        written(form, machine.system())


# -- the command

MODEL = """
from draincheck.lang import Model
def build(wide: bool = False):
    m = Model("own")
    x = m.int("x", 0, 1 << 40 if wide else 3)
    with m.thread("t") as p:
        p.do("up", x.inc())
    m.always("never", x < 1)
    m.can_always_finish("finish", x.is_(1))
    return m
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a model, where commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(MODEL, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("suffix", "sign"), [(".pml", "active proctype"), (".tla", "MODULE out"), (".smt2", "define-fun")]
)
def test_the_suffix_means_the_format(suffix: str, sign: str, model: Path) -> None:
    """As it does for graphs; what is not in the file is named on standard error."""
    found = run("model", "export", "own.py:build", "-o", f"out{suffix}")
    assert (found.exit_code, found.stdout) == (0, "")
    assert "not in the file: finish" in found.stderr
    assert sign in (model / f"out{suffix}").read_text(encoding="ascii")


def test_one_property_alone(model: Path) -> None:
    """What is asked about, and nothing else."""
    found = run("model", "export", "own.py:build", "--property", "never", "--format", "promela")
    assert (found.exit_code, found.stderr) == (0, "")
    assert "finish" not in found.stdout
    assert run("model", "export", "own.py:build", "--property", "nver").exit_code == 2


def test_a_document_says_what_is_carried(model: Path) -> None:
    """The text is in it, and what the properties are called there."""
    found = run("model", "export", "own.py:build", "--json", "--format", "tla")
    data = json.loads(found.stdout)
    validator("model-export").validate(data)
    assert {"property": "never", "called": "never"} in data["carried"]
    assert [each["property"] for each in data["left_out"]] == ["finish"]


def test_a_file_with_a_document_is_called_one(model: Path) -> None:
    """Whatever its suffix says."""
    for options, said in (([], "own as promela"), (["--json"], "own as promela, in a JSON document,")):
        found = run("model", "export", "own.py:build", "--property", "never", "-o", "out.pml", *options)
        assert (found.exit_code, found.stderr) == (0, f"{said} written to out.pml\n")
        assert (model / "out.pml").read_text(encoding="utf-8").startswith("{") is bool(options)


def test_what_a_format_cannot_hold_is_refused(model: Path) -> None:
    """Numbers of more than 32 bits are no numbers of Spin's; no file is written, and the other formats have them."""
    found = run("model", "export", "own.py:build", "--set", "wide=true", "-o", "out.pml")
    assert (found.exit_code, "32 bits" in found.stderr, (model / "out.pml").exists()) == (2, True, False)
    assert run("model", "export", "own.py:build", "--set", "wide=true", "-o", "out.smt2").exit_code == 0


def test_the_model_is_not_replaced(model: Path) -> None:
    """Nor by what was made of it."""
    found = run("model", "export", "own.py:build", "-o", "own.py")
    assert (found.exit_code, "would be replaced" in found.stderr) == (2, True)
    assert (model / "own.py").read_text(encoding="utf-8") == MODEL


def test_a_system_without_variables_is_refused_where_it_cannot_be_said() -> None:
    """TLA+ and SMT-LIB name states by variables."""
    for form in ("tla", "smtlib"):
        with pytest.raises(ExportError, match="no variables"):
            written(form, Machine().system())
    assert written("promela", clock()).extra_states == 1


@pytest.mark.parametrize("title", ["Naturals", "Integers", "TLC", "Init", "Nat", "MODULE"])
def test_a_module_has_no_name_that_means_something(title: str) -> None:
    """A title that is a standard module's, or a word of the language, gets a mark; any other is the name."""
    system = replace(shifting(), name=title)
    assert tla.to_tla(system, (), Origin(title)).text.startswith(f"---- MODULE {title}_ ----")
    assert tla.to_tla(replace(system, name="Loop"), (), Origin("Loop")).text.startswith("---- MODULE Loop ----")
