"""The language of claims: it has what certificates need, and nothing that could do harm."""

from __future__ import annotations

import pytest

from draincheck.certificate.claim import DEEPEST, check_claim
from draincheck.errors import ClaimError

INV = "(define-fun inv ((v0 Bool) (v1 (_ BitVec 2))) Bool "
RANK = "(define-fun rank0.0 ((v0 Bool) (v1 (_ BitVec 2))) Bool "


@pytest.mark.parametrize(
    "body",
    [
        "true",
        "v0",
        "(and v0 (= v1 #b01))",
        "(and (domain v0 v1)\n (or v0 (not (= v1 #b10))))",
        "(let ((n0 v0)) (let ((n1 (ite n0 v0 n0)) (?2 (=> n0 v0))) (and n1 ?2)))",
        "(bvult ((_ zero_extend 2) v1) (bvadd #b0001 ((_ extract 3 0) v1)))",
        "(<= (+ 1 2) (- 3))",
    ],
)
def test_terms_of_certificates_are_let_through(body: str) -> None:
    """Everything that certificates are made of."""
    check_claim(f"{INV}{body})", [INV])


def test_definitions_come_in_the_given_order() -> None:
    """Each with its signature, and all of them."""
    check_claim(f"{INV}true)\n\n{RANK}\nfalse\n)", [INV, RANK])
    for text in (f"{RANK}true)", f"{INV}true)", f"{RANK}true) {INV}true)", f"{INV}true) {INV}true)", ""):
        with pytest.raises(ClaimError, match=r"its claim has .* where .* is expected"):
            check_claim(text, [INV, RANK])


@pytest.mark.parametrize(
    "signature",
    [
        "(define-fun inv ((v0 Bool)) Bool ",
        "(define-fun inv ((v1 Bool) (v0 (_ BitVec 2))) Bool ",
        "(define-fun inv ((v0 Bool) (v1 (_ BitVec 3))) Bool ",
        "(define-fun inv2 ((v0 Bool) (v1 (_ BitVec 2))) Bool ",
        "(define-fun-rec inv ((v0 Bool) (v1 (_ BitVec 2))) Bool ",
        "(define-const inv Bool ",
        "(declare-fun inv (Bool (_ BitVec 2)) Bool",
    ],
)
def test_other_signatures_are_refused(signature: str) -> None:
    """Other parameters, other sorts, another name, another command."""
    with pytest.raises(ClaimError, match=r"where '?\(define-fun inv"):
        check_claim(f"{signature}true)", [INV])


@pytest.mark.parametrize(
    "more",
    [
        "(assert false)",
        "(set-logic ALL)",
        "(set-option :produce-models true)",
        "(push 1)",
        "(pop 1)",
        "(check-sat)",
        "(reset)",
        "(exit)",
        '(include "other.smt2")',
        "(define-fun step () Bool false)",
        "(define-fun violated0 () Bool false)",
        "(declare-const v0.0 Bool)",
        "; a comment",
        "true",
        ")",
    ],
)
def test_nothing_follows_the_definitions(more: str) -> None:
    """Not on a line of its own, not on the same line, and not before them."""
    for text in (f"{INV}true)\n{more}", f"{INV}true){more}", f"{more}\n{INV}true)"):
        with pytest.raises(ClaimError):
            check_claim(text, [INV])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("true)(assert false", "goes on after the last definition"),
        ("true false", "'false' where '\\)' is expected"),
        ("v2", "'v2', which is neither a constant nor in scope"),
        ("v0.0", "neither a constant nor in scope"),
        ("c.1", "neither a constant nor in scope"),
        ("w0", "neither a constant nor in scope"),
        ("n0", "neither a constant nor in scope"),
        ("|v0|", "neither a constant nor in scope"),
        ('"v0"', "neither a constant nor in scope"),
        ("; true", "neither a constant nor in scope"),
        ("#xff", "neither a constant nor in scope"),
        ("1.0", "neither a constant nor in scope"),
        ("let", "neither a constant nor in scope"),
        ("()", "no function"),
        ("(inv v0 v1)", "'inv', which is no function"),
        ("(rank0.0 v0 v1)", "no function"),
        ("(violated0 v0 v1)", "no function"),
        ("(step v0 v1 v0 v1 #b0)", "no function"),
        ("(! true :named step)", "'!', which is no function"),
        ("(forall ((x Bool)) x)", "'forall', which is no function"),
        ("(exists ((x Bool)) x)", "no function"),
        ("(as true Bool)", "no function"),
        ("(bvudiv v1 v1)", "no function"),
        ("(and true (_ bv1 2))", "'_', which is no function"),
        ("((_ repeat 2) v1)", "'repeat', which is no function"),
        ("((_ zero_extend x) v1)", "the index 'x'"),
        ("((_ zero_extend 99999999) v1)", "the index '99999999'"),
        ("((_ extract 1) v1)", "the index '\\)'"),
        ("((as const Bool) v0)", "'as' where '_' is expected"),
        ("(let ((v0 true)) v0)", "defines 'v0'"),
        ("(let ((true false)) true)", "defines 'true'"),
        ("(let ((and v0)) and)", "defines 'and'"),
        ("(let ((v0.0 true)) v0)", "defines 'v0.0'"),
        ("(let ((n0 n0)) n0)", "neither a constant nor in scope"),
        ("(let ((n0 v0) (n1 n0)) n1)", "neither a constant nor in scope"),
        ("(and (let ((n0 v0)) n0) n0)", "neither a constant nor in scope"),
        ("(let () (let ((n0 v0)) n1))", "neither a constant nor in scope"),
        ("(and", "where a term|ends in the middle|neither"),
    ],
)
def test_other_terms_are_refused(body: str, message: str) -> None:
    """Names out of scope, names that a let may not take, functions and annotations that are not needed, comments, quotes."""
    with pytest.raises(ClaimError, match=message):
        check_claim(f"{INV}{body})", [INV])


def test_end_in_the_middle_is_refused() -> None:
    """A claim that lacks its last parentheses."""
    text = f"{INV}(and v0 (= v1 #b01)))"
    for end in range(len(INV) + 1, len(text)):
        with pytest.raises(ClaimError):
            check_claim(text[:end], [INV])


@pytest.mark.parametrize(("begin", "end"), [("(not ", ")"), ("(let ((n0 v0)) ", ")"), ("(let ((n0 ", ")) n0)")])
def test_depth_has_an_end(begin: str, end: str) -> None:
    """A text that is nested too deeply for a solver's stack is refused before a solver reads it."""
    check_claim(f"{INV}{begin * 1000}v0{end * 1000})", [INV])
    with pytest.raises(ClaimError, match="nested too deeply"):
        check_claim(f"{INV}{begin * DEEPEST}v0{end * DEEPEST})", [INV])
