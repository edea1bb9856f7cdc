"""A fleet at a glance: each operator with its settings, findings, last proof, and what is published of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from opsmail.check.result import CheckResult
from opsmail.evidence.facts import TestSend
from opsmail.evidence.statement import Statement, bare_digest
from opsmail.findings import Finding, Severity
from opsmail.messages import Message
from opsmail.operator.model import Operator
from opsmail.providers import Providers
from opsmail.report.endings import Ending, endings
from opsmail.settings.load import Settings
from opsmail.store.generation import Generation


class State(StrEnum):
    """How an operator is, the worst first."""

    BROKEN = "broken"
    UNPROVEN = "unproven"
    WARNED = "warned"
    DISABLED = "disabled"
    GOOD = "good"


class Published(StrEnum):
    """What the store serves of an operator."""

    SAME = "same"
    OTHER = "other"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Proof:
    """The newest test send that passed.

    Args:
        time: when, in UTC.
        facts: what it showed.
        is_current: it was with exactly the present settings.
    """

    time: datetime
    facts: TestSend
    is_current: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One operator.

    Args:
        name: its id; the file where that cannot be read.
        file: where it is written.
        operator: what is written; None where that cannot be read.
        state: how it is.
        findings: those that are not waived, the most severe first.
        proof: its last one; None for none.
        published: what the store serves of it.
    """

    name: str
    file: str
    operator: Operator | None
    state: State
    findings: tuple[Finding, ...]
    proof: Proof | None
    published: Published


@dataclass(frozen=True, slots=True)
class Step:
    """One generation in the history.

    Args:
        number: its place.
        generation: what was published; None where that cannot be believed.
        problem: why it cannot.
    """

    number: int
    generation: Generation | None
    problem: Message | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """What the store says.

    Args:
        manifest: operator to the SHA-256 of what is published of it.
        steps: the last generations, the newest first.
        statements: what proved the operators when they were published.
    """

    manifest: Mapping[str, str]
    steps: tuple[Step, ...]
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that the report shows.

    Args:
        environment: whose settings, proofs and store.
        made: when, in UTC.
        rows: the operators, by name.
        others: findings that no operator has.
        endings: what ends, the soonest first.
        steps: the last generations, the newest first; None where there is no store, or it does not answer.
    """

    environment: str
    made: datetime
    rows: tuple[Row, ...]
    others: tuple[Finding, ...]
    endings: tuple[Ending, ...]
    steps: tuple[Step, ...] | None

    @property
    def today(self) -> date:
        """The day by UTC."""
        return self.made.date()

    def count(self, state: State) -> int:
        """Return how many operators are in a state."""
        return sum(row.state is state for row in self.rows)


def fleet(
    result: CheckResult,
    settings: Settings,
    providers: Providers,
    statements: Iterable[Statement],
    served: Served | None,
    made: datetime,
) -> Fleet:
    """Put together what is known of a fleet.

    Args:
        result: of its check, whose members keep their operators.
        settings: of the environment.
        providers: what is known of mail providers.
        statements: the evidence at hand, as far as it holds; what is kept in the store counts too.
        served: what the store says; None where there is none, or it does not answer.
        made: the time, in UTC.
    """
    newest = _newest([*statements, *(served.statements if served else ())], settings.environment)
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for finding in result.findings:
        if finding.waived is None:
            by_file[finding.file].append(finding)
    rows = [
        _row(
            member.name or member.file,
            member.file,
            member.operator,
            by_file.pop(member.file, []),
            settings,
            newest,
            served,
        )
        for member in result.members
    ]
    operators = [row.operator for row in rows if row.operator is not None]
    facts = {row.name: row.proof.facts for row in rows if row.proof is not None}
    return Fleet(
        settings.environment,
        made,
        tuple(sorted(rows, key=lambda row: row.name)),
        tuple(finding for findings in by_file.values() for finding in findings),
        endings(operators, settings.file.servers or (), providers, facts, result.findings),
        None if served is None else served.steps,
    )


def _newest(statements: Iterable[Statement], environment: str) -> Mapping[str, Statement]:
    """Return the newest test send of each subject."""
    found: dict[str, Statement] = {}
    for statement in statements:
        known = found.get(statement.subject)
        if (
            isinstance(statement.facts, TestSend)
            and statement.context.environment == environment
            and (known is None or known.context.time < statement.context.time)
        ):
            found[statement.subject] = statement
    return found


def _row(
    name: str,
    file: str,
    operator: Operator | None,
    findings: Sequence[Finding],
    settings: Settings,
    newest: Mapping[str, Statement],
    served: Served | None,
) -> Row:
    findings = tuple(sorted(findings, key=lambda finding: -finding.severity))
    if operator is None:
        published = Published.UNKNOWN if served is None else Published.NOTHING
        return Row(name, file, None, State.BROKEN, findings, None, published)
    digest = bare_digest(settings.effective(operator).digest)
    sent, proof = newest.get(f"operator:{name}"), None
    if sent is not None and isinstance(sent.facts, TestSend):
        proof = Proof(sent.context.time, sent.facts, sent.digest == digest)
    return Row(
        name, file, operator, _state(operator, findings, proof), findings, proof, _published(name, digest, served)
    )


def _state(operator: Operator, findings: Sequence[Finding], proof: Proof | None) -> State:
    worst = findings[0].severity if findings else Severity.NOTE
    if worst is Severity.ERROR:
        return State.BROKEN
    if not operator.enabled:
        return State.DISABLED
    if proof is None or not proof.is_current:
        return State.UNPROVEN
    return State.WARNED if worst is Severity.WARNING else State.GOOD


def _published(name: str, digest: str, served: Served | None) -> Published:
    if served is None:
        return Published.UNKNOWN
    there = served.manifest.get(name)
    if there is None:
        return Published.NOTHING
    return Published.SAME if there == digest else Published.OTHER
