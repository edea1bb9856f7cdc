"""The check of a working tree, however large: shared out to processes, and only of what has changed since the last run.

Findings are the same byte for byte as those of `opsmail.check.engine.check`, which `test`, `plan` and `publish` use.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Mapping
from typing import Any

from opsmail.check.engine import check, conclude
from opsmail.check.facts import Facts, UsedSecret
from opsmail.check.interface import Context
from opsmail.check.memory import UNREAD, Memory, content_digest, in_pieces
from opsmail.check.organisation import rules_of
from opsmail.check.result import CheckResult, Member
from opsmail.check.rows import finding_of, finding_row
from opsmail.check.single import CheckedFile, FileChecker
from opsmail.source.tree import SourceFile
from opsmail.source.worktree import Listing

#: What these find may be a secret: nothing of such a file is kept, not even a digest to try guesses on.
_SECRET_RULES = frozenset(("OM601", "OM602", "OM605"))
#: A checked file as plain tuples: its path, the digest of its content, …, and last whether it may be kept.
_Row = tuple[Any, ...]


def survey(
    listing: Listing, context: Context, *, whole: bool, waivers: bool, jobs: int, memory: Memory | None = None
) -> CheckResult:
    """Check the files of a working tree; members do not keep their operators.

    Args:
        listing: the files.
        context: settings, providers, day and secret schemes; nothing is compared.
        whole: these are all operator files there are, so that what is missing is missing.
        waivers: whether `waivers.yaml` mutes findings.
        jobs: how many processes to use; 0 for as many as the files are worth.
        memory: of earlier runs; None to remember and keep nothing.
    """
    rules = rules_of(context.settings)
    if not all(rule.by_facts for rule in rules.fleets):
        return check(listing, context, whole=whole, waivers=waivers, rules=rules)
    if rules.packages:
        memory = None  # what they are and when they change, nobody here knows
    checker = FileChecker(context, rules, keep=False)
    run = _Run(listing, checker, {} if memory is None else memory.rows(context.settings))
    result = conclude(run.checked(jobs), run.source, checker, whole=whole, waivers=waivers)
    if memory is not None:
        memory.keep_rows(run.kept, context.settings)
        if run.all_may_be_kept:
            memory.keep_result(result, run.digests.values(), context.settings)
    return result


class _Run:
    """One run over the files of a listing.

    Args:
        listing: the files.
        checker: of single files.
        known: rows of earlier runs, by path.
    """

    def __init__(self, listing: Listing, checker: FileChecker, known: Mapping[str, _Row]) -> None:
        self.kept: list[bytes] = []
        self.all_may_be_kept = True
        self.digests: dict[str, bytes] = {}
        self._listing = listing
        self._checker = checker
        self._schemes = checker.context.schemes
        self._known = known

    def checked(self, jobs: int) -> Iterator[CheckedFile]:
        """Yield what each file gave by itself, in their order."""
        for piece in in_pieces(len(self._listing), self._rows, jobs):
            rows = marshal.loads(piece)  # noqa: S302 - of this run itself
            kept = [row for row in rows if row[-1]]
            complete = len(kept) == len(rows)
            self.kept.append(piece if complete else marshal.dumps(kept))
            self.all_may_be_kept = self.all_may_be_kept and complete
            self.digests.update(row[:2] for row in rows)
            yield from map(_checked, rows)

    def source(self, path: str) -> SourceFile:
        """Return a file that was checked, to place findings in; without its content where that is another one now."""
        file = self._listing.load(path)
        return file if content_digest(file) == self.digests[path] else file._replace(content=b"")

    def _rows(self, piece: slice) -> bytes:
        files = [self._listing.load(path) for path in self._listing.paths[piece]]
        digests = {file.path: content_digest(file) for file in files}
        rows = {path: self._known[path] for path, content in digests.items() if self._is_known(path, content)}
        for checked in self._checker.check([file for file in files if file.path not in rows]):
            path = checked.member.file
            rows[path] = (*_row(checked, digests[path]), self._may_be_kept(checked))
        return marshal.dumps([rows[file.path] for file in files])

    def _is_known(self, path: str, content: bytes) -> bool:
        known = self._known.get(path)
        return known is not None and known[1] == content != UNREAD

    def _may_be_kept(self, checked: CheckedFile) -> bool:
        facts = checked.member.facts
        return (
            checked.readable
            and _SECRET_RULES.isdisjoint(finding.rule.id for finding in checked.findings)
            # A reference with an unknown scheme may be a password with `://` in it.
            and (facts is None or all(item.reference.partition("://")[0] in self._schemes for item in facts.secrets))
        )


def _row(checked: CheckedFile, content: bytes) -> _Row:
    member, facts = checked.member, checked.member.facts
    return (
        member.file,
        content,
        member.name,
        member.role,
        None if facts is None else (*facts[:4], tuple(tuple(secret) for secret in facts.secrets), facts.likeness),
        tuple(map(finding_row, checked.findings)),
        checked.readable,
    )


def _checked(row: _Row) -> CheckedFile:
    path, _, name, role, told, findings, readable, _ = row
    facts = None
    if told is not None:
        enabled, host, username, limit, secrets, likeness = told
        facts = Facts(enabled, host, username, limit, tuple(UsedSecret(*secret) for secret in secrets), likeness)
    return CheckedFile(Member(path, None, name, role, facts), tuple(map(finding_of, findings)), readable)
