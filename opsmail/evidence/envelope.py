"""Statements in envelopes: signed, and judged byte by byte before anything in them is believed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from opsmail.evidence.dsse import Envelope, pre_authentication_encoding
from opsmail.evidence.invalid import InvalidEvidence, Reason
from opsmail.evidence.keys import SigningKey, TrustedKey
from opsmail.evidence.statement import Statement
from opsmail.evidence.strict_json import parse_object, require_size
from opsmail.messages import Message, msg
from opsmail.values import dataclass

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class VerifiedStatement:
    """A statement whose signature holds, by a key that may sign it.

    Args:
        statement: what it says.
        key: who signed.
        digest: SHA-256 of the envelope's bytes, by which it is kept.
        envelope: those bytes.
        source: the file it came from; empty where it came from elsewhere.
    """

    statement: Statement
    key: TrustedKey
    digest: str
    envelope: bytes = field(repr=False)
    source: str = ""

    @property
    def predicate(self) -> dict[str, Any]:
        """What the statement says beyond its context, as plain data."""
        return self.statement.predicate


class InvalidStatement(InvalidEvidence):
    """A statement that can be read and does not count.

    Args:
        reason: the stable code.
        message: the same for people.
        statement: what it says. For explanations only: up to `BAD_SIGNATURE` nobody has vouched for it.
        hint: what to do.
    """

    def __init__(self, reason: Reason, message: Message, statement: Statement, *, hint: Message | None = None) -> None:
        super().__init__(reason, message, hint=hint)
        self.statement = statement


def sign(statement: Statement, key: SigningKey) -> bytes:
    """Return the envelope of `statement`, signed; the same statement and key give the same bytes.

    Raises:
        InvalidEvidence: the statement has a value that no reader would accept, or is too large.
    """
    payload = statement.payload()
    signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    content = Envelope(payload, PAYLOAD_TYPE, key.public.key_id, signature).canonical()
    require_size(content)
    return content


def verify(
    envelope: bytes, keys: Iterable[TrustedKey], *, kind: str | None = None, environment: str | None = None
) -> VerifiedStatement:
    """Return the statement in `envelope`.

    Args:
        envelope: any bytes.
        keys: whose signatures count, and for what.
        kind: the kind it has to be of; None for any that its key may sign.
        environment: the environment it has to be for; None for any that its key may sign for.

    Raises:
        InvalidEvidence: with the first reason why it does not count.
    """
    parsed = _envelope(envelope)
    key = _signer(parsed, keys)
    # The signature holds from here on: what cannot be read now is the signer's fault.
    statement = Statement.parse(parsed.payload)
    _allow(statement, key)
    if (kind or statement.kind, environment or statement.context.environment) != (
        statement.kind,
        statement.context.environment,
    ):
        raise InvalidStatement(
            Reason.UNEXPECTED,
            msg(
                "it is a `{kind}` statement for environment {environment}, which is not what was looked for",
                kind=statement.kind.value,
                environment=statement.context.environment,
            ),
            statement,
        )
    return VerifiedStatement(statement, key, hashlib.sha256(envelope).hexdigest(), envelope)


def statement_in(envelope: bytes) -> Statement:
    """Return what an envelope says without asking who signed it: for one whose hash something verified contains.

    Raises:
        InvalidEvidence: it says nothing that can be read.
    """
    return Statement.parse(_envelope(envelope).payload)


def _envelope(content: bytes) -> Envelope:
    """Return the envelope in `content`, of which nothing is verified but its form."""
    envelope = Envelope.parse(parse_object(content))
    if envelope is None:
        raise InvalidEvidence(Reason.NOT_AN_ENVELOPE, msg("it is not a DSSE envelope with one signature"))
    if envelope.payload_type != PAYLOAD_TYPE:
        raise InvalidEvidence(Reason.PAYLOAD_TYPE, msg("its payload type is not that of in-toto statements"))
    return envelope


def _signer(envelope: Envelope, keys: Iterable[TrustedKey]) -> TrustedKey:
    """Return the key whose signature holds."""
    known: Mapping[str, TrustedKey] = {key.public.key_id: key for key in keys}
    key = known.get(envelope.key_id)
    if key is None:
        raise _unsigned(
            envelope,
            Reason.UNKNOWN_KEY,
            msg("it is signed by a key that the settings do not name"),
            msg("if the key is yours, add its public half to `[[gate.keys]]`"),
        )
    if not key.public.verifies(
        envelope.signature, pre_authentication_encoding(envelope.payload_type, envelope.payload)
    ):
        raise _unsigned(
            envelope,
            Reason.BAD_SIGNATURE,
            msg("its signature does not hold: it was changed after the key {key} signed it", key=str(key)),
        )
    return key


def _unsigned(envelope: Envelope, reason: Reason, message: Message, hint: Message | None = None) -> InvalidEvidence:
    """Return the refusal of what no trusted key signed; what it claims to say, where that can be read, explains it."""
    try:
        statement = Statement.parse(envelope.payload)
    except InvalidEvidence:
        return InvalidEvidence(reason, message, hint=hint)
    return InvalidStatement(reason, message, statement, hint=hint)


def _allow(statement: Statement, key: TrustedKey) -> None:
    """Raise where `key` may not sign `statement`."""
    environment = statement.context.environment
    refusal: tuple[Reason, Message] | None = None
    if key.revoked:
        refusal = Reason.REVOKED_KEY, msg("it is signed by the key {key}, which was revoked", key=str(key))
    elif statement.kind not in key.kinds:
        refusal = (
            Reason.KIND_NOT_ALLOWED,
            msg("it is signed by the key {key}, which may not sign `{kind}`", key=str(key), kind=statement.kind.value),
        )
    elif environment not in key.environments:
        refusal = (
            Reason.ENVIRONMENT_NOT_ALLOWED,
            msg(
                "it is signed by the key {key}, which does not count for environment {environment}",
                key=str(key),
                environment=environment,
            ),
        )
    if refusal is not None:
        raise InvalidStatement(*refusal, statement)
