"""Which operators `test` and `approve` take: who was asked for, without those that the check finds errors in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from opsmail.check.result import CheckResult, Member
from opsmail.check.rules import FLEET_RULES
from opsmail.cli.proofs import evidence_at_hand, now
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import RefusedError, UsageError
from opsmail.evidence.facts import Depth
from opsmail.evidence.judge import Missing, Wanted
from opsmail.evidence.statement import Kind
from opsmail.findings import Finding
from opsmail.messages import msg
from opsmail.operator.model import Operator, Role
from opsmail.settings.faults import SettingsError
from opsmail.settings.load import load_settings
from opsmail.settings.model import Gate
from opsmail.shape import Decoder, nearest
from opsmail.source.commit import CommitTree
from opsmail.source.reader import read_document
from opsmail.source.tree import NoFolderError
from opsmail.values import dataclass

if TYPE_CHECKING:
    from opsmail.publish.gate import Verdict
    from opsmail.store.generation import Published

#: What is wrong with the fleet as a whole keeps no operator from being tested, except that two have one name.
_FLEET_IDS = frozenset(rule.meta.id for rule in FLEET_RULES) - {"OM704"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What to test.

    Args:
        operators: without errors.
        findings: the errors that keep the others from being tested.
        left_out: how many those are.
    """

    operators: tuple[Operator, ...]
    findings: tuple[Finding, ...]
    left_out: int


def choose(members: Sequence[Member], checked: CheckResult) -> Choice:
    """Return what can be tested of `members`: what cannot be read is chosen and left out, so never passed over."""
    names, files = {member.name for member in members}, {member.file for member in members}
    findings = tuple(
        finding
        for finding in checked.errors()
        if (finding.operator in names or finding.file in files) and finding.rule.id not in _FLEET_IDS
    )
    faulty = {finding.operator for finding in findings} | {finding.file for finding in findings}
    operators = tuple(
        member.operator
        for member in members
        if member.operator is not None and not faulty & {member.operator.operator, member.file}
    )
    return Choice(operators, findings, len(members) - len(operators))


def named(names: Sequence[str], checked: CheckResult) -> list[Member]:
    """Return the members of these names; all that there are when none is given.

    Raises:
        UsageError: nobody has that name.
    """
    if not names:
        return list(checked.members)
    known = {member.name for member in checked.members if member.name is not None}
    for name in names:
        if name not in known:
            guess = nearest(name, sorted(known))
            raise UsageError(
                msg("there is no operator `{name}`", name=name),
                hint=msg("did you mean `{guess}`?", guess=guess)
                if guess
                else msg("`opsmail check` lists what is wrong"),
            )
    return [member for member in checked.members if member.name in names]


def unproven(session: Session, revision: Revision, checked: CheckResult) -> list[Member]:
    """Return those that the gate would refuse, and the master: without it the scheduler sends nothing."""
    verdict, _ = _judged(session, revision, checked, revision.settings.file.gate)
    names = {refusal.operator for refusal in verdict.refusals}

    def is_wanted(operator: Operator | None) -> bool:
        # What cannot be read would be refused too.
        return operator is None or operator.operator in names or operator.role is Role.MASTER

    return [member for member in checked.members if is_wanted(member.operator)]


def unapproved(session: Session, revision: Revision, checked: CheckResult) -> tuple[list[Member], str | None]:
    """Return those that a publish would refuse for want of an approval that counts, and the published commit, if any.

    What cannot be read is among them: it would be refused too.

    Raises:
        RefusedError: the commit does not come after the published one, so that no approval would help.
    """
    from opsmail.cli.authors import own_approvals  # none of these without a store, see below
    from opsmail.cli.judging import descent, published_commit

    gate = revision.settings.file.gate
    required = tuple(kind for kind in gate.require if kind.value == Kind.APPROVAL.value)
    verdict, published = _judged(session, revision, checked, replace(gate, require=required))
    for refusal in descent(revision, published):
        raise RefusedError(refusal.message, hint=refusal.hint)
    since = published_commit(published)
    own = own_approvals(revision, checked, verdict.proofs, since)
    names = {refusal.operator for refusal in (*verdict.refusals, *own)}
    members = checked.members
    return [item for item in members if item.operator is None or item.operator.operator in names], since


def _judged(session: Session, revision: Revision, checked: CheckResult, gate: Gate) -> tuple[Verdict, Published]:
    """Return what a gate says of publishing a commit now, and what is published."""
    from opsmail.cli.planning import prepare_reading  # the others need no store, which takes a while to load
    from opsmail.publish.gate import judge

    prepared = prepare_reading(session, revision, checked)
    evidence = evidence_at_hand(session.root, revision.settings)
    return judge(prepared.plan, gate, evidence, now()), prepared.published


def changed(session: Session, revision: Revision, checked: CheckResult, base: str) -> list[Member]:
    """Return those that are tested otherwise than in another revision, or are not in it, and the master.

    What counts is the effective operator: a comment changes nothing, another address in the catalogue does.

    Raises:
        UnknownRevisionError: there is no such revision.
    """
    before = _digests(session, CommitTree(revision.repository, revision.repository.commit(base)), base)

    def is_wanted(operator: Operator | None) -> bool:
        return (
            operator is None
            or operator.role is Role.MASTER
            or before.get(operator.operator) != revision.settings.effective(operator).digest
        )

    return [member for member in checked.members if is_wanted(member.operator)]


def _digests(session: Session, tree: CommitTree, base: str) -> Mapping[str, str]:
    """Return the digest of each effective operator of a commit; what cannot be read there has none."""
    try:
        settings = load_settings(tree, session.environment, session.config)
    except SettingsError as error:
        session.console.say(
            msg(
                "the settings of {revision} cannot be used, so every operator counts as changed: {reason}",
                revision=base,
                reason=error.message,
            )
        )
        return {}
    decoder, digests = Decoder(Operator), {}
    for folder in settings.file.operators:
        try:
            files = list(tree.operator_files([folder]))
        except NoFolderError:
            continue
        for file in files:
            document = None if file.problem is not None else read_document(file.content)[0]
            operator = None if document is None else decoder.decode(document.data)[0]
            if operator is not None:
                digests[operator.operator] = settings.effective(operator).digest
    return digests


def stale(session: Session, revision: Revision, checked: CheckResult, age: timedelta, depth: Depth) -> list[Member]:
    """Return those that no evidence at hand proves as they are now.

    Args:
        session: where evidence is.
        revision: what has to be proven.
        checked: its check.
        age: how old a proof may be.
        depth: how far it has to have gone.
    """
    evidence, moment = evidence_at_hand(session.root, revision.settings), now()

    def is_wanted(operator: Operator | None) -> bool:
        if operator is None:
            return True
        wanted = Wanted(
            kind=Kind.TEST_SEND,
            subject=f"operator:{operator.operator}",
            digest=revision.settings.effective(operator).digest,
            repository=revision.origin.repository,
            environment=revision.settings.environment,
            settings_digest=revision.origin.settings_digest,
            max_age=age,
            depth=depth,
        )
        return isinstance(evidence.find(wanted, moment), Missing)

    return [member for member in checked.members if is_wanted(member.operator)]
