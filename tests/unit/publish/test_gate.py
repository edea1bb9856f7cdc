"""The gate: what refuses, in which words, and what counts as proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsmail.evidence.envelope import sign, verify
from opsmail.evidence.facts import Approval, Context, Depth, TestSend
from opsmail.evidence.judge import Evidence
from opsmail.evidence.keys import SigningKey, TrustedKey
from opsmail.evidence.statement import Kind, Statement
from opsmail.findings import Finding, RuleMeta, Severity, Span
from opsmail.messages import msg
from opsmail.publish.gate import check_refusals, descent_refusals, judge
from opsmail.publish.plan import Plan
from opsmail.settings.model import Gate, StatementKind
from opsmail.settings.notation import Duration
from tests.unit.fleets import ENVIRONMENT, ORIGIN, operator, plan_between

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
KEY = SigningKey.generate()
TRUSTED = TrustedKey(KEY.public, frozenset(Kind), frozenset({ENVIRONMENT, "staging"}))
CONTEXT = Context(
    repository=ORIGIN.repository,
    environment=ENVIRONMENT,
    settings_digest=ORIGIN.settings_digest,
    time=NOW - timedelta(hours=1),
    version="0.1.0",
    commit=ORIGIN.commit,
)
SENT = TestSend(depth=Depth.SEND, stages=("resolve", "connect", "envelope", "send"))
BEFORE = (operator("chefe", role="master"), operator("a"), operator("gone"))
AFTER = (operator("chefe", role="master"), operator("a", name="X"), operator("new"))


@pytest.fixture
def plan() -> Plan:
    """One operator that changes, one that is new, one that goes, one that stays."""
    return plan_between(BEFORE, AFTER)


def digests(plan: Plan) -> dict[str, str]:
    return {change.operator: change.after for change in plan.changes if change.after is not None}


def sent(name: str, digest: str, facts: TestSend = SENT, **context: Any) -> Statement:
    return Statement.test_send(name, digest, replace(CONTEXT, **context), facts)


def evidence(*statements: Statement, key: TrustedKey = TRUSTED) -> Evidence:
    return Evidence(verify(sign(statement, KEY), [key]) for statement in statements)


def gate(*kinds: StatementKind, max_age: str = "7d") -> Gate:
    return Gate(require=kinds or (StatementKind.TEST_SEND,), max_age=Duration.parse(max_age))


def refused(plan: Plan, found: Evidence, required: Gate | None = None) -> Mapping[str | None, str]:
    verdict = judge(plan, required or gate(), found, NOW)
    assert all(refusal.hint is not None for refusal in verdict.refusals)
    return {refusal.operator: str(refusal.message) for refusal in verdict.refusals}


def test_what_is_new_or_changed_needs_proof_and_nothing_else(plan: Plan) -> None:
    assert refused(plan, evidence()) == {
        "a": "there is no `test-send` evidence for operator:a",
        "new": "there is no `test-send` evidence for operator:new",
    }


def test_proven_it_passes_and_its_proofs_are_named(plan: Plan) -> None:
    statements = [sent(name, digest) for name, digest in digests(plan).items()]
    verdict = judge(plan, gate(), evidence(*statements), NOW)
    assert verdict.refusals == ()
    assert {name: [proof.statement for proof in proofs] for name, proofs in verdict.proofs.items()} == {
        "a": [statements[0]],
        "new": [statements[1]],
    }


@pytest.mark.parametrize(
    ("context", "facts", "told"),
    [
        ({"environment": "staging"}, SENT, "is for environment staging, not production"),
        ({"repository": "github.com/fork/mail"}, SENT, "is from repository github.com/fork/mail"),
        ({"settings_digest": "sha256:" + "00" * 32}, SENT, "was made under other settings"),
        ({"time": NOW - timedelta(days=8)}, SENT, "is 8 days old, allowed are 7 days"),
        ({}, replace(SENT, depth=Depth.AUTHENTICATE), "goes as far as `authenticate`, needed is `send`"),
    ],
)
def test_proof_of_something_else_is_none(plan: Plan, context: dict[str, Any], facts: TestSend, told: str) -> None:
    statements = [sent(name, digest, facts, **context) for name, digest in digests(plan).items()]
    refusals = refused(plan, evidence(*statements))
    assert list(refusals) == ["a", "new"]
    assert told in refusals["a"]


def test_proof_of_another_version_is_none(plan: Plan) -> None:
    found = evidence(*[sent(name, "0" * 64) for name in digests(plan)])
    assert "is for another version of it" in refused(plan, found)["new"]


def test_the_age_is_a_setting(plan: Plan) -> None:
    found = evidence(*[sent(name, digest) for name, digest in digests(plan).items()])
    assert refused(plan, found, gate(max_age="59m"))
    assert not refused(plan, found, gate(max_age="60m"))


def test_every_kind_that_is_required_is_asked_for(plan: Plan) -> None:
    both = gate(StatementKind.TEST_SEND, StatementKind.APPROVAL)
    tests = [sent(name, digest) for name, digest in digests(plan).items()]
    approvals = [
        Statement.approval(f"operator:{name}", digest, CONTEXT, Approval(approver="ti@empresa.test", role="TI"))
        for name, digest in digests(plan).items()
    ]
    assert refused(plan, evidence(*tests), both)["a"] == "there is no `approval` evidence for operator:a"
    assert refused(plan, evidence(*approvals), both)["a"] == "there is no `test-send` evidence for operator:a"
    verdict = judge(plan, both, evidence(*tests, *approvals), NOW)
    assert verdict.refusals == ()
    assert [proof.statement.kind for proof in verdict.proofs["a"]] == [Kind.TEST_SEND, Kind.APPROVAL]


def test_where_nothing_is_required_nothing_is_asked_for(plan: Plan) -> None:
    verdict = judge(plan, Gate(require=()), evidence(), NOW)
    assert verdict.refusals == ()
    assert verdict.proofs == {"a": (), "new": ()}


def test_an_error_of_the_check_refuses_with_its_place_and_its_help() -> None:
    finding = Finding(
        rule=RuleMeta("OM209", "server-not-approved", Severity.ERROR),
        severity=Severity.ERROR,
        file="operators/rh.yaml",
        span=Span(7, 9, 7, 12),
        message=msg("the server is not approved"),
        operator="rh",
        path="server.host",
        help=msg("ask IT"),
    )
    (refusal,) = check_refusals([finding])
    assert (refusal.operator, str(refusal.message), str(refusal.hint)) == (
        "rh",
        "OM209 at operators/rh.yaml:7: the server is not approved",
        "ask IT",
    )


def test_descent() -> None:
    after, published = "a" * 40, "b" * 40
    assert list(descent_refusals(after, published, descends=True)) == []
    (not_after,) = descent_refusals(after, published, descends=False)
    assert str(not_after.message) == f"commit {'a' * 12} does not come after the published one, {'b' * 12}"
    (unknown,) = descent_refusals(after, published, descends=None)
    assert str(unknown.message) == f"the published commit {'b' * 12} is not in the history that is here"
    assert "fetch-depth: 0" in str(unknown.hint)
