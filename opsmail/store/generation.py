"""A generation: what was published, by whom, from which commit, on top of what; and reading one whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Annotated, Protocol

from opsmail.constraints import Length, Pattern, Range
from opsmail.messages import msg
from opsmail.shape import Decoder, ProblemKind, encode
from opsmail.store.bounds import is_digest
from opsmail.store.interface import Head, MissingBlobs, Store, StoreDamaged
from opsmail.store.manifest import join
from opsmail.values import dataclass

_Hex = Annotated[str, Pattern(r"[0-9a-f]{64}", msg("a SHA-256"), "0" * 64)]
_Text = Annotated[str, Length(0, 2000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The facts of one publish, as they are signed.

    Args:
        store: the store's id, so that a generation cannot be moved to another one.
        epoch: of that store.
        environment: where it was published.
        number: from 1.
        parent: the SHA-256 of the generation before; None for the first.
        buckets: bucket to the SHA-256 of its content.
        operators: how many there are.
        repository: where the configuration comes from.
        commit: the git commit.
        settings_digest: of the settings it was judged by, `sha256:` and hex.
        ruleset: the version of the rules.
        actor: who published.
        time: when, RFC 3339 in UTC.
        plan: the id of the plan.
        evidence: bucket to the SHA-256 of its content, which lists for each operator that this generation changed the
            SHA-256 of the statements that prove it; under `settings:<environment>` those that approved its settings.
        reason: in words; empty for an ordinary publish.
        required: the kinds of evidence that the gate asked for; empty says that nothing was proven.
        act: what made it; `publish` for an ordinary one.
        trust: the SHA-256 of the record of what its settings trust; None where none was kept.
        marks: bucket to the SHA-256 of its content, which says for each operator that is held or went live unproven
            since when, by whom and why.
        last_event: the hash of the last event before it.
    """

    store: _Text
    epoch: Annotated[int, Range(1, 2**53)]
    environment: _Text
    number: Annotated[int, Range(1, 2**53)]
    parent: _Hex | None = None
    buckets: Mapping[str, _Hex]
    operators: Annotated[int, Range(0, 10_000_000)]
    repository: _Text
    commit: _Text
    settings_digest: _Text
    ruleset: _Text
    actor: _Text
    time: _Text
    plan: _Text
    evidence: Mapping[str, _Hex] = field(default_factory=dict)
    reason: _Text = ""
    required: tuple[_Text, ...] = ()
    act: _Text = "publish"
    trust: _Hex | None = None
    marks: Mapping[str, _Hex] = field(default_factory=dict)
    last_event: _Hex

    def moment(self) -> datetime:
        """Return when it was published.

        Raises:
            StoreDamaged: it does not tell.
        """
        try:
            return datetime.strptime(self.time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise StoreDamaged(
                msg("generation {number} does not tell when it was published", number=self.number)
            ) from None

    def document(self) -> dict[str, object]:
        """Return it as plain data, for signing."""
        data: dict[str, object] = encode(self)
        return data

    @classmethod
    def parse(cls, data: object) -> Generation:
        """Return the generation that signed plain data describes; fields that a newer opsmail added are passed over.

        Raises:
            StoreDamaged: it describes none.
        """
        generation, problems = Decoder(cls).decode(data)
        if generation is None:
            wrong = next(problem for problem in problems if problem.kind is not ProblemKind.UNKNOWN_FIELD)
            raise StoreDamaged(msg("a signed generation cannot be read: {reason}", reason=wrong.message))
        return generation


@dataclass(frozen=True, slots=True)
class Published:
    """A generation read whole.

    Args:
        head: where the environment stands.
        digest: the SHA-256 of the signed generation; None before the first publish.
        generation: its facts; None likewise.
        manifest: operator to the SHA-256 of its document.
    """

    head: Head
    digest: str | None
    generation: Generation | None
    manifest: Mapping[str, str]


#: Verifies a signed generation and returns what it says; raises an `OpsmailError` when it does not hold.
Verify = Callable[[bytes], Generation]


class Blobs(Protocol):
    """What a generation is read from: a store, or a snapshot of one."""

    @property
    def location(self) -> str:
        """Where it is; safe to show."""
        ...

    def read(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return blobs, each compared with its digest."""
        ...


def read_published(store: Store, environment: str, verify: Verify, number: int | None = None) -> Published:
    """Read the manifest of one generation.

    What is collected while it is read is looked for again: the newest is another one then, an earlier one is gone.

    Args:
        store: where it is.
        environment: whose.
        verify: judges the signature.
        number: which generation; None for the newest.

    Returns:
        The generation; one without digest where there is none of that number, or none any more.

    Raises:
        StoreDamaged: what is signed and what is there do not agree.
    """
    head, digest = _stands(store, environment, number)
    while True:
        try:
            return _read(store, head, digest, verify, number)
        except MissingBlobs:
            known = digest
            head, digest = _stands(store, environment, number)
            if digest == known:
                raise


def oldest_kept(store: Store, environment: str) -> int:
    """Return the number of the oldest generation that is kept; 0 where there is none."""
    return min(store.generations(environment, limit=1), default=0)


def read_envelopes(store: Store, environment: str, *, after: int, limit: int) -> dict[int, tuple[str, bytes]]:
    """Return number → digest and signed envelope of generations above `after`, in order, as far as they are kept."""
    digests = store.generations(environment, after=after, limit=limit)
    while True:
        try:
            contents = store.read(set(digests.values()))
        except MissingBlobs:
            known, digests = digests, store.generations(environment, after=after, limit=limit)
            if digests == known:
                raise
        else:
            return {number: (digest, contents[digest]) for number, digest in digests.items()}


def _stands(store: Store, environment: str, number: int | None) -> tuple[Head, str | None]:
    head = store.head(environment)
    if number is None or number == head.number:
        return head, head.digest
    return head, store.generation(environment, number)


def _read(store: Store, head: Head, digest: str | None, verify: Verify, number: int | None) -> Published:
    if digest is None:
        return Published(head, None, None, {})
    if number is None or number == head.number:
        return read_newest(store, head, verify)
    generation = verify(store.read([digest])[digest])
    # An earlier one may be of an epoch before this one.
    return _whole(store, head, digest, generation, number, range(1, head.identity.epoch + 1))


def read_newest(blobs: Blobs, head: Head, verify: Verify) -> Published:
    """Read the manifest of the generation that `head`, after a first publish, stands at; see `read_published`."""
    digest = str(head.digest)
    generation = verify(blobs.read([digest])[digest])
    return _whole(blobs, head, digest, generation, head.number, (head.identity.epoch,))


def _whole(
    blobs: Blobs, head: Head, digest: str, generation: Generation, number: int, epochs: Container[int]
) -> Published:
    """Return the generation with its manifest, when it is what stands in this place."""
    wrong = StoreDamaged(
        msg("generation {number} in {place} is not what was signed", number=number, place=blobs.location),
        hint=msg("compare with `opsmail history`; restore the store from a backup, or publish again"),
    )
    signed = (generation.environment, generation.store, generation.number)
    if signed != (head.environment, head.identity.store, number) or generation.epoch not in epochs:
        raise wrong
    contents = blobs.read(set(generation.buckets.values()))
    try:
        manifest = join((name, contents[bucket]) for name, bucket in generation.buckets.items())
    except ValueError as error:
        raise wrong from error
    if len(manifest) != generation.operators or not all(is_digest(entry) for entry in manifest.values()):
        raise wrong
    return Published(head, digest, generation, manifest)
