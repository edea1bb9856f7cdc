"""`--statistics`: the figures in columns, whatever a rule is called."""

from __future__ import annotations

from gettext import NullTranslations

import pytest

from opsmail.output.escape import for_program, for_terminal
from opsmail.output.findings import STATISTICS, Report
from opsmail.output.style import Style
from tests.published import read_json
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import CLEARTEXT, FINDINGS, MISMATCH, hostile, report_of


def shown(name: str, report: Report, *, color: bool = False) -> str:
    return STATISTICS[name](report, NullTranslations(), Style(color))


def test_columns_and_order() -> None:
    many = [FINDINGS[0]] * 12
    assert shown("text", report_of(*many, *FINDINGS[1:])).splitlines() == [
        "12  OM201   error    port-encryption-mismatch  (12 fixable)",
        " 1  ACME-1  warning  one-sender-per-team",
        " 1  OM001   error    unreadable-file",
        " 1  OM502   warning  sender-differs",
        " 1  OM506   note     reply-to-elsewhere",
        " 1  OM702   error    several-masters",
        "",
        "14 errors, 2 warnings, 1 note in 3 of 4 operators (1 waived, 12 fixable)",
    ]
    assert CLEARTEXT.id not in shown("json", report_of(*FINDINGS))  # it is waived


def test_colours() -> None:
    assert shown("text", report_of(FINDINGS[0]), color=True).startswith(
        f"1  {MISMATCH.id}  \x1b[31merror\x1b[0m  port-"
    )


@pytest.mark.parametrize("text", NAUGHTY)
def test_no_name_of_a_rule_acts(text: str) -> None:
    told = for_terminal(text)
    *lines, gap, _, end = shown("text", hostile(text)).split("\n")
    assert lines == [f"1  {told}  {word:7}  {told}{more}" for word, more in FIXABLE]
    assert gap == end == ""
    found = read_json(shown("json", hostile(text)))["rules"]
    assert [(row["rule"], row["name"], row["severity"]) for row in found] == [
        (for_program(text), for_program(text), word) for word, _ in FIXABLE
    ]


#: The three severities of the hostile report; the most severe one comes first.
FIXABLE = [("error", "  (1 fixable)"), ("warning", "  (1 fixable)"), ("note", "  (1 fixable)")]
