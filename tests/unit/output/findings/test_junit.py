"""The test report, read with an XML parser that has no leniency."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from inline_snapshot import external_file

from opsmail.output.escape import for_terminal
from opsmail.output.findings import Report
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import RICH, hostile, render, report_of

# Attributes and children of Jenkins' junit-10 schema, which GitLab and Azure read too.
_ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"classname", "name"},
    "failure": {"message", "type"},
    "system-out": set[str](),
}
_CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "system-out"},
    "failure": set[str](),
    "system-out": set[str](),
}


def read(report: Report) -> ET.Element:
    """Return the suite of a report whose structure and counts are right."""
    root = ET.fromstring(render("junit", report).encode())  # noqa: S314 - our own output
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) == _ATTRIBUTES[element.tag]
        tags = [child.tag for child in element]
        assert set(tags) <= _CHILDREN[element.tag]
        if element.tag == "testcase":
            assert len(tags) == len(set(tags))
    (suite,) = root
    for element in (root, suite):
        assert int(element.attrib["tests"]) == len(suite)
        assert int(element.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert element.attrib["errors"] == "0"
    return suite


def test_all_of_it() -> None:
    read(RICH)
    assert render("junit", RICH) == external_file("golden/junit.xml", format=".txt")


def test_a_case_for_each_file_and_only_errors_fail() -> None:
    cases = {case.attrib["name"]: case for case in read(RICH)}
    assert list(cases) == [
        "operators/ação 1.yaml",
        "operators/cobranca.yaml",
        "operators/metaagendador.yaml",
        "operators/rh.yaml",
        "opsmail.toml",
    ]
    assert [name for name, case in cases.items() if case.find("failure") is None] == [
        "operators/cobranca.yaml",
        "opsmail.toml",
    ]
    assert len(cases["operators/cobranca.yaml"]) == 0
    remarks = cases["operators/rh.yaml"].findtext("system-out")
    assert remarks is not None
    assert "warning[OM203] port 25 is not recommended for sending (waived until 2027-03-01: relay" in remarks


def test_a_run_without_files_is_a_suite_without_cases() -> None:
    assert read(Report((), report_of().summary)).attrib["tests"] == "0"


@pytest.mark.parametrize("text", NAUGHTY)
def test_no_text_changes_the_structure(text: str) -> None:
    suite = read(hostile(text))
    assert [case.attrib["name"] for case in suite] == [for_terminal(text), "other"]
    assert all(case.find("failure") is not None for case in suite[:1])
