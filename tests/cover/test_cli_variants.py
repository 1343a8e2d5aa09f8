"""`check` of the variants of a file: what one of them lacks, or does wrong, hides no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.several_models import COUNTER, document, lines


def test_an_expected_error_that_never_comes_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where no run meets any error; one that comes is as expected."""
    monkeypatch.chdir(tmp_path)
    Path("errors.py").write_text(ERRORS, encoding="utf-8")
    (sound, wrong, unasked) = document("errors.py", code=10)["models"]
    assert [item["name"] for item in sound["properties"]] == ["fine", "no error met"]
    verdicts = [{item["name"]: item["verdict"] for item in found["properties"]} for found in (sound, wrong, unasked)]
    assert [found["no error met"] for found in verdicts] == ["violated", "holds", "holds"]
    shown = lines("errors.py", code=10)[0]
    assert (
        shown
        == "errors.py: 3 variants; not as expected: f:comes no more (no error met holds) and f:unasked (no error met holds)"
    )


ERRORS = """
from draincheck.lang import Model, variant

@variant("comes", again=True, expect={"no error met": "violated"})
@variant("comes no more", again=False, expect={"no error met": "violated"})
@variant("unasked", again=False, expect={"no error met": "never asked"})
def f(again: bool) -> Model:
    m = Model("free")
    freed = m.bool("freed")
    with m.thread("a") as p:
        p.do("free", freed.set())
        if again:
            p.error("freed twice", when=freed)
    m.always("fine", freed | ~freed)
    return m
"""


@pytest.mark.slow
def test_what_is_never_asked_as_expected_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer for one variant names it."""
    monkeypatch.chdir(tmp_path)
    text = COUNTER.replace(
        '@variant("low", last=2)', '@variant("low", last=2, ask=False, expect={"asked": "never asked"})'
    )
    Path("counter.py").write_text(text.replace("n.inc(step)", "n.set(n + step)"), encoding="utf-8")
    assert lines("counter.py:counter:low", code=10)[0].endswith(
        ": everything that is asked holds; never asked, as expected: asked"
    )
    alone = lines("counter.py:counter:low", "--property", "asked", code=10)
    assert alone[0].endswith(": nothing is asked; never asked, as expected: asked")


SILENT = """
from draincheck.lang import Model, variant

@variant("a", demand=False)
@variant("b")
@variant("c", demand=False, wrong=True)
def quiet(demand: bool = True, wrong: bool = False) -> Model:
    m = Model("quiet")
    x, n = m.bool("x"), m.int("n", 0, 1)
    with m.thread("thread") as p:
        p.do("set", x.set())
        if wrong:
            p.do("two", n.inc())
            p.do("too many", n.inc())
    if demand:
        m.always("fine", x | ~x)
    return m
"""


def test_a_variant_that_demands_nothing_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10: it is one red line with its name; the others are decided, the error of a run that nobody demands included."""
    monkeypatch.chdir(tmp_path)
    Path("quiet.py").write_text(SILENT, encoding="utf-8")
    data = document("quiet.py", code=10)
    refused = {row["name"]: row["refused"] for row in data["models"]}
    assert [bool(why) for why in refused.values()] == [True, False, False]
    assert "demands nothing" in refused["quiet:a"]
    verdicts = [[(item["name"], item["verdict"]) for item in row["properties"]] for row in data["models"]]
    assert verdicts == [[], [("fine", "holds")], [("values in range", "violated")]]
    assert "quiet:a" in data["answer"] and "quiet:b" not in data["answer"]
    assert run("check", "quiet.py:quiet", "--set", "demand=on,off").exit_code == 10
    only_good = SILENT.replace('@variant("a", demand=False)\n', "").replace(", wrong=True)", ")")
    Path("quiet.py").write_text(only_good.replace('"c", demand=False', '"c"'), encoding="utf-8")
    assert document("quiet.py", code=0)["models"][0]["refused"] is None


FAULTY = """
from draincheck.lang import Model, variant

@variant("a", label="setting", expect={"fine": "violated"})
@variant("b c", label="set")
@variant("d", label="set", expect={"fien": "holds"})
@variant("e", label="set", expect={"fine": "violated"})
def build(label: str = "set", last: int = 1) -> Model:
    m = Model("faulty")
    x = m.bool("x")
    with m.thread("thread") as p:
        p.do("set", x.set())
        p.do("other", x.clear())
    m.fair(p, step=label)
    m.always("fine", ~x)
    if last > 1:
        m.always("again", x + 1)
    return m
"""


def test_a_variant_that_cannot_be_built_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """150: each is named with its line and the command that shows it, and the others are decided; so of several values of a parameter."""
    monkeypatch.chdir(tmp_path)
    Path("faulty.py").write_text(FAULTY, encoding="utf-8")
    data = document("faulty.py", code=150)
    refused = {row["name"]: row["refused"] for row in data["models"]}
    assert refused["build:a"] == "faulty.py:14: fairness of thread: unknown step 'setting'; did you mean set?"
    assert refused["build:d"].startswith("faulty.py:6: the variant 'd' expects something of an unknown property")
    assert (refused["build:b c"], refused["build:e"]) == (None, None)
    assert [row["model"] for row in data["models"]] == [None, "faulty", None, "faulty"]
    assert [row["variant"] for row in data["models"]] == ["a", "b c", "d", "e"]
    assert (
        data["answer"]
        == "faulty.py: 4 variants; not as expected: build:b c (fine violated); refused: build:a and build:d"
    )
    shown = run("check", "faulty.py")
    seen = [line for line in shown.stdout.splitlines() if line.startswith("see: ")]
    assert seen == [
        f"see: check-invariants check {name}"
        for name in ("faulty.py:build:a", "faulty.py:build:d", "'faulty.py:build:b c'")
    ]
    assert run("check", "faulty.py:build:a").exit_code == 150
    several = document("faulty.py:build", "--set", "last=1,2", code=150)
    assert [bool(row["refused"]) for row in several["models"]] == [False, True]
    assert (
        "see: check-invariants check faulty.py:build --set last=2"
        in run("check", "faulty.py:build", "--set", "last=1,2").stdout
    )
    Path("faulty.py").write_text(FAULTY.replace('"setting"', '"set"').replace("fien", "fine"), encoding="utf-8")
    assert document("faulty.py", code=10)["answer"].endswith("(fine violated) and build:d (fine violated)")


def test_a_variant_that_cannot_be_built_leaves_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer says what the others come to, 150, and that the page is not written: an earlier one is not of this."""
    monkeypatch.chdir(tmp_path)
    page = Path("page.html")
    page.write_text("earlier", encoding="utf-8")
    Path("faulty.py").write_text(FAULTY, encoding="utf-8")
    result = run("check", "faulty.py", "--html", "page.html")
    assert (result.exit_code, result.stderr) == (
        150,
        "page.html is not written: not all of these models can be built\n",
    )
    assert result.stdout == run("check", "faulty.py").stdout
    assert page.read_text(encoding="utf-8") == "earlier"
    Path("faulty.py").write_text(FAULTY.replace('"setting"', '"set"').replace("fien", "fine"), encoding="utf-8")
    assert run("check", "faulty.py", "--html", "page.html").exit_code == 10
    assert "<html" in page.read_text(encoding="utf-8")
