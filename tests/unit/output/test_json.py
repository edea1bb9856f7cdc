"""`--format json`, as programs read it."""

from __future__ import annotations

import json
from dataclasses import replace
from gettext import NullTranslations
from typing import Any

from opsmail.findings import Edit, Finding, Fix, FixSafety, Related, Span, Waiver, fingerprints
from opsmail.messages import msg
from opsmail.output.findings.interface import Report
from opsmail.output.findings.json import render
from opsmail.output.style import Style
from tests.published import read_json
from tests.unit.output.test_text import FINDING, SUMMARY

PLACE = {"start": {"line": 9, "column": 9}, "end": {"line": 9, "column": 12}}


def document(*findings: Finding) -> Any:
    return read_json(render(Report(findings, SUMMARY), NullTranslations(), Style(False)))


def test_a_whole_report() -> None:
    fix = Fix(FixSafety.UNSAFE, msg("write {port}", port=587), (Edit(Span(9, 9, 9, 12), "587"),))
    waiver = Waiver("chamado 4711", "ti@empresa.com.br", "2027-06-30")
    assert document(replace(FINDING, fix=fix, waived=waiver)) == {
        "schema": "opsmail/findings/v1",
        "summary": {
            "files": 1,
            "operators": 1,
            "errors": 1,
            "warnings": 0,
            "notes": 0,
            "waived": 0,
            "fixable": 0,
        },
        "findings": [
            {
                "rule": "OM201",
                "name": "port-encryption-mismatch",
                "severity": "error",
                "operator": "rh",
                "path": "server.port",
                "message": "port 465 expects implicit TLS, but encryption is `starttls`",
                "file": "operators/rh.yaml",
                **PLACE,
                "related": [
                    {
                        "message": "STARTTLS belongs to 587",
                        "file": "operators/rh.yaml",
                        "start": {"line": 10, "column": 15},
                        "end": {"line": 10, "column": 23},
                    }
                ],
                "help": "use port 587, or encryption `implicit-tls`",
                "url": "https://opsmail.readthedocs.io/rules/OM201/",
                "waived": {"reason": "chamado 4711", "approved_by": "ti@empresa.com.br", "expires": "2027-06-30"},
                "fingerprint": fingerprints([FINDING])[0],
                "fix": {
                    "safety": "unsafe",
                    "description": "write 587",
                    "edits": [{**PLACE, "text": "587"}],
                },
            }
        ],
    }


def test_what_is_not_there_is_null() -> None:
    (finding,) = document(replace(FINDING, operator=None, help=None, related=()))["findings"]
    assert [finding[name] for name in ("operator", "help", "waived", "fix")] == [None] * 4
    assert finding["related"] == []


def test_texts_stay_english_and_paths_stay_apart_from_their_controls() -> None:
    evil = "a\x1b[2J\u202e\n\udcff"
    finding = replace(
        FINDING,
        file=f"operators/{evil}",
        message=msg("{text}", text=evil),
        related=(Related(msg("{text}", text=evil), evil, Span(1, 1, 1, 2)),),
        waived=Waiver(evil, evil, "2027-06-30"),
    )
    text = render(Report((finding,), SUMMARY), NullTranslations(), Style(False))
    assert text.isascii()
    assert all(char == "\n" or char.isprintable() for char in text)
    (told,) = json.loads(text)["findings"]
    assert told["file"] == r"operators/a\x1b[2J\u202e\x0a\udcff"
    assert told["related"][0]["message"] == told["waived"]["reason"] == r"a\x1b[2J\u202e\x0a\udcff"


class TestFingerprints:
    def test_they_stay_when_lines_move(self) -> None:
        moved = replace(FINDING, span=Span(90, 9, 90, 12), message=msg("other words"))
        assert fingerprints([FINDING]) == fingerprints([moved])

    def test_rule_operator_and_field_tell_them_apart(self) -> None:
        others = [
            FINDING,
            replace(FINDING, rule=replace(FINDING.rule, id="OM202")),
            replace(FINDING, operator="ti"),
            replace(FINDING, path="server.host"),
            replace(FINDING, operator=None),
            replace(FINDING, operator=None, file="operators/ti.yaml"),
        ]
        assert len(set(fingerprints(others))) == len(others)

    def test_several_at_one_field_are_told_apart_by_their_order(self) -> None:
        several = fingerprints([FINDING] * 3)
        assert len(set(several)) == 3
        assert several[0] == fingerprints([FINDING])[0]
        assert several[:2] == fingerprints([FINDING] * 2)

    def test_names_that_are_no_utf8(self) -> None:
        assert fingerprints([replace(FINDING, operator=None, file="\udcff")])
