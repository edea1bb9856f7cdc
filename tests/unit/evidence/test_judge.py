from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsmail.evidence.envelope import VerifiedStatement, sign, verify
from opsmail.evidence.facts import Approval, Depth
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.evidence.judge import SKEW, Evidence, Missing, Proof, Wanted, find_proof
from opsmail.evidence.keys import SigningKey
from opsmail.evidence.statement import Kind, Statement
from tests.unit.evidence.statements import CONTEXT, DIGEST, FACTS, NOW, SETTINGS, sent, trusted

KEY = SigningKey.generate()
WANTED = Wanted(
    kind=Kind.TEST_SEND,
    subject="operator:rh",
    digest=f"sha256:{DIGEST}",
    repository="github.com/empresa/operators",
    environment="production",
    settings_digest=SETTINGS,
    max_age=timedelta(days=7),
)
SECOND = timedelta(seconds=1)


def verified(statement: Statement | None = None, **context: Any) -> VerifiedStatement:
    keys = [trusted(KEY, environments=frozenset({"production", "staging"}))]
    return verify(sign(statement or sent(**context), KEY), keys)


def refused(statement: Statement | None = None, **trust: Any) -> InvalidEvidence:
    with pytest.raises(InvalidEvidence) as caught:
        verify(sign(statement or sent(), KEY), [trusted(KEY, **trust)])
    return caught.value


def missing(*items: VerifiedStatement | InvalidEvidence, **wanted: Any) -> Missing:
    verdict = find_proof(items, replace(WANTED, **wanted), NOW)
    assert isinstance(verdict, Missing)
    assert Evidence(items).find(replace(WANTED, **wanted), NOW) == verdict
    return verdict


def proof(*items: VerifiedStatement | InvalidEvidence, **wanted: Any) -> Proof:
    verdict = find_proof(items, replace(WANTED, **wanted), NOW)
    assert isinstance(verdict, Proof), verdict
    assert Evidence(items).find(replace(WANTED, **wanted), NOW) == verdict
    return verdict


def test_a_proof() -> None:
    found = proof(verified())
    assert found.verified.statement == sent()
    assert found.age == timedelta()


def test_the_newest_proof_counts() -> None:
    days = [5, 1, 3]
    assert proof(*(verified(time=NOW - timedelta(days=day)) for day in days)).age == timedelta(days=1)


def test_no_evidence_at_all() -> None:
    verdict = missing()
    assert str(verdict.message) == "there is no `test-send` evidence for operator:rh"
    assert "opsmail test rh" in str(verdict.hint)
    assert verdict.nearest is None


def test_evidence_of_others_is_none() -> None:
    other = Statement.test_send("folha", DIGEST, CONTEXT, FACTS)
    approved = Statement.approval("operator:rh", DIGEST, CONTEXT, Approval(approver="ti@empresa.com.br", role="IT"))
    garbage = refused_garbage()
    assert "there is no" in str(missing(verified(other), verified(approved), garbage).message)


def refused_garbage() -> InvalidEvidence:
    with pytest.raises(InvalidEvidence) as caught:
        verify(b"{}", [])
    return caught.value


@pytest.mark.parametrize(
    ("item", "wanted", "said"),
    [
        (verified(), {"digest": "00" * 32}, f"is for another version of it ({DIGEST})"),
        (verified(environment="staging"), {}, "is for environment staging, not production"),
        (verified(repository="github.com/outra/operators"), {}, "is from repository github.com/outra/operators, not"),
        (verified(settings_digest="sha256:" + "00" * 32), {}, f"was made under other settings (sha256:{'00' * 32})"),
        (refused(revoked=True), {}, "does not count: it is signed by the key keys/ci.pub.pem, which was revoked"),
        (refused(kinds=frozenset()), {}, "does not count: it is signed by the key keys/ci.pub.pem, which may not sign"),
        (
            verified(replace(sent(), facts=replace(FACTS, depth=Depth.AUTHENTICATE))),
            {},
            "goes as far as `authenticate`, needed is `send`",
        ),
        (verified(), {"depth": Depth.RECEIPT}, "goes as far as `send`, needed is `receipt`"),
        (verified(time=NOW + timedelta(hours=2)), {}, "is dated 2 hours ahead of this machine's clock"),
        (verified(time=NOW - timedelta(days=10)), {}, "is 10 days old, allowed are 7 days"),
        (verified(time=NOW - timedelta(days=7, hours=2)), {}, "is 170 hours old, allowed are 168 hours"),
        (verified(time=NOW - timedelta(days=7, minutes=2)), {}, "is 10082 minutes old, allowed are 10080 minutes"),
        (verified(time=NOW - timedelta(days=7, seconds=1)), {}, "is 604801 seconds old, allowed are 604800 seconds"),
        (verified(time=NOW - timedelta(days=1)), {"max_age": timedelta(hours=1)}, "is 1 day old, allowed are 1 hour"),
    ],
)
def test_the_nearest_miss_is_explained(item: Any, wanted: dict[str, Any], said: str) -> None:
    verdict = missing(item, **wanted)
    assert said in str(verdict.message)
    assert str(verdict.message).startswith("the `test-send` evidence for operator:rh of 2026-")
    assert verdict.nearest == item.statement


@pytest.mark.parametrize(
    ("time", "good"),
    [
        (NOW - WANTED.max_age, True),
        (NOW - WANTED.max_age - SECOND, False),
        (NOW + SKEW, True),
        (NOW + SKEW + SECOND, False),
    ],
)
def test_the_limits_of_age(time: Any, good: bool) -> None:
    verdict = find_proof([verified(time=time)], WANTED, NOW)
    assert isinstance(verdict, Proof) is good
    if isinstance(verdict, Proof):
        assert verdict.age >= timedelta()


def test_of_several_misses_the_nearest_is_told() -> None:
    other_version = verified(Statement.test_send("rh", "00" * 32, CONTEXT, FACTS))
    elsewhere = verified(environment="staging")
    revoked = refused(revoked=True)
    old = verified(time=NOW - timedelta(days=30))
    older = verified(time=NOW - timedelta(days=60))
    assert "another version" in str(missing(other_version).message)
    assert "staging" in str(missing(other_version, elsewhere).message)
    assert "revoked" in str(missing(revoked, other_version, elsewhere).message)
    assert "30 days old" in str(missing(older, revoked, old, other_version, elsewhere).message)
    assert proof(older, revoked, verified(), other_version, elsewhere).age == timedelta()


def test_an_approval_has_no_depth() -> None:
    approved = verified(
        Statement.approval("operator:rh", DIGEST, CONTEXT, Approval(approver="ti@empresa.com.br", role="IT"))
    )
    assert proof(approved, kind=Kind.APPROVAL, depth=Depth.RECEIPT).verified == approved
    verdict = missing(kind=Kind.APPROVAL)
    assert "`approval`" in str(verdict.message)
    assert "run `opsmail approve rh`" in str(verdict.hint)
    assert "signed anew" in str(missing(kind=Kind.APPROVAL, subject="settings:production").hint)


def test_evidence_for_many() -> None:
    operators = [f"operator-{number}" for number in range(50)]
    items = [verified(Statement.test_send(operator, DIGEST, CONTEXT, FACTS)) for operator in operators]
    evidence = Evidence(items)
    for operator, item in zip(operators, items, strict=True):
        verdict = evidence.find(replace(WANTED, subject=f"operator:{operator}"), NOW)
        assert verdict == Proof(item, timedelta())


def test_a_digest_that_is_none() -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        replace(WANTED, digest="latest")
