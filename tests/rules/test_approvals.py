"""OM211 beyond the example of its page, and findings that stand in the settings."""

from __future__ import annotations

from datetime import date

import pytest

from opsmail.check.engine import check
from opsmail.check.interface import Context, Mark, Problem
from opsmail.check.settings_places import SettingsPlacer
from opsmail.check.severity import Judge
from opsmail.findings import Finding, RuleMeta, Severity, Span
from opsmail.messages import msg
from opsmail.providers import load_providers
from opsmail.settings.load import load_settings
from opsmail.source.tree import SourceFile
from tests.rules.checking import Repository

SETTINGS = """\
operators = "operators"

[policy]
deprecation_notice_days = 30 # days
unwaivable = ["OM5"]

[[servers]]
host = "smtp.empresa.com.br"
connections = ["587/starttls"]
authentication = ["basic"]
review_by = 2026-05-31  # segredo: chamado 4711

[[servers]]
host = "smtp.outra.com.br"
connections = ["587/starttls"]
authentication = ["basic"]
review_by = "2026-04-30"

[[servers]]
host = "smtp.terceira.com.br"
connections = ["587/starttls"]
authentication = ["basic"]
review_by = 2026-06-01

[store]
url = "postgresql://opsmail:hunter2@db/opsmail"

[environments.production]
servers = [
  {host = "smtp.quarta.com.br", connections = ["587/starttls"], authentication = ["basic"], review_by = 2026-01-01},
]
"""
FILE = b"""\
version: 1
operator: rh
role: master
sender: {address: rh@empresa.com.br}
server: {host: SMTP.empresa.com.br, port: 587, encryption: starttls}
authentication: {type: basic, username: rh@empresa.com.br, password: "env://OPSMAIL_SECRET_RH"}
"""
RULE = RuleMeta("OM211", "approval-overdue", Severity.WARNING)


def overdue(*, whole: bool, environment: str = "default", policy: str = "") -> list[Finding]:
    repository = Repository({"opsmail.toml": SETTINGS.replace("[policy]\n", f"[policy]\n{policy}").encode()})
    settings = load_settings(repository, environment)
    context = Context(settings, load_providers(), date(2026, 6, 1), frozenset({"env"}))
    findings = check([SourceFile("operators/rh.yaml", FILE)], context, whole=whole).findings
    return [finding for finding in findings if finding.rule.id == "OM211"]


def test_all_that_are_overdue_are_told_for_the_whole_fleet() -> None:
    first, second = overdue(whole=True)
    assert (first.file, first.span, first.path) == ("opsmail.toml", Span(11, 13, 11, 23), "servers.0.review_by")
    assert (second.span, second.operator) == (Span(17, 13, 17, 25), None)
    assert str(first.message) == "the approval of `smtp.empresa.com.br` was to be reviewed by 2026-05-31"
    assert [(line.number, line.text) for line in first.excerpt] == [(11, "review_by = 2026-05-31")]


def test_a_single_file_hears_of_its_own_server() -> None:
    assert [finding.path for finding in overdue(whole=False)] == ["servers.0.review_by"]


def test_ignored_it_is_not_told() -> None:
    assert overdue(whole=True, policy='ignore = ["OM211"]\n') == []


def test_the_servers_of_an_environment_are_found_where_they_stand() -> None:
    (finding,) = overdue(whole=True, environment="production")
    assert (finding.span.line, finding.span.column) == (29, 1)
    assert "smtp.quarta.com.br" in str(finding.message)
    assert "review_by" not in finding.excerpt[0].text


@pytest.mark.parametrize(
    ("path", "span", "shown"),
    [
        ("policy.deprecation_notice_days", Span(4, 27, 4, 29), "deprecation_notice_days = 30"),
        ("policy.unwaivable", Span(5, 1, 5, 11), "unwaivable = …"),
        ("policy.severity", Span(3, 1, 3, 9), "[policy]"),
        ("servers.1.secrets", Span(13, 1, 13, 12), "[[servers]]"),
        ("store.url", Span(26, 1, 26, 4), "url = …"),
    ],
)
def test_texts_of_the_settings_are_not_shown(path: str, span: Span, shown: str) -> None:
    settings = load_settings(Repository({"opsmail.toml": SETTINGS.encode()}))
    placer = SettingsPlacer(settings)
    problem = Problem(path, msg("wrong"), marks=(Mark("policy.unwaivable", msg("and this")),))
    finding = placer.place(RULE, problem, Judge(settings.file.policy))
    assert finding is not None
    assert finding.span == span
    assert shown in [line.text for line in finding.excerpt]
    assert [(item.file, item.span.line) for item in finding.related] == [("opsmail.toml", 5)]
    assert "hunter2" not in repr(finding)


def test_without_the_text_there_is_still_a_place() -> None:
    settings = load_settings(Repository({}))
    finding = SettingsPlacer(settings).place(RULE, Problem("policy.ignore", msg("wrong")), Judge(settings.file.policy))
    assert finding is not None
    assert finding.span == Span(1, 1, 1, 2)
