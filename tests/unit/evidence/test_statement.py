from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from jsonschema import ValidationError

from opsmail.evidence.facts import Approval, Depth, TestSend, format_time, parse_time
from opsmail.evidence.invalid import InvalidEvidence, Reason
from opsmail.evidence.statement import Kind, Statement, bare_digest
from tests.published import validate_statement
from tests.unit.evidence.statements import CONTEXT, DIGEST, FACTS, SETTINGS, payload_of, sent

APPROVAL = Statement.approval("operator:rh", DIGEST, CONTEXT, Approval(approver="ti@empresa.com.br", role="IT"))
GENERATION = Statement.generation(CONTEXT, {"number": 7, "parent": None, "buckets": {"00": DIGEST}})
BREAK_GLASS = Statement(
    kind=Kind.BREAK_GLASS, subject="operator:rh", digest=DIGEST, context=CONTEXT, facts={"reason": "chamado 4711"}
)
BARE = Statement.test_send("rh", DIGEST, replace(CONTEXT, run=None), TestSend(depth=Depth.RESOLVE, stages=("resolve",)))


@pytest.mark.parametrize("statement", [sent(), BARE, APPROVAL, GENERATION, BREAK_GLASS])
def test_round_trip(statement: Statement) -> None:
    payload = statement.payload()
    assert Statement.parse(payload) == statement
    # Plain JSON that is not canonical says the same.
    assert Statement.parse(json.dumps(json.loads(payload), indent=2).encode()) == statement
    assert rfc8785.dumps(json.loads(payload)) == payload


def test_a_test_send_is_a_test_result() -> None:
    assert payload_of(sent()) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "operator:rh", "digest": {"sha256": DIGEST}}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": "PASSED",
            "configuration": [{"name": "settings", "digest": {"sha256": SETTINGS.removeprefix("sha256:")}}],
            "url": "https://ci.empresa.com.br/runs/1?job=2#log",
            "passedTests": ["resolve", "connect", "tls", "authenticate", "envelope", "send"],
            "warnedTests": [],
            "failedTests": [],
            "send": {
                "depth": "send",
                "stages": ["resolve", "connect", "tls", "authenticate", "envelope", "send"],
                "tls": {
                    "version": "TLSv1.3",
                    "cipher": "TLS_AES_256_GCM_SHA384",
                    "subject": "CN=smtp.empresa.com.br",
                    "issuer": "CN=Empresa CA",
                    "not_after": "2027-01-01T00:00:00Z",
                    "sha256": "01" * 32,
                },
                "mechanism": "PLAIN",
                "reply": {"code": 250, "enhanced": "2.0.0", "text": "Ok: queued as 4FzX"},
                "message_id": "<1@opsmail.test>",
            },
            "context": {
                "repository": "github.com/empresa/operators",
                "environment": "production",
                "settings_digest": SETTINGS,
                "time": "2026-03-10T12:00:00Z",
                "version": "0.1.0",
                "commit": "ef" * 20,
                "run": "https://ci.empresa.com.br/runs/1?job=2#log",
            },
        },
    }


def test_an_approval_is_a_simple_verification_result() -> None:
    predicate = payload_of(APPROVAL)["predicate"]
    del predicate["context"]
    assert predicate == {
        "verifier": {"id": "https://opsmail.readthedocs.io/approve/v1"},
        "timeCreated": "2026-03-10T12:00:00Z",
        "properties": ["OPSMAIL_APPROVED"],
        "approval": {"approver": "ti@empresa.com.br", "role": "IT"},
    }


def test_a_generation_is_named_by_its_facts() -> None:
    facts: Any = {"number": 7, "parent": None, "buckets": {"00": DIGEST}}
    assert GENERATION.subject == "generation:production"
    assert GENERATION.digest == hashlib.sha256(rfc8785.dumps(facts)).hexdigest()
    assert Statement.parse(GENERATION.payload()).predicate == facts


def test_unknown_fields_are_ignored() -> None:
    document = payload_of(sent())
    for place in (document, document["predicate"], document["predicate"]["context"], document["predicate"]["send"]):
        place["added_later"] = {"by": "somebody"}
    validate_statement(document)
    assert Statement.parse(json.dumps(document).encode()) == sent()


def change(*path: str | int, to: Any) -> Callable[[Any], None]:
    def changed(document: Any) -> None:
        *way, last = path
        for step in way:
            document = document[step]
        document[last] = to

    return changed


CONTEXTS: dict[str, list[Any]] = {
    "repository": ["", "a\nb", "a\u0085b", 7, None, "x" * 501],
    "environment": ["", None],
    "settings_digest": ["cd" * 32, "sha256:CD", "sha256:" + "cd" * 32 + "\n", None],
    "time": [
        "2026-03-10T12:00:00+00:00",
        "2026-03-10 12:00:00Z",
        "2026-03-10T12:00:00.5Z",
        "2026-02-30T12:00:00Z",
        "2026-3-1T1:1:1Z",
        "2026-03-10T12:00:60Z",
        "٢٠٢٦-03-10T12:00:00Z",
        1773144000,
    ],
    "version": ["", ["0.1.0"]],
    "commit": ["HEAD", "ef" * 19, "EF" * 20, None],
    "run": ["javascript:alert(1)", "https://", "https://ci/\x1b[2J", 7],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in CONTEXTS.items() for value in values])
def test_contexts_that_are_none(field: str, value: Any) -> None:
    document = payload_of(sent())
    document["predicate"]["context"][field] = value
    with pytest.raises(InvalidEvidence, match=field) as caught:
        Statement.parse(json.dumps(document).encode())
    assert caught.value.reason is Reason.NOT_A_STATEMENT


@pytest.mark.parametrize("field", ["repository", "environment", "settings_digest", "time", "version", "commit"])
def test_contexts_that_lack_something(field: str) -> None:
    document = payload_of(sent())
    del document["predicate"]["context"][field]
    with pytest.raises(InvalidEvidence, match=field):
        Statement.parse(json.dumps(document).encode())
    with pytest.raises(ValidationError):
        validate_statement(document)


@pytest.mark.parametrize(
    ("statement", "changed", "said"),
    [
        (sent(), change("_type", to="https://in-toto.io/Statement/v0.1"), "not an in-toto statement"),
        (sent(), change("predicateType", to="https://slsa.dev/provenance/v1"), "predicate type"),
        (sent(), change("predicateType", to=["https://in-toto.io/attestation/test-result/v0.1"]), "predicate type"),
        (sent(), change("subject", to=[]), "one subject"),
        (sent(), change("subject", to="operator:rh"), "one subject"),
        (sent(), change("subject", to=[{"name": "operator:rh", "digest": {"sha256": DIGEST}}] * 2), "one subject"),
        (sent(), change("subject", 0, "name", to="rh"), "one subject"),
        (sent(), change("subject", 0, "name", to="operator:r\nh"), "one subject"),
        (sent(), change("subject", 0, "name", to="operator:" + "x" * 64), "one subject"),
        (sent(), change("subject", 0, "digest", to={"sha512": "00" * 64}), "one subject"),
        (sent(), change("subject", 0, "digest", "sha256", to=f"sha256:{DIGEST}"), "one subject"),
        (sent(), change("subject", 0, "digest", "sha256", to=DIGEST.upper()), "one subject"),
        (sent(), change("predicate", to=None), "no predicate"),
        (sent(), change("predicate", to=[]), "no predicate"),
        (sent(), change("predicate", "context", to=None), "context"),
        (sent(), change("predicate", "result", to="FAILED"), "a test that passed"),
        (sent(), change("predicate", "result", to="WARNED"), "a test that passed"),
        (sent(), change("predicate", "failedTests", to=["send"]), "a test that passed"),
        (sent(), change("predicate", "send", to=None), "send"),
        (sent(), change("predicate", "send", "depth", to="deep"), "depth"),
        (sent(), change("predicate", "send", "stages", to="all"), "stages"),
        (sent(), change("predicate", "send", "reply", "code", to=True), "code"),
        (sent(), change("predicate", "send", "tls", "sha256", to="x"), "sha256"),
        (APPROVAL, change("predicate", "verifier", to={"id": "https://example.com/other"}), "an approval"),
        (APPROVAL, change("predicate", "properties", to=["OTHER"]), "an approval"),
        (APPROVAL, change("predicate", "properties", to="OPSMAIL_APPROVED"), "an approval"),
        (APPROVAL, change("predicate", "approval", to={"approver": "ti@empresa.com.br"}), "role"),
    ],
)
def test_what_is_no_statement(statement: Statement, changed: Callable[[Any], None], said: str) -> None:
    document = payload_of(statement)
    changed(document)
    with pytest.raises(InvalidEvidence, match=said) as caught:
        Statement.parse(json.dumps(document).encode())
    assert caught.value.reason is Reason.NOT_A_STATEMENT
    with pytest.raises(ValidationError):
        validate_statement(document)


@pytest.mark.parametrize(
    "statement",
    [
        sent(repository=""),
        sent(commit="HEAD"),
        sent(repository="a\ud800"),
        replace(sent(), subject="rh"),
        replace(sent(), facts=replace(FACTS, mechanism="")),
        replace(GENERATION, facts={"number": float("nan")}),
        replace(GENERATION, facts={"number": 2**53}),
        replace(GENERATION, facts={"context": {}}),
        replace(GENERATION, facts={"reason": "x" * 1024 * 1024}),
    ],
)
def test_what_nobody_would_accept_is_not_written(statement: Statement) -> None:
    with pytest.raises(InvalidEvidence):
        statement.payload()


@pytest.mark.parametrize("digest", ["", "ab", "sha256:", "sha512:" + DIGEST, DIGEST.upper(), DIGEST + "\n"])
def test_digests_that_are_none(digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Statement.test_send("rh", digest, CONTEXT, FACTS)


def test_digests_have_one_form_inside() -> None:
    assert bare_digest(DIGEST) == bare_digest(f"sha256:{DIGEST}") == DIGEST
    assert Statement.test_send("rh", f"sha256:{DIGEST}", CONTEXT, FACTS) == Statement.test_send(
        "rh", DIGEST, CONTEXT, FACTS
    )


def test_times() -> None:
    brasilia = timezone(timedelta(hours=-3))
    assert format_time(datetime(2026, 3, 10, 9, 0, 0, 999_999, brasilia)) == "2026-03-10T12:00:00Z"
    assert parse_time("2038-01-19T03:14:08Z") == datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        format_time(datetime(2026, 3, 10))  # noqa: DTZ001 - that is what is refused


def test_depths_include_those_before() -> None:
    assert Depth.SEND.reaches(Depth.SEND)
    assert Depth.RECEIPT.reaches(Depth.RESOLVE)
    assert not Depth.ENVELOPE.reaches(Depth.SEND)
