"""A run that has everything, and runs made of one text."""

from __future__ import annotations

from gettext import NullTranslations

from opsmail.check.result import Member
from opsmail.check.sources import SourceText
from opsmail.findings import (
    FIRST_CHARACTER,
    Edit,
    ExcerptLine,
    Finding,
    Fix,
    FixSafety,
    Related,
    RuleMeta,
    Severity,
    Span,
    Waiver,
)
from opsmail.messages import msg
from opsmail.output.findings import FORMATS, Report, Summary
from opsmail.output.style import Style

MISMATCH = RuleMeta("OM201", "port-encryption-mismatch", Severity.ERROR)
MASTERS = RuleMeta("OM702", "several-masters", Severity.ERROR, unwaivable=True)
UNREADABLE = RuleMeta("OM001", "unreadable-file", Severity.ERROR, unwaivable=True)
CLEARTEXT = RuleMeta("OM203", "cleartext-port", Severity.WARNING)
SENDER = RuleMeta("OM502", "sender-differs", Severity.WARNING)
REPLY = RuleMeta("OM506", "reply-to-elsewhere", Severity.NOTE)
OWN = RuleMeta("ACME-1", "one-sender-per-team", Severity.WARNING)

RH = """version: 1
operator: rh
server:
  host: smtp-saida.matriz-recife.empresa.com.br
  port: 465
  encryption: starttls
sender:
  address: rh@empresa.com.br # até julho
"""

FINDINGS = (
    Finding(
        MISMATCH,
        Severity.ERROR,
        "operators/rh.yaml",
        Span(5, 9, 5, 12),
        msg("port {port} expects implicit TLS, but encryption is `{encryption}`", port=465, encryption="starttls"),
        operator="rh",
        path="server.port",
        label=msg("465 is the implicit-TLS port"),
        related=(Related(msg("`starttls` belongs to 587"), "operators/rh.yaml", Span(6, 15, 6, 23)),),
        help=msg("use port 587, or encryption `implicit-tls`"),
        fix=Fix(FixSafety.UNSAFE, msg("write {port}", port=587), (Edit(Span(5, 9, 5, 12), "587"),)),
        excerpt=(
            ExcerptLine(4, "  host: smtp-saida.matriz-recife.empresa.com.br"),
            ExcerptLine(5, "  port: 465"),
            ExcerptLine(6, "  encryption: starttls"),
        ),
    ),
    Finding(
        MASTERS,
        Severity.ERROR,
        "operators/metaagendador.yaml",
        Span(3, 7, 3, 13),
        msg("there are {count} masters", count=2),
        operator="metaagendador",
        path="role",
        related=(Related(msg("another one"), "operators/ação 1.yaml", Span(4, 7, 4, 13)),),
        excerpt=(ExcerptLine(3, "role: master"),),
    ),
    Finding(
        UNREADABLE, Severity.ERROR, "operators/ação 1.yaml", FIRST_CHARACTER, msg("the file is {kind}", kind="a link")
    ),
    Finding(
        CLEARTEXT,
        Severity.WARNING,
        "operators/rh.yaml",
        Span(5, 9, 5, 12),
        msg("port 25 is not recommended for sending"),
        operator="rh",
        path="server.port",
        help=msg("use 587"),
        waived=Waiver("relay of the printers", "TI", "2027-03-01"),
        excerpt=(ExcerptLine(5, "  port: 465"),),
    ),
    Finding(
        SENDER,
        Severity.WARNING,
        "operators/rh.yaml",
        Span(7, 1, 8, 10),
        msg("the sender is {address}", address="rh@empresa.com.br"),
        operator="rh",
        path="sender.address",
        excerpt=(ExcerptLine(7, "sender:"), ExcerptLine(8, "  address: rh@empresa.com.br")),
    ),
    Finding(
        REPLY,
        Severity.NOTE,
        "operators/rh.yaml",
        Span(2, 11, 2, 13),
        msg("replies go to another domain"),
        operator="rh",
        path="sender.reply_to",
        excerpt=(ExcerptLine(2, "operator: rh"),),
    ),
    Finding(OWN, Severity.WARNING, "opsmail.toml", Span(1, 1, 1, 8), msg("two operators share a sender")),
)

MEMBERS = tuple(
    Member(f"operators/{name}.yaml", None, name, None) for name in ("ação 1", "cobranca", "metaagendador", "rh")
)


def source(path: str) -> SourceText | None:
    """The text of one of the files; its last line holds a comment."""
    return SourceText(RH, frozenset({8})) if path == "operators/rh.yaml" else None


def report_of(*findings: Finding) -> Report:
    return Report(findings, Summary.of(findings, MEMBERS), MEMBERS, source)


RICH = report_of(*FINDINGS)


def hostile(text: str) -> Report:
    """A run in which every text that a file, a name, a waiver or an own rule can bring is this one."""
    told = msg("it is {text}, not {code}", text=text, code=f"`{text}`")
    rule = RuleMeta(text, text, Severity.ERROR)
    related = (Related(told, text, Span(1, 1, 1, 2)), Related(told, "other", Span(1, 1, 1, 2)))
    fix = Fix(FixSafety.SAFE, told, (Edit(Span(1, 1, 1, 2), text),))
    lines = (ExcerptLine(1, text), ExcerptLine(9, text))
    findings = []
    for severity in Severity:
        finding = Finding(
            rule, severity, text, Span(1, 1, 1, 2), told, text, text, told, related, told, fix, None, lines
        )
        waived = Waiver(text, text, text)
        findings += [finding, Finding(rule, severity, "other", FIRST_CHARACTER, told, text, waived=waived)]
    members = (Member(text, None, text, text),)
    return Report(
        tuple(findings), Summary.of(findings, members), members, lambda _: SourceText(text, frozenset()), text
    )


def render(name: str, report: Report, *, color: bool = False) -> str:
    return FORMATS[name](report, NullTranslations(), Style(color))
