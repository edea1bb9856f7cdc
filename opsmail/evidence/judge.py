"""Whether there is evidence for exactly what is to be published, and if not, what comes nearest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from opsmail.evidence.envelope import InvalidStatement, VerifiedStatement
from opsmail.evidence.facts import Depth, TestSend, format_time
from opsmail.evidence.invalid import InvalidEvidence
from opsmail.evidence.statement import Kind, Statement, bare_digest
from opsmail.messages import Message, msg, msgn
from opsmail.values import dataclass

#: How far the clocks of two machines may differ.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What has to be proven.

    Args:
        kind: by which kind of statement.
        subject: of what, `operator:<id>` or another subject as in `Statement`.
        digest: of exactly that content; with or without `sha256:`.
        repository: from which repository.
        environment: for which environment.
        settings_digest: under which settings, `sha256:` and hex.
        max_age: how old the proof may be.
        depth: how far a test send must have gone.
    """

    kind: Kind
    subject: str
    digest: str
    repository: str
    environment: str
    settings_digest: str
    max_age: timedelta
    depth: Depth = Depth.SEND

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", bare_digest(self.digest))


@dataclass(frozen=True, slots=True)
class Proof:
    """It is proven.

    Args:
        verified: by this statement, the newest that fits.
        age: how old it is; not below zero.
    """

    verified: VerifiedStatement
    age: timedelta


@dataclass(frozen=True, slots=True)
class Missing:
    """It is not proven.

    Args:
        message: why, told of the statement that comes nearest.
        hint: what to do.
        nearest: that statement, verified or not; None where there is none of this kind and subject.
    """

    message: Message
    hint: Message
    nearest: Statement | None = None


class Evidence:
    """All evidence at hand, looked through once however many subjects are asked for.

    Args:
        items: what `verify_files` yields, or `verify` returned and raised. What cannot be read counts for nothing.
    """

    def __init__(self, items: Iterable[VerifiedStatement | InvalidEvidence]) -> None:
        self._items: dict[tuple[str, str], list[VerifiedStatement | InvalidStatement]] = defaultdict(list)
        for item in items:
            if isinstance(item, VerifiedStatement | InvalidStatement):
                self._items[item.statement.kind, item.statement.subject].append(item)

    def find(self, wanted: Wanted, now: datetime) -> Proof | Missing:
        """Answer as `find_proof` does."""
        return find_proof(self._items.get((wanted.kind, wanted.subject), ()), wanted, now)


def find_proof(items: Iterable[VerifiedStatement | InvalidEvidence], wanted: Wanted, now: datetime) -> Proof | Missing:
    """Return the newest proof of `wanted`, or what is wrong with the statement that comes nearest to one.

    Args:
        items: statements that were verified, and what was refused, for its reasons.
        wanted: what has to be proven.
        now: the time, with its zone.
    """
    judged = [
        _judge(item, wanted, now)
        for item in items
        if isinstance(item, VerifiedStatement | InvalidStatement)
        and (item.statement.kind, item.statement.subject) == (wanted.kind, wanted.subject)
    ]
    if not judged:
        none = msg("there is no `{kind}` evidence for {subject}", kind=wanted.kind.value, subject=wanted.subject)
        return Missing(none, _remedy(wanted))
    return max(judged, key=lambda found: (found.passed, found.time)).verdict


@dataclass(frozen=True, slots=True)
class _Judged:
    """One statement's verdict, how many questions it answered well before, and its own time."""

    passed: int
    time: datetime
    verdict: Proof | Missing


def _judge(item: VerifiedStatement | InvalidStatement, wanted: Wanted, now: datetime) -> _Judged:
    statement = item.statement
    time = statement.context.time

    def missing(passed: int, complaint: Message) -> _Judged:
        told = msg(
            "the `{kind}` evidence for {subject} of {time} {complaint}",
            kind=wanted.kind.value,
            subject=wanted.subject,
            time=format_time(time),
            complaint=complaint,
        )
        return _Judged(passed, time, Missing(told, _remedy(wanted), statement))

    passed = 0
    for holds, complaint in _about(statement, wanted):
        if not holds:
            return missing(passed, complaint)
        passed += 1
    if isinstance(item, InvalidStatement):
        return missing(passed, msg("does not count: {reason}", reason=item.message))
    for holds, complaint in _worth(statement, wanted, now):
        passed += 1
        if not holds:
            return missing(passed, complaint)
    return _Judged(passed + 1, time, Proof(item, max(now - time, timedelta())))


#: Whether something holds, and what to say where it does not.
_Question = tuple[bool, Message]


def _about(statement: Statement, wanted: Wanted) -> Iterator[_Question]:
    """Ask whether the statement is about what is wanted."""
    context = statement.context
    yield (
        statement.digest == wanted.digest,
        msg("is for another version of it ({digest})", digest=statement.digest),
    )
    yield (
        context.environment == wanted.environment,
        msg("is for environment {found}, not {wanted}", found=context.environment, wanted=wanted.environment),
    )
    yield (
        context.repository == wanted.repository,
        msg("is from repository {found}, not {wanted}", found=context.repository, wanted=wanted.repository),
    )
    yield (
        context.settings_digest == wanted.settings_digest,
        msg("was made under other settings ({digest})", digest=context.settings_digest),
    )


def _worth(statement: Statement, wanted: Wanted, now: datetime) -> Iterator[_Question]:
    """Ask whether the statement proves enough."""
    if isinstance(statement.facts, TestSend):
        found = statement.facts.depth
        yield (
            found.reaches(wanted.depth),
            msg("goes as far as `{found}`, needed is `{wanted}`", found=found.value, wanted=wanted.depth.value),
        )
    age = now - statement.context.time
    yield age >= -SKEW, msg("is dated {ahead} ahead of this machine's clock", ahead=_words(-age, SKEW))
    yield (
        age <= wanted.max_age,
        msg("is {age} old, allowed are {most}", age=_words(age, wanted.max_age), most=_words(wanted.max_age, age)),
    )


def _words(duration: timedelta, other: timedelta) -> Message:
    """Return `duration` in the largest whole unit in which it differs from `other`."""
    seconds, others = int(duration.total_seconds()), int(other.total_seconds())
    if seconds // 86400 not in (0, others // 86400):
        return msgn("{count} day", "{count} days", seconds // 86400)
    if seconds // 3600 not in (0, others // 3600):
        return msgn("{count} hour", "{count} hours", seconds // 3600)
    if seconds // 60 not in (0, others // 60):
        return msgn("{count} minute", "{count} minutes", seconds // 60)
    return msgn("{count} second", "{count} seconds", seconds)


def _remedy(wanted: Wanted) -> Message:
    name = wanted.subject.partition(":")[2]
    if wanted.kind == Kind.TEST_SEND:
        return msg("run `opsmail test {operator}` on this commit and carry its evidence here", operator=name)
    if wanted.kind == Kind.APPROVAL and wanted.subject.startswith("operator:"):
        return msg("run `opsmail approve {operator}` on this commit and carry its evidence here", operator=name)
    return msg("have it signed anew by somebody whose key is trusted for that")
