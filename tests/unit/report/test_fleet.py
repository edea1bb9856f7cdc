"""What the report says of each operator."""

from __future__ import annotations

import pytest

from opsmail.report.fleet import Published, Row, Served, State
from tests.builders import operator_text
from tests.unit.report.fleets import digest_of, proof, report_on

GOOD = operator_text()
WARNED = operator_text(sender={"address": "rh@empresa.com.br", "reply_to": "no-reply@empresa.com.br"})


def only(files: dict[str, str], **options: object) -> Row:
    (row,) = report_on(files, **options).rows  # type: ignore[arg-type]  # passed on as they are
    return row


def test_an_operator_that_nothing_is_wrong_with() -> None:
    row = only({"rh.yaml": GOOD}, evidence=[proof("rh", digest_of(GOOD))])
    assert (row.name, row.file, row.state, row.findings) == ("rh", "operators/rh.yaml", State.GOOD, ())
    assert row.proof is not None
    assert row.proof.is_current


def test_without_a_proof_of_exactly_these_settings_it_is_not_proven() -> None:
    assert only({"rh.yaml": GOOD}).state is State.UNPROVEN
    row = only({"rh.yaml": GOOD}, evidence=[proof("rh", "ab" * 32)])
    assert row.state is State.UNPROVEN
    assert row.proof is not None
    assert not row.proof.is_current


def test_the_newest_proof_of_this_environment_counts() -> None:
    digest = digest_of(GOOD)
    evidence = [
        proof("rh", digest, day=2),
        proof("rh", digest, day=1),
        proof("rh", digest, day=9, environment="production"),
        proof("other", digest, day=9),
    ]
    row = only({"rh.yaml": GOOD}, evidence=evidence)
    assert row.proof is not None
    assert row.proof.time.day == 2


def test_what_the_store_keeps_proves_too() -> None:
    row = only({"rh.yaml": GOOD}, served=Served({}, (), (proof("rh", digest_of(GOOD)),)))
    assert row.state is State.GOOD


def test_an_error_weighs_more_than_a_proof() -> None:
    wrong = operator_text(server={"port": 465})
    row = only({"rh.yaml": wrong}, evidence=[proof("rh", digest_of(wrong))])
    assert row.state is State.BROKEN
    assert "OM201" in [finding.rule.id for finding in row.findings]
    assert row.findings[0].severity.label == "error"


def test_a_warning_shows_where_there_is_a_proof() -> None:
    late = operator_text(authentication={"secret_expires": "2026-06-20"})
    row = only({"rh.yaml": late}, evidence=[proof("rh", digest_of(late))])
    assert (row.state, [finding.severity.label for finding in row.findings]) == (State.WARNED, ["warning"])


def test_a_disabled_operator_needs_no_proof() -> None:
    rows = report_on({"rh.yaml": GOOD, "x.yaml": operator_text(operator="x", role="standard", enabled=False)}).rows
    assert [(row.name, row.state) for row in rows if row.name == "x"] == [("x", State.DISABLED)]


def test_what_cannot_be_read_is_shown_by_its_file() -> None:
    rows = report_on({"rh.yaml": GOOD, "x.yaml": "a: ["}).rows
    row = next(row for row in rows if row.file == "operators/x.yaml")
    assert (row.name, row.state, row.operator, row.proof) == ("operators/x.yaml", State.BROKEN, None, None)


@pytest.mark.parametrize(
    ("served", "published"),
    [
        (None, Published.UNKNOWN),
        (Served({}, ()), Published.NOTHING),
        (Served({"rh": "ab" * 32}, ()), Published.OTHER),
        (Served({"rh": digest_of(GOOD).removeprefix("sha256:")}, ()), Published.SAME),
    ],
)
def test_what_the_store_serves_of_it(served: Served | None, published: Published) -> None:
    assert only({"rh.yaml": GOOD}, served=served).published is published
    assert only({"rh.yaml": "a: ["}, served=served).published in (Published.UNKNOWN, Published.NOTHING)


def test_findings_of_no_operator_are_not_lost() -> None:
    waivers = "- {operator: nobody, rule: OM203, reason: x, approved_by: y, expires: 2026-12-31}\n"
    fleet = report_on({"rh.yaml": GOOD}, waivers=waivers)
    assert [finding.rule.id for finding in fleet.others] == ["OM801"]
    assert fleet.count(State.UNPROVEN) == 1
