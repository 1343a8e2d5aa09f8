"""Terms that stand in a system many times: written once, numbered once, and no way of its own for each answer of a test."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from draincheck.exploration.loop import Loop
from draincheck.expr import BoolExpr, Expr, ite
from draincheck.lang import Model
from draincheck.system import BoolVar, TransitionSystem
from draincheck.walks import bottom_up
from drainspecs.mirror.code_base import CodeBase
from tests.support.samples import sampled


def written_twice(negated: bool = False) -> TransitionSystem:
    """Two steps that store the same condition, which the model writes anew for each of them."""
    m = Model("twice")
    a, b, c = m.bool("a"), m.bool("b"), m.bool("c")

    def condition() -> BoolExpr:
        return (a & ~b) | (b & ~a)

    with m.thread("p") as p, p.loop():
        p.do("one", c.set(condition()))
        p.do("other", c.set(~condition() if negated else condition()))
        p.do("turn", a.set(~a), b.set(ite(c, a, b)))
    m.always("fine", condition() | ~condition())
    return m.compile()


def terms_of(system: TransitionSystem) -> list[Expr]:
    """Every term in its actions and properties, each object once."""
    roots: list[Expr] = [c for item in system.properties for c in item.conditions()]
    for action in system.actions:
        roots += [action.guard, *(update.value for update in action.updates)]
    found: dict[Expr, None] = {}
    for root in roots:
        found.update(dict.fromkeys(bottom_up(root)))
    return list(found)


def test_what_is_written_twice_is_one_term_of_the_system() -> None:
    """Both steps store the same object."""
    system = written_twice()
    one, other = (action.updates[0].value for action in system.actions[:2])
    assert one is other
    written = Counter((term.op, term.args) for term in terms_of(system) if term.args)
    assert set(written.values()) == {1}


def test_digest_does_not_see_who_has_made_a_term() -> None:
    """A system whose equal terms are apart has the digest of the one in which they are one; another term has another."""
    shared = written_twice()
    first, other, *rest = shared.actions
    value = other.updates[0].value
    apart = type(value)("", value.sort, op=value.op, args=value.args)
    copied = replace(other, updates=(replace(other.updates[0], value=apart), *other.updates[1:]))
    assert apart is not value
    assert replace(shared, actions=(first, copied, *rest)).digest == shared.digest
    assert written_twice(negated=True).digest != shared.digest


@pytest.mark.parametrize("scenario", sampled(["dataplane-reset", "dataplane-stop"], 1))
def test_sections_that_end_one_after_the_other_have_no_path_for_each_combination(scenario: str) -> None:
    """Eleven of them end in one step, each with a way out: a way more for each, not twice as many."""
    system = CodeBase.named("2398747128", scenario).system()
    assert len(system.actions) < 200
    assert len(Loop(system).source) < 1_000_000


def choices(depth: int) -> TransitionSystem:
    """A step that stores a choice whose two sides are one choice, and so on."""
    m = Model("choices")
    numbers = [m.int("n", 0, 2**depth), m.int("k", 0, 2**depth)]
    tests: list[BoolVar] = [m.any_initial(m.bool(f"a long name of a test {number}")) for number in range(depth)]
    with m.thread("p") as p, p.loop():
        with p.atomic():
            for number, test in enumerate(tests):
                with p.when(test):
                    p.do("swap", numbers[0].set(numbers[1]), numbers[1].set(numbers[0]))
                with p.otherwise():
                    p.do("set", numbers[0].set(number))
    m.always("fine", numbers[0] <= 2**depth)
    return m.compile()


def test_text_of_choices_grows_with_their_number() -> None:
    """Twice as many choices in one another have no more than a few times as much text."""
    shallow, deep = (len(Loop(choices(depth)).source) for depth in (6, 12))
    assert deep < 12 * shallow
