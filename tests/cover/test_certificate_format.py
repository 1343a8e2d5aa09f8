"""The file format of certificates: what is written is read again, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import z3

from draincheck.certificate import MOST_STEPS, Certificate, Header, InvariantClaim, make, read
from draincheck.certificate.format import CLAIM, MODEL, QUERIES, TITLE, written
from draincheck.errors import CertificateError
from draincheck.properties import Always
from draincheck.sorts import BOOL
from draincheck.system import BoolVar
from tests.support.machines import Machine, counter

CLAIMS = (
    InvariantClaim("holds at once"),
    InvariantClaim("far away", verdict="violated"),
    InvariantClaim("always near", progress=(3, 0), asked=((0, -1), (7,))),
    InvariantClaim("there", witness=((0, -1), (2, 0, 2))),
)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    """A certificate of a small machine, with everything a claim can be about."""
    return make(counter(3, "in range", "top", "ahead"), source={"revision": "abc", "settings": {"drain": "nested"}})


def test_header_is_read_as_it_was_written() -> None:
    """Every field of the header and of each kind of claim comes back."""
    header = Header("a model", "0123", CLAIMS, 3, True, {"file": "m.py", "function": "build"})
    found = read(written(header, ["(model)"], ["(one", "two)"], ["(queries)"]))
    assert found.header == header
    assert (found.model, found.claim, found.queries) == (("(model)",), ("(one", "two)"), ("(queries)",))


def test_text_is_a_script_for_any_solver(certificate: Certificate) -> None:
    """z3 and cvc5 run the file as it is, without this program: each answer is unsat, as its status says."""
    asked = certificate.text.count("(check-sat)")
    context = z3.Context()
    output = z3.Z3_eval_smtlib2_string(context.ref(), certificate.text)
    assert [line for line in output.splitlines() if "sat" in line] == ["unsat"] * asked
    cvc5: Any = import_module("cvc5")
    solver = cvc5.Solver(cvc5.TermManager())
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, certificate.text, "certificate")
    answers = []
    while not (command := parser.nextCommand()).isNull():
        answers.append(command.invoke(solver, parser.getSymbolManager()).strip())
    assert answers.count("unsat") == asked > 0


def test_names_of_all_kinds_become_one_line_of_ascii() -> None:
    """A property's name may be anything; the file stays printable ASCII, and every query a line."""
    bit = BoolVar("größe\nx", BOOL, (0,))
    machine = Machine(bit)
    machine.action('a "quoted"; (label)', ~bit, bit.clear())
    name = 'it\'s "so"\r\n; (assert false) \u2028 | größer \x1b[2J\0'
    certificate = make(machine.system(Always(name, ~bit)))
    assert certificate.text.isascii()
    assert certificate.header.claims[0].property == name
    assert read(certificate.text) == certificate


@pytest.mark.parametrize("sign", ["\r\n", "\0", "\t", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "é", "\x7f"])
def test_other_signs_than_printable_ascii_are_malformed(certificate: Certificate, sign: str) -> None:
    """What some readers take for the end of a line, or of a text, is not in a certificate."""
    text = certificate.text.replace(f"\n{CLAIM}\n", f"\n; {sign}\n{CLAIM}\n")
    with pytest.raises(
        CertificateError, match=r"^line \d+: the character '.*'; a certificate is made of printable ASCII"
    ):
        read(text)


@pytest.mark.parametrize("text", ["", "\n", "(check-sat)\n", TITLE.upper()])
def test_other_files_are_no_certificates(text: str) -> None:
    """The first line says what a file is."""
    with pytest.raises(CertificateError, match=r"^line 1: not a certificate"):
        read(text)


@pytest.mark.parametrize("mark", [MODEL, CLAIM, QUERIES])
def test_each_part_begins_once(certificate: Certificate, mark: str) -> None:
    """A part that is not there, or there twice, is malformed."""
    for text, count in ((certificate.text.replace(f"{mark}\n", ""), 0), (f"{certificate.text}{mark}\n", 2)):
        with pytest.raises(CertificateError, match=f"this one has {count}$"):
            read(text)


def test_parts_come_in_order(certificate: Certificate) -> None:
    """Model, claim, queries; and nothing between the header and the model."""
    swapped = certificate.text.replace(MODEL, "?").replace(CLAIM, MODEL).replace("?", CLAIM)
    between = certificate.text.replace(MODEL, f"(assert false)\n{MODEL}")
    for text in (swapped, between):
        with pytest.raises(CertificateError, match="not in order"):
            read(text)


Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.update(version=3), "version 3 of the format; this program reads 2"),
        (lambda h: h.pop("version"), "version None of the format"),
        (lambda h: h.pop("model"), "no 'model' of type str"),
        (lambda h: h.update(digest=7), "no 'digest' of type str"),
        (lambda h: h.update(claims={}), "no 'claims' of type list"),
        (lambda h: h.update(claims=[1]), "a claim is a JSON object, not 1"),
        (lambda h: h["claims"][0].pop("property"), "no 'property' of type str"),
        (lambda h: h["claims"][0].update(verdict="unknown"), "a verdict is holds or violated, not 'unknown'"),
        (lambda h: h["claims"].append(h["claims"][0]), "there are two claims about 'in range'"),
        (lambda h: h["claims"][1].update(witness=[]), "no 'witness' of type dict"),
        (lambda h: h["claims"][1]["witness"].pop("actions"), "no 'actions' of type list"),
        (lambda h: h["claims"][1]["witness"].update(initial=[0.0]), "'initial' is a list of integers"),
        (lambda h: h["claims"][1]["witness"].update(initial=[True]), "'initial' is a list of integers"),
        (lambda h: h.update(k=0), f"'k' is a number from 1 to {MOST_STEPS}, not 0"),
        (lambda h: h.update(k=-1), "'k' is a number from 1"),
        (lambda h: h.update(k=MOST_STEPS + 1), "'k' is a number from 1"),
        (lambda h: h.update(k=10**30), "'k' is a number from 1"),
        (lambda h: h.update(k=True), "'k' is a number from 1"),
        (lambda h: h.update(k=1.0), "no 'k' of type int"),
        (lambda h: h.update(simple=1), "no 'simple' of type bool"),
        (lambda h: h.update(source="ab27c3b5e7"), "no 'source' of type dict"),
    ],
)
def test_wrong_header_is_malformed(certificate: Certificate, change: Change, message: str) -> None:
    """A field that is missing, of another type or out of range: the message names it, and its line."""
    title, header, rest = certificate.text.split("\n", 2)
    document = json.loads(header.removeprefix("; "))
    change(document)
    with pytest.raises(CertificateError) as caught:
        read(f"{title}\n; {json.dumps(document)}\n{rest}")
    assert str(caught.value).startswith("line 2: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("source", "command"),
    [
        (
            {"revision": "9a0cec664e", "scenario": "mirror", "settings": {"drain": "nested", "x": True}},
            "prove --revision 9a0cec664e --scenario mirror --set drain=nested --set x=on",
        ),
        ({"file": "my model.py", "function": "build"}, "prove 'my model.py:build'"),
        ({"parametric": "any", "revision": "9a0cec664e", "settings": {}}, "parametric --revision 9a0cec664e"),
        ({}, "prove"),
    ],
)
def test_the_first_version_is_refused_with_the_command_that_makes_it_again(
    certificate: Certificate, source: dict[str, Any], command: str
) -> None:
    """What it lacks, and what to type: nothing in such a file shows that its properties are ever asked."""
    title, header, rest = certificate.text.split("\n", 2)
    document = json.loads(header.removeprefix("; ")) | {"version": 1, "source": source}
    with pytest.raises(CertificateError) as caught:
        read(f"{title}\n; {json.dumps(document)}\n{rest}")
    assert str(caught.value) == (
        "line 2: version 1 of the format; this program reads 2, where a path shows that each property is asked; "
        f"make it again: `check-invariants {command}`"
    )


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "header is missing"),
        ('{"version": 1}', "header is missing"),
        ("; {", "not JSON"),
        ("; []", "not a JSON object"),
        (f"; {'[' * 100_000}", "not JSON"),
        (f'; {{"version": 1, "k": {"9" * 5000}}}', "not JSON"),
    ],
)
def test_header_is_a_comment_of_json(certificate: Certificate, header: str, message: str) -> None:
    """What is no JSON object, or would exhaust the reader, is malformed."""
    title, _, rest = certificate.text.split("\n", 2)
    with pytest.raises(CertificateError, match=f"^line 2: .*{message}"):
        read(f"{title}\n{header}\n{rest}")


def test_half_a_certificate_is_malformed(certificate: Certificate) -> None:
    """A file that ends before its queries begin has no queries."""
    for share in range(1, 10):
        text = certificate.text[: certificate.text.index(QUERIES) * share // 10]
        with pytest.raises(CertificateError):
            read(text)
