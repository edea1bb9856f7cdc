"""`--format sarif`: SARIF 2.1.0 for GitHub's code scanning and for viewers; texts stay English.

Sources: OASIS SARIF 2.1.0; docs.github.com, "SARIF support for code scanning".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from gettext import NullTranslations
from typing import Any

from opsmail import __version__
from opsmail.check.pages import RulePage, load_page
from opsmail.check.rules import all_rules
from opsmail.findings import Finding, Fix, RuleMeta, Span, fingerprints
from opsmail.mail.rules import LIVE_RULES
from opsmail.messages import Message
from opsmail.output.escape import for_program, for_sarif, for_uri, json_text
from opsmail.output.findings.interface import RULES_URL, Report
from opsmail.output.findings.line_hash import line_hashes
from opsmail.output.findings.sarif_rules import descriptor
from opsmail.output.style import Style

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
#: GitHub refuses a run with more results, and shows 5,000 of them.
_MOST_RESULTS = 25_000


def render(report: Report, language: NullTranslations, style: Style) -> str:
    """Return the findings that are not waived as a SARIF log; GitHub would show waived ones as open."""
    known = all_rules() if report.command == "check" else LIVE_RULES
    own = {finding.rule.id: finding.rule for finding in report.active if finding.rule.id not in known}
    metas = [*known.values(), *(own[rule_id] for rule_id in sorted(own))]
    return json_text(
        document(report, metas, lambda rule_id: packaged_page(rule_id) if rule_id in known else None, __version__)
    )


def document(
    report: Report, metas: Sequence[RuleMeta], page: Callable[[str], RulePage | None], version: str
) -> dict[str, Any]:
    """Return the log as plain data.

    Args:
        report: what the run found.
        metas: all rules, those of the findings among them.
        page: gives a rule's page; None for an organisation's own rule.
        version: of opsmail.
    """
    numbered = zip(report.findings, fingerprints(report.findings), strict=True)
    chosen = [(finding, mark) for finding, mark in numbered if finding.waived is None]
    left_out = len(chosen) - _MOST_RESULTS
    if left_out > 0:
        chosen = sorted(chosen, key=lambda item: -item[0].severity)[:_MOST_RESULTS]
    indexes = {meta.id: index for index, meta in enumerate(metas)}
    line_hash = _line_hashes(report, (finding for finding, _ in chosen))
    driver = {
        "name": "opsmail",
        "version": version,
        "semanticVersion": version,
        "informationUri": RULES_URL,
        "rules": [descriptor(meta, page(meta.id)) for meta in metas],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"opsmail/{report.command}/{for_uri(report.environment)}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The repository's root."}}},
        "invocations": [_invocation(left_out)],
        "results": [
            _result(finding, indexes[finding.rule.id], {"opsmail/v1": mark, **line_hash(finding)})
            for finding, mark in chosen
        ],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def packaged_page(rule_id: str) -> RulePage | None:
    """Return a rule's page; one that is missing costs its help, not the report."""
    try:
        return load_page(rule_id)
    except FileNotFoundError:
        return None


def _invocation(left_out: int) -> dict[str, Any]:
    if left_out <= 0:
        return {"executionSuccessful": True}
    text = f"{left_out} results are left out, the least severe ones: a run may have {_MOST_RESULTS}."
    notification = {"level": "warning", "message": {"text": text}}
    return {"executionSuccessful": True, "toolExecutionNotifications": [notification]}


def _result(finding: Finding, rule_index: int, marks: dict[str, str]) -> dict[str, Any]:
    text = _text(finding.message)
    if finding.help is not None:
        text += f"\nhelp: {_text(finding.help)}"
    result = {
        "ruleId": for_program(finding.rule.id),
        "ruleIndex": rule_index,
        "level": finding.severity.label,
        "message": {"text": text},
        "locations": [{"physicalLocation": _place(finding.file, finding.span)}],
        "partialFingerprints": marks,
        "properties": {
            "operator": None if finding.operator is None else for_program(finding.operator),
            "path": for_program(finding.path),
        },
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": _text(item.message)},
                "physicalLocation": _place(item.file, item.span),
            }
            for number, item in enumerate(finding.related, 1)
        ]
    if finding.fix is not None and finding.fix.edits:  # a change without replacements is none (section 3.56.3)
        result["fixes"] = [_fix(finding.file, finding.fix)]
    return result


def _fix(file: str, fix: Fix) -> dict[str, Any]:
    replacements = [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in fix.edits]
    return {
        "description": {"text": _text(fix.description)},
        "artifactChanges": [{"artifactLocation": _artifact(file), "replacements": replacements}],
    }


def _text(message: Message) -> str:
    return for_sarif(str(message))


def _place(file: str, span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(file), "region": _region(span)}


def _artifact(file: str) -> dict[str, str]:
    return {"uri": for_uri(file), "uriBaseId": _ROOT}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _line_hashes(report: Report, findings: Iterable[Finding]) -> Callable[[Finding], dict[str, str]]:
    """Return what gives the hash of a finding's line, where nothing in the hashed text may be a secret.

    The hash of a short text can be undone. Without one, GitHub's own upload reads the file and adds it.
    """
    lines: defaultdict[str, set[int]] = defaultdict(set)
    for finding in findings:
        lines[finding.file].add(finding.span.line)
    values: dict[tuple[str, int], str] = {}
    for file, numbers in lines.items():
        source = report.source(file)
        if source is None:
            continue
        for number, (value, last) in line_hashes(source.text, numbers).items():
            if source.masked.isdisjoint(range(number, last + 1)):
                values[file, number] = value

    def line_hash(finding: Finding) -> dict[str, str]:
        value = values.get((finding.file, finding.span.line))
        return {} if value is None else {"primaryLocationLineHash": value}

    return line_hash
