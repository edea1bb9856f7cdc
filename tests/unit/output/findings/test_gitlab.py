"""The Code Quality report, against what GitLab documents of its format."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from inline_snapshot import external_file

from opsmail.findings import FIRST_CHARACTER
from tests.unit.output.findings.naughty import NAUGHTY
from tests.unit.output.findings.reports import FINDINGS, RICH, hostile, render, report_of

SCHEMA = json.loads((Path(__file__).parents[3] / "data" / "gitlab" / "code-quality.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_all_of_it() -> None:
    issues = json.loads(render("gitlab", RICH))
    VALIDATOR.validate(issues)
    assert not any(issue["location"]["path"].startswith(("/", "./")) for issue in issues)
    assert issues == external_file("golden/gitlab.json")


@pytest.mark.parametrize("text", NAUGHTY)
def test_any_text_is_valid(text: str) -> None:
    issues = json.loads(render("gitlab", hostile(text)))
    VALIDATOR.validate(issues)
    assert [issue["severity"] for issue in issues] == ["info", "minor", "critical"]


def test_fingerprints_are_unique_and_do_not_move_with_lines() -> None:
    twice = [FINDINGS[0], replace(FINDINGS[0], span=FIRST_CHARACTER)]
    marks = [issue["fingerprint"] for issue in json.loads(render("gitlab", report_of(*twice)))]
    assert len(set(marks)) == 2
    waived = json.loads(render("gitlab", report_of(replace(twice[0], waived=FINDINGS[3].waived), twice[1])))
    assert [issue["fingerprint"] for issue in waived] == marks[1:]
