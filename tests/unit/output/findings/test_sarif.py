"""The SARIF log, against the official schema and what GitHub's code scanning asks for."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from inline_snapshot import snapshot

from opsmail.check.pages import SECTIONS, RulePage, Section
from opsmail.check.rules import all_rules
from opsmail.check.sources import SourceText
from opsmail.findings import Fix, FixSafety, MarkRemoval, Severity
from opsmail.messages import msg
from opsmail.output.escape import json_text
from opsmail.output.findings import Report, sarif
from opsmail.output.findings.sarif_rules import descriptor
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import (
    FINDINGS,
    MISMATCH,
    OWN,
    RH,
    RICH,
    hostile,
    render,
    report_of,
)

_SCHEMA = Path(__file__).parents[3] / "data" / "sarif" / "sarif-2.1.0.json"


@cache
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(_SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def log_of(report: Report) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(render("sarif", report))
    validator().validate(log)
    return log


def run_of(report: Report) -> dict[str, Any]:
    run: dict[str, Any] = log_of(report)["runs"][0]
    return run


def page(rule_id: str) -> RulePage | None:
    if rule_id != MISMATCH.id:
        return None
    texts = {"What it checks": "Port and\nencryption.\n\n- `465`\n\n```yaml\nport: 465\n```"}
    sections = tuple(Section(title, texts.get(title, f"{title}.")) for title in SECTIONS)
    return RulePage(MISMATCH.id, MISMATCH.name, "Severity: error.", sections, "# the page")


def test_all_of_it() -> None:
    log = sarif.document(RICH, list({finding.rule.id: finding.rule for finding in FINDINGS}.values()), page, "1.2.3")
    validator().validate(log)
    rules = log["runs"][0]["tool"]["driver"].pop("rules")
    assert log == snapshot(
        {
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "opsmail",
                            "version": "1.2.3",
                            "semanticVersion": "1.2.3",
                            "informationUri": "https://opsmail.readthedocs.io/rules/",
                        }
                    },
                    "automationDetails": {"id": "opsmail/check/default/"},
                    "columnKind": "unicodeCodePoints",
                    "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The repository's root."}}},
                    "invocations": [{"executionSuccessful": True}],
                    "results": [
                        {
                            "ruleId": "OM201",
                            "ruleIndex": 0,
                            "level": "error",
                            "message": {
                                "text": """\
port 465 expects implicit TLS, but encryption is `starttls`
help: use port 587, or encryption `implicit-tls`\
"""
                            },
                            "locations": [
                                {
                                    "physicalLocation": {
                                        "artifactLocation": {"uri": "operators/rh.yaml", "uriBaseId": "%SRCROOT%"},
                                        "region": {"startLine": 5, "startColumn": 9, "endLine": 5, "endColumn": 12},
                                    }
                                }
                            ],
                            "partialFingerprints": {"opsmail/v1": "b0a5fb04534dc77c"},
                            "properties": {"operator": "rh", "path": "server.port"},
                            "relatedLocations": [
                                {
                                    "id": 1,
                                    "message": {"text": "`starttls` belongs to 587"},
                                    "physicalLocation": {
                                        "artifactLocation": {"uri": "operators/rh.yaml", "uriBaseId": "%SRCROOT%"},
                                        "region": {"startLine": 6, "startColumn": 15, "endLine": 6, "endColumn": 23},
                                    },
                                }
                            ],
                            "fixes": [
                                {
                                    "description": {"text": "write 587"},
                                    "artifactChanges": [
                                        {
                                            "artifactLocation": {"uri": "operators/rh.yaml", "uriBaseId": "%SRCROOT%"},
                                            "replacements": [
                                                {
                                                    "deletedRegion": {
                                                        "startLine": 5,
                                                        "startColumn": 9,
                                                        "endLine": 5,
                                                        "endColumn": 12,
                                                    },
                                                    "insertedContent": {"text": "587"},
                                                }
                                            ],
                                        }
                                    ],
                                }
                            ],
                        },
                        {
                            "ruleId": "OM702",
                            "ruleIndex": 1,
                            "level": "error",
                            "message": {"text": "there are 2 masters"},
                            "locations": [
                                {
                                    "physicalLocation": {
                                        "artifactLocation": {
                                            "uri": "operators/metaagendador.yaml",
                                            "uriBaseId": "%SRCROOT%",
                                        },
                                        "region": {"startLine": 3, "startColumn": 7, "endLine": 3, "endColumn": 13},
                                    }
                                }
                            ],
                            "partialFingerprints": {"opsmail/v1": "e11f25e1288fe0a7"},
                            "properties": {"operator": "metaagendador", "path": "role"},
                            "relatedLocations": [
                                {
                                    "id": 1,
                                    "message": {"text": "another one"},
                                    "physicalLocation": {
                                        "artifactLocation": {
                                            "uri": "operators/a%C3%A7%C3%A3o%201.yaml",
                                            "uriBaseId": "%SRCROOT%",
                                        },
                                        "region": {"startLine": 4, "startColumn": 7, "endLine": 4, "endColumn": 13},
                                    },
                                }
                            ],
                        },
                        {
                            "ruleId": "OM001",
                            "ruleIndex": 2,
                            "level": "error",
                            "message": {"text": "the file is a link"},
                            "locations": [
                                {
                                    "physicalLocation": {
                                        "artifactLocation": {
                                            "uri": "operators/a%C3%A7%C3%A3o%201.yaml",
                                            "uriBaseId": "%SRCROOT%",
                                        },
                                        "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
                                    }
                                }
                            ],
                            "partialFingerprints": {"opsmail/v1": "dfc8a7c0a82f647f"},
                            "properties": {"operator": None, "path": ""},
                        },
                        {
                            "ruleId": "OM502",
                            "ruleIndex": 4,
                            "level": "warning",
                            "message": {"text": "the sender is rh@empresa.com.br"},
                            "locations": [
                                {
                                    "physicalLocation": {
                                        "artifactLocation": {"uri": "operators/rh.yaml", "uriBaseId": "%SRCROOT%"},
                                        "region": {"startLine": 7, "startColumn": 1, "endLine": 8, "endColumn": 10},
                                    }
                                }
                            ],
                            "partialFingerprints": {"opsmail/v1": "0fce55d10f689e4d"},
                            "properties": {"operator": "rh", "path": "sender.address"},
                        },
                        {
                            "ruleId": "OM506",
                            "ruleIndex": 5,
                            "level": "note",
                            "message": {"text": "replies go to another domain"},
                            "locations": [
                                {
                                    "physicalLocation": {
                                        "artifactLocation": {"uri": "operators/rh.yaml", "uriBaseId": "%SRCROOT%"},
                                        "region": {"startLine": 2, "startColumn": 11, "endLine": 2, "endColumn": 13},
                                    }
                                }
                            ],
                            "partialFingerprints": {
                                "opsmail/v1": "b1664a3a33fa4de6",
                                "primaryLocationLineHash": "f3a7556fa2806b79:1",
                            },
                            "properties": {"operator": "rh", "path": "sender.reply_to"},
                        },
                        {
                            "ruleId": "ACME-1",
                            "ruleIndex": 6,
                            "level": "warning",
                            "message": {"text": "two operators share a sender"},
                            "locations": [
                                {
                                    "physicalLocation": {
                                        "artifactLocation": {"uri": "opsmail.toml", "uriBaseId": "%SRCROOT%"},
                                        "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 8},
                                    }
                                }
                            ],
                            "partialFingerprints": {"opsmail/v1": "f8263192915522e9"},
                            "properties": {"operator": None, "path": ""},
                        },
                    ],
                }
            ],
        }
    )
    assert [rules[0], rules[-1]] == snapshot(
        [
            {
                "id": "OM201",
                "name": "port-encryption-mismatch",
                "shortDescription": {"text": "Port encryption mismatch"},
                "fullDescription": {"text": "Port and encryption. - `465`"},
                "help": {
                    "text": """\
OM201 port-encryption-mismatch
Severity: error.

What it checks
Port and encryption.

- `465`

    port: 465

Why it matters
Why it matters.

Bad example
Bad example.

Good example
Good example.

How to fix
How to fix.

Fix safety
Fix safety.

Sources
Sources.
""",
                    "markdown": "# the page",
                },
                "helpUri": "https://opsmail.readthedocs.io/rules/OM201/",
                "defaultConfiguration": {"level": "error"},
                "properties": {"tags": ["configuration", "server"], "precision": "very-high"},
            },
            {
                "id": "ACME-1",
                "name": "one-sender-per-team",
                "shortDescription": {"text": "One sender per team"},
                "fullDescription": {"text": "One sender per team"},
                "help": {"text": "One sender per team: https://opsmail.readthedocs.io/own-rules/"},
                "helpUri": "https://opsmail.readthedocs.io/own-rules/",
                "defaultConfiguration": {"level": "warning"},
                "properties": {"tags": ["configuration", "policy"], "precision": "very-high"},
            },
        ]
    )


def test_the_rule_table_is_whole() -> None:
    run = run_of(RICH)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [*all_rules(), OWN.id, *(["OM506"] if "OM506" not in all_rules() else [])]
    for rule in rules:
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
        assert rule["properties"]["precision"] in {"very-high", "high", "medium", "low"}
        assert len(rule["properties"]["tags"]) <= 10
        severity = rule["properties"].get("security-severity")
        assert ("security" in rule["properties"]["tags"]) == (severity is not None)
        assert severity is None or 0 < float(severity) <= 10
        assert rule["help"]["text"]
    helps = {rule["id"]: rule["help"].get("markdown", "") for rule in rules}
    assert helps[MISMATCH.id].startswith("# OM201 port-encryption-mismatch\n")
    assert helps[OWN.id] == ""
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_missing_page_costs_the_help_alone() -> None:
    assert sarif.packaged_page("OM000") is None
    assert sarif.packaged_page(MISMATCH.id) is not None


def test_what_github_needs_of_a_result() -> None:
    results = run_of(RICH)["results"]
    assert len(results) == len(FINDINGS) - 1
    assert not any("suppressions" in result for result in results)
    for result in results:
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert set(region) == {"startLine", "startColumn", "endLine", "endColumn"}
        artifact = location["physicalLocation"]["artifactLocation"]
        assert artifact["uri"].isascii()
        assert artifact["uriBaseId"] == "%SRCROOT%"
        assert result["partialFingerprints"]["opsmail/v1"]
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert "operators/a%C3%A7%C3%A3o%201.yaml" in uris


def test_lines_are_recognised_where_nothing_of_them_may_be_secret() -> None:
    marks = {result["ruleId"]: result["partialFingerprints"] for result in run_of(RICH)["results"]}
    # Line 2 and a hundred characters more reach to line 6; lines 5 and 7 reach the comment in line 8.
    assert {rule for rule, values in marks.items() if "primaryLocationLineHash" in values} == {"OM506"}
    told = replace(RICH, source=lambda path: SourceText(RH, frozenset()) if path == "operators/rh.yaml" else None)
    lines = {result["ruleId"]: result["partialFingerprints"] for result in run_of(told)["results"]}
    assert lines["OM506"] == marks["OM506"]
    # Calculated with github/codeql-action's own code.
    assert {rule: values.get("primaryLocationLineHash") for rule, values in lines.items()} == snapshot(
        {
            "OM201": "59b3bc103de29d03:1",
            "OM702": None,
            "OM001": None,
            "OM502": "79072fcd94bc6893:1",
            "OM506": "f3a7556fa2806b79:1",
            "ACME-1": None,
        }
    )


def test_without_the_line_there_is_no_hash() -> None:
    gone = replace(report_of(FINDINGS[0]), source=lambda _: SourceText("gone", frozenset()))
    unknown = Report((FINDINGS[0],), gone.summary)
    for report in (gone, unknown):
        (result,) = run_of(report)["results"]
        assert list(result["partialFingerprints"]) == ["opsmail/v1"]


def test_two_environments_are_two_analyses() -> None:
    ids = [run_of(replace(RICH, environment=name))["automationDetails"]["id"] for name in ("default", "prod", "a/b c")]
    # GitHub's category is what stands before the last slash.
    assert ids == ["opsmail/check/default/", "opsmail/check/prod/", "opsmail/check/a/b%20c/"]


@pytest.mark.parametrize("text", NAUGHTY)
def test_any_text_is_valid(text: str) -> None:
    report = hostile(text)
    log = json.loads(json_text(sarif.document(report, [report.findings[0].rule], page, "1.2.3")))
    validator().validate(log)
    run = log["runs"][0]
    assert len(run["results"]) == 3
    for result in run["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert unquote(uri, errors="surrogatepass") == text
        (fix,) = result["fixes"]
        # What is to be written is exactly that.
        assert fix["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] == text
        assert "](" not in result["message"]["text"].replace("\\](", "")


def test_a_fix_without_edits_is_none() -> None:
    unmarked = Fix(FixSafety.SAFE, msg("remove it"), (), (MarkRemoval(),))
    log = sarif.document(report_of(replace(FINDINGS[0], fix=unmarked)), [MISMATCH], page, "1.2.3")
    validator().validate(log)
    assert "fixes" not in log["runs"][0]["results"][0]


def test_more_results_than_github_takes() -> None:
    many = [FINDINGS[6]] * 25_001 + [replace(FINDINGS[0], fix=None)]
    log = sarif.document(report_of(*many), [OWN, MISMATCH], page, "1.2.3")
    run = log["runs"][0]
    assert len(run["results"]) == 25_000
    assert run["results"][0]["ruleId"] == "OM201"
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("2 results are left out")
    assert "toolExecutionNotifications" not in run_of(RICH)["invocations"][0]


def test_texts_stay_english() -> None:
    finding = replace(FINDINGS[2], message=msg("the file is {kind}", kind=msg("a link")))
    (result,) = run_of(report_of(finding))["results"]
    assert result["message"]["text"] == "the file is a link"


def test_a_long_description_is_cut_between_words() -> None:
    long = RulePage("OM201", "x", "", tuple(Section(title, "word " * 400) for title in SECTIONS), "")
    text = descriptor(replace(MISMATCH, severity=Severity.NOTE), long)["fullDescription"]["text"]
    assert 1000 < len(text) <= 1024
    assert text.endswith("word …")
