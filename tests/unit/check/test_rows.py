"""Findings as plain tuples."""

from __future__ import annotations

import marshal
from datetime import date
from gettext import NullTranslations
from typing import get_args

import pytest

from opsmail.check.rows import finding_of, finding_row
from opsmail.findings import (
    Deletion,
    Edit,
    ExcerptLine,
    FileChange,
    Finding,
    Fix,
    FixSafety,
    MarkRemoval,
    Related,
    Renaming,
    Replacement,
    RuleMeta,
    SchemeReplacement,
    Severity,
    Span,
    Waiver,
)
from opsmail.messages import Message, msg, msgn
from opsmail.operator.model import Role
from opsmail.output.findings import FORMATS, Report, Summary
from opsmail.output.style import Style

RULE = RuleMeta("OM298", "made-up", Severity.WARNING, unwaivable=True, ruleset=3)
BARE = Finding(RULE, Severity.ERROR, "operators/x.yaml", Span(1, 2, 3, 4), msg("x"))
CHANGES = (
    Replacement("a", 587),
    Replacement("b", "x"),
    Renaming("c", "d"),
    SchemeReplacement("e", "env"),
    Deletion("3"),
    MarkRemoval(),
)
FULL = Finding(
    RULE,
    Severity.NOTE,
    "operators/\udcff.yaml",
    Span(1, 2, 3, 4),
    msg(
        "{inner} {text} {number} {truth} {nothing}", inner=msg("{a}", a=1), text="é", number=2, truth=True, nothing=None
    ),
    operator="x",
    path="server.port",
    label=msgn("{count} time", "{count} times", 2),
    related=(Related(msg("y"), "z", Span(5, 6, 7, 8)),),
    help=msg("help"),
    fix=Fix(FixSafety.UNSAFE, msg("fix"), (Edit(Span(1, 1, 1, 2), "t"),), CHANGES),
    waived=Waiver("why", "who", "2027-01-01"),
    excerpt=(ExcerptLine(1, "one"),),
)


def told_again(finding: Finding) -> Finding:
    """Return a finding that has been plain bytes in between."""
    return finding_of(marshal.loads(marshal.dumps(finding_row(finding))))  # noqa: S302 - made here


@pytest.mark.parametrize("finding", [BARE, FULL])
def test_a_finding_comes_back_as_it_was(finding: Finding) -> None:
    again = told_again(finding)
    assert again == finding
    assert again.excerpt == finding.excerpt
    assert type(again.severity) is Severity


def test_every_kind_of_change_is_tried() -> None:
    assert {type(change) for change in CHANGES} == set(get_args(FileChange))


def test_arguments_of_other_types_become_what_a_message_shows() -> None:
    message = msg("{day} {role}", day=date(2027, 5, 1), role=Role.MASTER)
    again = told_again(Finding(RULE, Severity.ERROR, "x", Span(1, 1, 1, 1), message)).message
    assert again == Message("{day} {role}", (("day", "2027-05-01"), ("role", "master")))
    assert str(again) == str(message)


@pytest.mark.parametrize("name", FORMATS)
def test_every_output_says_the_same(name: str) -> None:
    def said(finding: Finding) -> str:
        findings = (finding, BARE)
        return FORMATS[name](Report(findings, Summary.of(findings, ())), NullTranslations(), Style(color=False))

    assert said(told_again(FULL)) == said(FULL)
