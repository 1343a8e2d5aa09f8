"""JUnit XML: valid for the strictest reader there is, and read by one of the readers as what it says."""

from __future__ import annotations

import re
from functools import cache
from xml.etree.ElementTree import ParseError, fromstring

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from draincheck.escape import escaped, unescaped
from draincheck.report.account import Account, Standing
from draincheck.report.junit import junit_xml
from tests.support.reports import SCHEMAS, account, everything, item, nasty

ACCOUNTS = {"everything": everything(), "nasty": nasty(), "empty": account(), "nothing": account(suites=[])}

#: standing -> how a reader takes it
READ = {
    Standing.FINE: (),
    Standing.NOTED: (Skipped,),
    Standing.WRONG: (Failure,),
    Standing.UNDECIDED: (Error,),
    Standing.FAULT: (Error,),
    Standing.MISCONFIGURED: (Error,),
}


@cache
def xsd() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")


@pytest.mark.parametrize("found", ACCOUNTS.values(), ids=ACCOUNTS)
def test_every_report_is_valid(found: Account) -> None:
    """For Jenkins' schema."""
    xsd().validate(junit_xml(found))


@pytest.mark.parametrize(
    "change",
    [
        ('tests="', 'number="'),
        ("<testcase ", '<testcase line="3" '),
        ("</testcase>", "<properties/></testcase>"),
        ("<testsuites ", '<testsuites skipped="0" '),
    ],
)
def test_what_some_readers_refuse_is_noticed(change: tuple[str, str]) -> None:
    """Negative control: the schema is as strict as its readers."""
    text = junit_xml(everything())
    assert change[0] in text
    assert not xsd().is_valid(text.replace(*change))


def test_a_reader_takes_each_standing_as_it_is_meant() -> None:
    """Nothing unknown is skipped or passed, and nothing that was never asked is passed."""
    suite = next(iter(JUnitXml.fromstring(junit_xml(account(*map(item, Standing))).encode())))
    read = {case.name: tuple(type(result) for result in case.result) for case in suite}
    assert read == {standing.value: kinds for standing, kinds in READ.items()}
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (6, 1, 3, 1)


def test_a_failure_has_its_message_and_its_trace() -> None:
    """The message in a line; the line of the source and the trace below it."""
    suite = next(iter(JUnitXml.fromstring(junit_xml(everything()).encode())))
    case = next(case for case in suite if case.name == "no request at (c)")
    assert case.result[0].message == "because it is wrong"
    assert case.result[0].type == "violated"
    said = str(case.result[0].text)
    assert "models/m.py:3" in said and "shown by: check-invariants gate" in said
    assert "(b) blk_aio_multiwrite" in said


def test_a_suite_says_how_it_came_about() -> None:
    """Version, command, exit code, scenario, counts, as properties."""
    tree = fromstring(junit_xml(everything()))
    said = {one.get("name"): one.get("value") for one in tree.findall("testsuite[1]/properties/property")}
    assert said["check-invariants"] == "1.2.3"
    assert said["counts"] == "12 states, 30 transitions, depth 7"
    assert said["pinned"] == "10 states, 31 transitions, depth 7"
    assert said["exit code"] == (
        "12 (3 violations, 1 undecided, 1 model fault, 1 configuration error, 1 verdict not as expected, "
        "1 demand never asked)"
    )


def test_a_run_that_selected_nothing_is_red() -> None:
    """A report without a test case would be taken for good news."""
    suite = next(iter(JUnitXml.fromstring(junit_xml(account(exit_code=10, suites=[])).encode())))
    assert [case.name for case in suite if isinstance(case.result[0], Failure)] == ["exit code"]


@settings(max_examples=30)
@given(st.text())
def test_every_name_can_be_read_again(name: str) -> None:
    """Characters that XML cannot hold come back by `unescaped`."""
    tree = fromstring(junit_xml(account(item(Standing.WRONG, name=name))))
    found = tree.find("testsuite/testcase")
    assert found is not None
    assert unescaped(found.get("name", "")) == name


def test_what_xml_cannot_hold_would_break_it() -> None:
    """Negative control: unescaped, a reader refuses it."""
    text = junit_xml(nasty())
    assert "\x00" not in text
    with pytest.raises(ParseError):
        fromstring(text.replace(escaped("\x00"), "\x00"))


def test_a_report_is_the_same_twice() -> None:
    """Nothing of the time or the machine is in it."""
    assert junit_xml(everything()) == junit_xml(everything())
    assert re.search(r"timestamp|hostname", junit_xml(everything())) is None
