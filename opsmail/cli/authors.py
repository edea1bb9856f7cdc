"""Who wrote what is to be approved: nobody approves a change of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from opsmail.check.result import CheckResult
from opsmail.cli.revision import Revision
from opsmail.evidence.envelope import VerifiedStatement
from opsmail.evidence.facts import Approval
from opsmail.expressions import expression
from opsmail.messages import msg
from opsmail.publish.gate import Refusal
from opsmail.settings.files import WAIVERS_NAME

# GitHub's addresses for commits that keep a person's own one private, with and without the account's number; GitHub
# Enterprise has its own host:
# https://docs.github.com/en/account-and-profile/reference/email-addresses-reference#your-noreply-email-address
_NOREPLY = expression(r"(?:[0-9]+\+)?(?P<account>[^@+]+)@users\.noreply\.[^@]+")


class Authors:
    """Who wrote the operators that a commit brings.

    Args:
        revision: the commit.
        since: the published commit, after which changes count; None for the last change of a file only.
    """

    def __init__(self, revision: Revision, since: str | None) -> None:
        self._revision = revision
        self._since = since

    def wrote(self, file: str, approver: str) -> bool:
        """Whether `approver` wrote an operator's file.

        Args:
            file: from the root.
            approver: an e-mail address or account.
        """
        # Of many approvals few are by somebody who writes changes at all: those are looked at one by one.
        return _is_among(approver, self._everybody) and _wrote(self._revision, [file], approver, self._since)

    @cached_property
    def _everybody(self) -> frozenset[str]:
        return _known_as(self._revision.repository.authors(self._revision.origin.commit, self._since))


def wrote_settings(revision: Revision, approver: str, since: str | None) -> bool:
    """Whether `approver` wrote the settings, or one of the files that they name; see `Authors`."""
    return _wrote(revision, [revision.settings.name, WAIVERS_NAME, *revision.settings.texts], approver, since)


def _wrote(revision: Revision, paths: Sequence[str], approver: str, since: str | None) -> bool:
    authors = revision.repository.authors(revision.origin.commit, since, paths, last=since is None)
    return _is_among(approver, _known_as(authors))


def _is_among(approver: str, known: frozenset[str]) -> bool:
    return not known.isdisjoint(_known_as([approver.casefold()]))


def _known_as(people: Iterable[str]) -> frozenset[str]:
    """Return names and e-mail addresses, in lower case, and the accounts that some of the addresses name."""
    found = set(people)
    return frozenset(found | {address["account"] for text in found if (address := _NOREPLY.fullmatch(text))})


def own_approvals(
    revision: Revision,
    checked: CheckResult,
    proofs: Mapping[str, Sequence[VerifiedStatement]],
    since: str | None,
) -> Iterator[Refusal]:
    """Yield a refusal for each operator whose approver wrote its change.

    Args:
        revision: the commit.
        checked: its check, which knows the files.
        proofs: operator to the statements that prove something of it.
        since: the published commit; None before the first publish.
    """
    authors = Authors(revision, since)
    files = {member.name: member.file for member in checked.members}
    for name, found in proofs.items():
        for facts in (proof.statement.facts for proof in found):
            if isinstance(facts, Approval) and authors.wrote(files[name], facts.approver):
                yield Refusal(
                    msg("the approval by {approver} does not count: the change is their own", approver=facts.approver),
                    name,
                    msg("let somebody else approve it: `opsmail approve {operator}`", operator=name),
                )
