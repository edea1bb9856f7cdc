"""Who wrote what is to be approved: nobody approves a change of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from opsmail.check.result import CheckResult
from opsmail.cli.revision import Revision
from opsmail.evidence.envelope import VerifiedStatement
from opsmail.evidence.facts import Approval
from opsmail.messages import msg
from opsmail.publish.gate import Refusal
from opsmail.settings.files import WAIVERS_NAME


def wrote_operator(revision: Revision, file: str, approver: str, since: str | None) -> bool:
    """Whether `approver` wrote an operator's file.

    Args:
        revision: the commit.
        file: the operator's, from the root.
        approver: an e-mail address or account.
        since: the published commit, after which changes count; None for the last change only.
    """
    return _wrote(revision, [file], approver, since)


def wrote_settings(revision: Revision, approver: str, since: str | None) -> bool:
    """Whether `approver` wrote the settings, or one of the files that they name; see `wrote_operator`."""
    return _wrote(revision, [revision.settings.name, WAIVERS_NAME, *revision.settings.texts], approver, since)


def _wrote(revision: Revision, paths: Sequence[str], approver: str, since: str | None) -> bool:
    authors = revision.repository.authors(revision.origin.commit, since, paths, last=since is None)
    return approver.casefold() in authors


def own_approvals(
    revision: Revision,
    checked: CheckResult,
    proofs: Sequence[tuple[str, VerifiedStatement]],
    since: str | None,
) -> Iterator[Refusal]:
    """Yield a refusal for each operator whose approver wrote its change.

    Args:
        revision: the commit.
        checked: its check, which knows the files.
        proofs: operators with statements that prove something of them.
        since: the published commit; None before the first publish.
    """
    approvals = [
        (name, proof.statement.facts.approver) for name, proof in proofs if isinstance(proof.statement.facts, Approval)
    ]
    if not approvals:
        return
    everybody = revision.repository.authors(revision.origin.commit, since)
    files = {member.name: member.file for member in checked.members}
    for name, approver in approvals:
        # Of many approvals few are by somebody who writes changes at all: those are looked at one by one.
        if approver.casefold() in everybody and wrote_operator(revision, files[name], approver, since):
            yield Refusal(
                msg("the approval by {approver} does not count: the change is their own", approver=approver),
                name,
                msg("let somebody else approve it: `opsmail approve {operator}`", operator=name),
            )
