"""Keys, evidence and signatures as the settings arrange them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from opsmail import __version__
from opsmail.errors import RefusedError
from opsmail.evidence.envelope import sign, verify
from opsmail.evidence.facts import Context, parse_time
from opsmail.evidence.files import FOLDER, list_envelopes, verify_files
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.evidence.judge import Evidence
from opsmail.evidence.keys import InvalidKey, SigningKey, TrustedKey
from opsmail.evidence.statement import Kind, Statement
from opsmail.messages import msg
from opsmail.secrets import Secrets
from opsmail.settings.load import Settings
from opsmail.store.generation import Generation, Verify


def trusted_keys(settings: Settings) -> list[TrustedKey]:
    """Return the public keys that the settings trust.

    Raises:
        InvalidKey: one of the files is no public key.
    """
    keys = []
    for entry in settings.file.gate.keys:
        try:
            key = TrustedKey.load(
                settings.texts[entry.file],
                kinds=[kind.value for kind in entry.kinds],
                environments=entry.environments,
                revoked=entry.revoked,
                name=entry.file,
            )
        except InvalidKey as error:
            raise InvalidKey(msg("{file}: {reason}", file=entry.file, reason=error.message), hint=error.hint) from error
        keys.append(key)
    return keys


def signing_key(settings: Settings, secrets: Secrets, kind: Kind) -> SigningKey:
    """Return the private key that the settings refer to, when statements of `kind` by it count.

    Raises:
        SecretError: it does not resolve here.
        InvalidKey: what it resolves to is no key.
        RefusedError: its statements would be refused later, so nothing is signed with it.
    """
    key = SigningKey.load(secrets.resolve(settings.signing_key).reveal())
    for trusted in trusted_keys(settings):
        counts = kind.value in trusted.kinds and settings.environment in trusted.environments
        if trusted.public == key.public and counts and not trusted.revoked:
            return key
    raise RefusedError(
        msg(
            "the signing key is not trusted to sign `{kind}` for environment {environment}",
            kind=kind.value,
            environment=settings.environment,
        ),
        hint=msg("name its public key under `[[gate.keys]]` in opsmail.toml, with this kind and environment"),
    )


def evidence_at_hand(root: Path, settings: Settings) -> Evidence:
    """Return what the files below `.opsmail/evidence` prove."""
    return Evidence(verify_files(list_envelopes(root / FOLDER), trusted_keys(settings)))


def statements_at_hand(root: Path, settings: Settings) -> Iterator[Statement]:
    """Yield what the files below `.opsmail/evidence` say, as far as their signatures hold."""
    for answer in verify_files(list_envelopes(root / FOLDER), trusted_keys(settings)):
        if not isinstance(answer, InvalidEvidence):
            yield answer.statement


def generation_verifier(settings: Settings) -> Verify:
    """Return what judges the signature of a generation, as a reader with the same keys will."""
    keys = trusted_keys(settings)

    def judge(envelope: bytes) -> Generation:
        return Generation.parse(
            verify(envelope, keys, kind=Kind.GENERATION, environment=settings.environment).predicate
        )

    return judge


def sign_generation(facts: Generation, key: SigningKey) -> bytes:
    """Return the signed envelope of a generation."""
    context = Context(
        repository=facts.repository,
        environment=facts.environment,
        settings_digest=facts.settings_digest,
        time=parse_time(facts.time),
        version=__version__,
        commit=facts.commit,
    )
    return sign(Statement.generation(context, facts.document()), key)


def now() -> datetime:
    """Return the time in UTC, whole seconds, as statements carry it."""
    return datetime.now(UTC).replace(microsecond=0)
