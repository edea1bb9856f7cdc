"""What a statement says: in-toto Statement v1, one operator (or environment) and one kind each.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md. Every predicate carries a `context` of ours
beside the fields of its type, as the specification allows; fields that are unknown here are ignored, as it demands.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypeVar

from opsmail.canonical import canonical_json
from opsmail.evidence.facts import Approval, Context, TestSend, format_time
from opsmail.evidence.invalid import InvalidEvidence, Reason
from opsmail.evidence.strict_json import parse_object, require_size
from opsmail.messages import Message, msg
from opsmail.shape import Decoder, ProblemKind
from opsmail.values import dataclass

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
#: Who approves with opsmail is the verifier of a Simple Verification Result; another meaning would be another version.
VERIFIER = "https://opsmail.readthedocs.io/approve/v1"
APPROVED = "OPSMAIL_APPROVED"


class Kind(StrEnum):
    """What a statement is about, and what a key may be trusted for."""

    TEST_SEND = "test-send"
    APPROVAL = "approval"
    GENERATION = "generation"
    BREAK_GLASS = "break-glass"

    @property
    def predicate_type(self) -> str:
        """The predicate type that stands for it."""
        return _PREDICATE_TYPES[self]


# https://github.com/in-toto/attestation/tree/main/spec/predicates: test-result.md and svr.md; the others are ours.
_PREDICATE_TYPES: Mapping[Kind, str] = {
    Kind.TEST_SEND: "https://in-toto.io/attestation/test-result/v0.1",
    Kind.APPROVAL: "https://in-toto.io/attestation/svr/v0.1",
    Kind.GENERATION: "https://opsmail.readthedocs.io/attestation/generation/v1",
    Kind.BREAK_GLASS: "https://opsmail.readthedocs.io/attestation/break-glass/v1",
}
_KINDS = {predicate_type: kind for kind, predicate_type in _PREDICATE_TYPES.items()}


_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_HEX = re.compile(r"[0-9a-f]{64}")
#: What a statement may be about.
SUBJECT = re.compile(r"(?:operator|settings|generation):[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

#: What a kind of statement says beyond its context; plain data for the kinds whose predicate somebody else knows.
Facts = TestSend | Approval | Mapping[str, Any]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, not yet signed or already verified.

    Args:
        kind: what it is about.
        subject: `operator:<id>`, `settings:<environment>` or `generation:<environment>`.
        digest: of the subject, bare hexadecimal SHA-256.
        context: where it comes from.
        facts: what it says.
    """

    kind: Kind
    subject: str
    digest: str
    context: Context
    facts: Facts

    @classmethod
    def test_send(cls, operator: str, digest: str, context: Context, facts: TestSend) -> Self:
        """Say that a test send as `operator` passed; `digest` with or without `sha256:`."""
        subject, digest = f"operator:{operator}", bare_digest(digest)
        return cls(kind=Kind.TEST_SEND, subject=subject, digest=digest, context=context, facts=facts)

    @classmethod
    def approval(cls, subject: str, digest: str, context: Context, facts: Approval) -> Self:
        """Say that somebody approved `subject`, an `operator:…` or `settings:…`, with exactly this digest."""
        return cls(kind=Kind.APPROVAL, subject=subject, digest=bare_digest(digest), context=context, facts=facts)

    @classmethod
    def generation(cls, context: Context, facts: Mapping[str, Any]) -> Self:
        """Say that `facts` (plain data) are what is published in the context's environment; the digest is theirs."""
        subject = f"generation:{context.environment}"
        return cls(kind=Kind.GENERATION, subject=subject, digest=_digest_of(facts), context=context, facts=facts)

    @classmethod
    def break_glass(cls, operator: str, digest: str, context: Context, facts: Mapping[str, Any]) -> Self:
        """Say that `operator` goes live unproven; `facts` (plain data) tell who wants it and why."""
        subject, digest = f"operator:{operator}", bare_digest(digest)
        return cls(kind=Kind.BREAK_GLASS, subject=subject, digest=digest, context=context, facts=facts)

    @property
    def predicate(self) -> dict[str, Any]:
        """The fields of its predicate type, without the context."""
        if isinstance(self.facts, TestSend):
            return _test_result(self.facts, self.context)
        if isinstance(self.facts, Approval):
            return _verification_result(self.facts, self.context)
        return dict(self.facts)

    def payload(self) -> bytes:
        """Return the in-toto statement in canonical JSON (RFC 8785).

        Raises:
            InvalidEvidence: a value is one that no reader of the statement would accept.
        """
        predicate = self.predicate
        if "context" in predicate:
            raise _no_statement(msg("its facts have a context of their own"))
        document = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": self.subject, "digest": {"sha256": self.digest}}],
            "predicateType": self.kind.predicate_type,
            "predicate": {**predicate, "context": _plain(self.context)},
        }
        payload = _canonical(document)
        require_size(payload)
        # Canonical JSON passes all other tests of `parse_object`, and reading it would give the document again.
        Statement._of(document)
        return payload

    @classmethod
    def parse(cls, payload: bytes) -> Statement:
        """Return the statement in `payload`.

        Raises:
            InvalidEvidence: `NOT_A_STATEMENT` with what is wrong, or what `parse_object` finds.
        """
        return cls._of(parse_object(payload))

    @classmethod
    def _of(cls, document: Mapping[str, Any]) -> Statement:
        kind = _kind(document)
        subject, digest = _subject(document)
        predicate = document.get("predicate")
        if not isinstance(predicate, dict):
            raise _no_statement(msg("it has no predicate"))
        context = _decoded(_CONTEXT, predicate.get("context"), "context")
        facts = _facts(kind, {name: said for name, said in predicate.items() if name != "context"})
        return cls(kind=kind, subject=subject, digest=digest, context=context, facts=facts)


def _digest_of(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(dict(facts))).hexdigest()


def _canonical(document: Any) -> bytes:
    try:
        return canonical_json(document)
    except ValueError as error:
        raise _no_statement(msg("it cannot be written as JSON: {reason}", reason=error)) from None


def bare_digest(text: str) -> str:
    """Return a SHA-256 without its `sha256:`; ValueError where it is none."""
    match = _DIGEST.fullmatch(text)
    if match is None:
        raise ValueError("not a SHA-256")
    return match[1]


def _test_result(facts: TestSend, context: Context) -> dict[str, Any]:
    settings = {"name": "settings", "digest": {"sha256": bare_digest(context.settings_digest)}}
    return {
        "result": "PASSED",
        "configuration": [settings],
        **({"url": context.run} if context.run else {}),
        "passedTests": list(facts.stages),
        "warnedTests": [],
        "failedTests": [],
        "send": _plain(facts),
    }


def _verification_result(facts: Approval, context: Context) -> dict[str, Any]:
    return {
        "verifier": {"id": VERIFIER},
        "timeCreated": format_time(context.time),
        "properties": [APPROVED],
        "approval": _plain(facts),
    }


def _plain(value: Any) -> Any:
    """Return a section as plain data, without what is None."""
    if isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, tuple):
        return list(value)
    pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
    return {name: _plain(item) for name, item in pairs if item is not None}


def _kind(document: Mapping[str, Any]) -> Kind:
    if document.get("_type") != STATEMENT_TYPE:
        raise _no_statement(msg("it is not an in-toto statement, version 1"))
    predicate_type = document.get("predicateType")
    kind = _KINDS.get(predicate_type) if isinstance(predicate_type, str) else None
    if kind is None:
        raise _no_statement(msg("its predicate type is none that opsmail knows"))
    return kind


def _subject(document: Mapping[str, Any]) -> tuple[str, str]:
    match document.get("subject"):
        case [{"name": str(name), "digest": {"sha256": str(digest)}}] if SUBJECT.fullmatch(name) and _HEX.fullmatch(
            digest
        ):
            return name, digest
    raise _no_statement(msg("it does not have one subject with a name and a SHA-256"))


def _facts(kind: Kind, predicate: Mapping[str, Any]) -> Facts:
    if kind is Kind.TEST_SEND:
        if predicate.get("result") != "PASSED" or predicate.get("failedTests"):
            raise _no_statement(msg("it does not tell of a test that passed"))
        return _decoded(_TEST_SEND, predicate.get("send"), "send")
    if kind is Kind.APPROVAL:
        properties = predicate.get("properties")
        if (
            predicate.get("verifier") != {"id": VERIFIER}
            or not isinstance(properties, list)
            or APPROVED not in properties
        ):
            raise _no_statement(msg("it does not tell of an approval"))
        return _decoded(_APPROVAL, predicate.get("approval"), "approval")
    return predicate


def _decoded(decoder: Decoder[_T], data: object, name: str) -> _T:
    value, problems = decoder.decode(data)
    if value is None:
        # An unknown field is the reason only where it is a required one, misspelt.
        known = [problem for problem in problems if problem.kind is not ProblemKind.UNKNOWN_FIELD]
        wrong = (known or problems)[0]
        raise _no_statement(msg("in `{section}`, {problem}", section=name, problem=wrong.message))
    return value


def _no_statement(message: Message) -> InvalidEvidence:
    return InvalidEvidence(Reason.NOT_A_STATEMENT, message)


_CONTEXT = Decoder(Context)
_TEST_SEND = Decoder(TestSend)
_APPROVAL = Decoder(Approval)
