"""The table of code bases: names, releases, settings."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from draincheck.errors import UnknownName
from draincheck.knobs import Knobs, Setting, all_knobs, parse_setting
from draincheck.revisions import (
    REVISIONS,
    called,
    code_bases,
    find_revision,
    releases,
    substitutes,
    why_it_stands,
    with_settings,
)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("ab27c3b5e7", "ab27c3b5e7"),
        ("ab27", "ab27c3b5e7"),
        ("ab27c3b5e7~1", "37989ced44"),
        ("ab27c3b5e7~2", "14560d69e7"),
        ("5a7e7a0bad~1", "5a7e7a0bad~1"),
        ("5a7e~1", "5a7e7a0bad~1"),
        ("v2.2.0", "b112a65c52"),
        ("v2.3.0", "b112a65c52"),
        ("v2.5.0", "176c36997f"),
        ("v2.6.0", "ab27c3b5e7"),
        ("v2.7.0", "d4a92a8420"),
        ("v2.8.0", "bdffb31d8e"),
        ("v2.9.0", "91af091f92"),
        ("v2.10.0", "2119882c7e"),
        ("v2.12.0", "d759c951f3"),
        ("v3.0.0", "89bd030533"),
        ("v3.1.0", "4cf077b59f"),
        ("v4.0.0", "5e771752a1"),
        ("v4.2.0", "cf3129323f"),
        ("v6.0.0", "7f16476fab"),
        ("v6.1.0", "3bb0e2980a"),
        ("v7.2.0", "3bb0e2980a"),
        ("v8.0.0", "2398747128"),
        ("3f09bfbc7b-reopen-drains", "3f09bfbc7b-reopen-drains"),
    ],
)
def test_a_code_base_can_be_named_in_several_ways(name: str, row: str) -> None:
    """By hash prefix, by HASH~1, by release (the last row it contains), by a control's name."""
    assert find_revision(name).name == row


@pytest.mark.parametrize(
    ("name", "called_so", "reason"),
    [
        ("v7.2.0", "v7.2.0", "v7.2.0 behaves as v6.1.0 .* 3bb0e2980a .v6.1.0., the next one is 2398747128 .v8.0.0."),
        ("v6.1.0", "v6.1.0", ""),
        ("3bb0e2980a", "v6.1.0", ""),
        (
            "ab27~",
            "ab27c3b5e7~1",
            "ab27c3b5e7~1 behaves as 37989ced44 .* 37989ced44 .v2.6.0., the next one is ab27c3b5e7 .*",
        ),
        ("5a7e~1", "5a7e7a0bad~1", ""),
        (
            "321d1dba8b~1",
            "321d1dba8b~1",
            "321d1dba8b~1 behaves as v2.9.0 .* 91af091f92 .*, the next one is 321d1dba8b .*",
        ),
    ],
)
def test_what_has_no_row_is_called_as_it_was_asked_for(name: str, called_so: str, reason: str) -> None:
    """With the row that stands for it, the last change that it contains, and the first that it lacks."""
    row = find_revision(name)
    assert called(row) == called_so
    assert re.fullmatch(reason, why_it_stands(row))
    turned = with_settings(row, {"bandage": True})
    assert (called(turned), why_it_stands(turned)) == (f"{called_so} with bandage=on", why_it_stands(row))


def test_each_release_has_a_row_of_its_own_or_a_reason() -> None:
    """A row whose first release it is, or the name of one that has such a row."""
    for name, row in releases().items():
        assert (row.release == name) is not bool(why_it_stands(row))
        assert called(row) == name
    assert len(substitutes([*releases().values(), *releases().values(), None, "v7.2.0"])) == 9


@pytest.mark.parametrize("name", ["1665d9326f", "1665d9326f0b14ba5e4bd7a3f1b2d7b6a4b2e7d1", "1665d93~1"])
def test_a_commit_between_the_rows_is_told_how_to_find_its_own(name: str) -> None:
    """A table cannot know where a commit stands; who has the repository can. A slip in a row's hash gets the row."""
    with pytest.raises(
        UnknownName, match=r"unknown revision .* no commit of this story.*git merge-base --is-ancestor ROW 1665d"
    ):
        find_revision(name)
    with pytest.raises(UnknownName, match="did you mean ab27c3b5e7"):
        find_revision("ab27c3b5e8")


@pytest.mark.parametrize("name", ["", "ffff0000", "5a7e7a0bad~2", "9a0cec664e~7", "v2.6"])
def test_an_unknown_code_base_is_refused_with_a_hint(name: str) -> None:
    """The message names what was asked for and what is near."""
    with pytest.raises(UnknownName, match="unknown revision") as error:
        find_revision(name)
    assert repr(name) in str(error.value)


@pytest.mark.parametrize("name", ["a", "ab2", "ab2~1"])
def test_a_prefix_that_is_too_short_is_said_to_be(name: str) -> None:
    """Not that there is no such revision; one digit more is enough."""
    with pytest.raises(UnknownName, match=r"is too short: the beginning of a hash has 4 digits or more$"):
        find_revision(name)
    assert find_revision("ab27").name == "ab27c3b5e7"


@pytest.mark.parametrize("name", ["v8.0.1", "v8.1.0", "v9.0.0", "v10.0.0", "v9.0"])
def test_a_release_after_the_last_one_is_refused_by_name(name: str) -> None:
    """What is known is the story up to v8.0.0: an older code base is no stand-in for a newer one."""
    with pytest.raises(
        UnknownName, match=rf"^{name} is not modelled: the story ends with v8\.0\.0; known: v2\.2\.0, .*, v8\.0\.0$"
    ):
        find_revision(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "v2.6.1",
            "v2.6.1 is not modelled, and nothing is said of it: v2.6.0 is the nearest before it; known: v2.2.0, ",
        ),
        ("2.6.1", "2.6.1 is not modelled, and nothing is said of it: v2.6.0 is the nearest before it; known: v2.2.0, "),
        ("v2.12.1", "v2.12.1 is not modelled, and nothing is said of it: v2.12.0 is the nearest before it; known: "),
        (
            "v2.6.0-rc4",
            "v2.6.0-rc4 is not modelled, and nothing is said of it: v2.5.0 is the nearest before it; known: ",
        ),
        ("v2.1.3", "v2.1.3 is not modelled: the story begins with v2.2.0; known: v2.2.0, "),
        ("v2.6", "unknown revision 'v2.6'; did you mean v2.6.0?"),
        ("2.10.0", "unknown revision '2.10.0'; did you mean v2.10.0?"),
    ],
)
def test_a_release_that_is_not_in_the_table_is_not_taken_for_another(name: str, message: str) -> None:
    """A stable release has fixes of its own, a candidate lacks some: the message names the nearest before it, and claims nothing."""
    with pytest.raises(UnknownName) as caught:
        find_revision(name)
    assert str(caught.value).startswith(message)


def test_names_are_unique_and_dates_ascend() -> None:
    """The table is in the order of history."""
    names = [row.name for row in code_bases()]
    assert len(set(names)) == len(names)
    merged_late = ("b880481579", "d759c951f3")  # by three months and by two weeks
    dates = [row.date for row in REVISIONS if row.name not in merged_late]
    assert dates == sorted(dates)


def test_each_row_but_the_documented_ones_turns_a_knob() -> None:
    """A row without a change of its own is there for its name in history."""
    same = {b.name for a, b in pairwise(REVISIONS) if a.knobs == b.knobs}
    early, late = {"dca21ef23b", "39bf92dd70", "1c627137c1"}, {"4a1cba3802", "0062ea0fd6", "89bd030533", "5e771752a1"}
    assert same == early | late


def test_settings_turn_knobs_and_show_in_the_name() -> None:
    """`--set` makes a code base of one's own."""
    settings = dict(parse_setting(text) for text in ("bandage=on", "drain=nested"))
    row = with_settings(find_revision("37989ced44"), settings)
    assert row.name == "37989ced44+bandage=on+drain=nested"
    assert (row.knobs.bandage, row.knobs.drain) == (True, "nested")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bandege=on", "unknown knob 'bandege'; did you mean bandage"),
        ("bandage=yes", "unknown value of bandage 'yes'; known: off, on"),
        ("drain=nest", "unknown value of drain 'nest'; did you mean nested"),
        ("bandage", "unknown value of bandage ''"),
    ],
)
def test_an_unknown_setting_is_refused_with_a_hint(text: str, message: str) -> None:
    """Knob and value are both checked."""
    with pytest.raises(UnknownName) as error:
        parse_setting(text)
    assert message in str(error.value)


def test_every_knob_has_a_meaning_and_its_values_occur() -> None:
    """Each value that a row has is one that the table of knobs offers."""
    for knob in all_knobs().values():
        assert knob.meaning
        found = {getattr(row.knobs, knob.name) for row in code_bases()}
        shown = {{True: "on", False: "off"}[v] if isinstance(v, bool) else v for v in found}
        assert shown <= set(knob.values)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"drain": "nestd"}, "unknown value of drain 'nestd'; did you mean nested"),
        ({"drian": "nested"}, "unknown knob 'drian'; did you mean drain"),
    ],
)
def test_a_misspelt_setting_makes_no_code_base(settings: dict[str, Setting], message: str) -> None:
    """What `parse_setting` refuses of a user is refused of a program too."""
    with pytest.raises(UnknownName) as error:
        with_settings(find_revision("9a0cec664e"), settings)
    assert message in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize(("value", "refused"), [("nestd", True), ("nested", False)])
def test_a_type_checker_refuses_a_misspelt_value(value: str, refused: bool, tmp_path: Path) -> None:
    """A comparison with a value that the knob does not have is an error of type."""
    from mypy import api

    file = tmp_path / "compared.py"
    file.write_text(f"from draincheck.knobs import Knobs\nprint(Knobs().drain == {value!r})\n", encoding="utf-8")
    report, _, code = api.run(["--strict", "--config-file=", str(file)])
    assert (code, "[comparison-overlap]" in report) == (int(refused), refused), report


def test_knobs_stand_as_in_the_oldest_code_base() -> None:
    """What nobody has turned is what it was when the story begins."""
    assert REVISIONS[0].knobs == Knobs()
