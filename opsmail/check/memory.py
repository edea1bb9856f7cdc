"""What is remembered of earlier runs: of each file what it gave by itself, and of the fleet what the last run found."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from opsmail.check.cache import Cache, digest
from opsmail.check.processes import MOST_PIECES, shared_out, usable_cores
from opsmail.check.result import CheckResult, Member
from opsmail.check.rows import finding_of, finding_row
from opsmail.errors import OpsmailError
from opsmail.source.tree import SourceFile
from opsmail.source.worktree import Listing, WorkTree

if TYPE_CHECKING:
    from opsmail.settings.load import Settings

#: Processes are worth starting for so many files each.
_FILES_PER_JOB = 250
#: Fewer in a piece cost more for handing them out, more wait longer for the last process.
_FILES_PER_PIECE = (50, 250)
_PIECES_PER_JOB = 16
#: Stands for the content of a file that could not be read; no file has it.
UNREAD = bytes(16)


class Memory(NamedTuple):
    """What was found in the same circumstances before.

    Args:
        cache: where it is kept.
        key: tells the circumstances: everything that decides but the operator files.
    """

    cache: Cache
    key: str

    def recall(self, tree: WorkTree, found: Callable[[Sequence[str]], Listing], jobs: int) -> CheckResult | None:
        """Return the result of the last run when every file is what it was then, without checking anything.

        Args:
            tree: where the files are that the settings name.
            found: the operator files of the run, from the operators folders.
            jobs: how many processes to read them with; 0 for as many as they are worth.
        """
        kept = self.cache.load(f"{self.key}.run")
        if kept is None:
            return None
        folders, named, fleet, names, findings = kept
        try:
            if any(_named_digest(tree, path) != known for path, known in named):
                return None
            listing = found(folders)
        except OpsmailError:  # the check itself tells it better
            return None
        if len(names) != len(listing) or fleet != _fleet_digest(listing.paths, _contents(listing, jobs)):
            return None
        members = tuple(map(Member, listing.paths, repeat(None), names, repeat(None)))
        return CheckResult(tuple(map(finding_of, findings)), members)

    def rows(self, settings: Settings) -> dict[str, tuple[Any, ...]]:
        """Return what files gave by themselves, by path.

        Args:
            settings: of the run, which may name schemas.
        """
        named, pieces = self.cache.load(f"{self.key}.files") or ((), ())
        if named != _named(settings):
            return {}
        return {row[0]: row for piece in pieces for row in marshal.loads(piece)}  # noqa: S302 - see `Cache`

    def keep_rows(self, pieces: Sequence[bytes], settings: Settings) -> None:
        """Keep what files gave by themselves.

        Args:
            pieces: the rows of those that may be kept.
            settings: of the run.
        """
        self.cache.store(f"{self.key}.files", (_named(settings), pieces))

    def keep_result(self, result: CheckResult, digests: Iterable[bytes], settings: Settings) -> None:
        """Keep what a run found.

        Args:
            result: of the run.
            digests: of the contents of all files.
            settings: of the run.
        """
        fleet = _fleet_digest((member.file for member in result.members), b"".join(digests))
        names = [member.name for member in result.members]
        findings = [finding_row(finding) for finding in result.findings]
        self.cache.store(f"{self.key}.run", (settings.file.operators, _named(settings), fleet, names, findings))


def content_digest(file: SourceFile) -> bytes:
    """Return what tells the content of a file from any other."""
    # Most processors have instructions for SHA-256; half of it is as good as any digest of 128 bits.
    return sha256(file.content).digest()[: len(UNREAD)] if file.problem is None else UNREAD


def in_pieces(files: int, work: Callable[[slice], bytes], jobs: int) -> Iterable[bytes]:
    """Yield what `work` makes of each piece of so many files, in their order.

    Args:
        files: how many there are.
        work: from a piece, as a slice of the files, to bytes.
        jobs: how many processes to use; 0 for as many as the files are worth, on the cores that this process may use.
    """
    jobs = jobs or min(usable_cores(), files // _FILES_PER_JOB)
    least, most = _FILES_PER_PIECE
    size = max(least, min(most, files // (max(jobs, 1) * _PIECES_PER_JOB)), -(-files // MOST_PIECES))
    pieces = [slice(start, start + size) for start in range(0, files, size)]
    return shared_out(len(pieces), lambda number: work(pieces[number]), jobs)


def _contents(listing: Listing, jobs: int) -> bytes:
    """Return the digests of all files, one after the other."""

    def read(piece: slice) -> bytes:
        return b"".join(content_digest(listing.load(path)) for path in listing.paths[piece])

    return b"".join(in_pieces(len(listing), read, jobs))


def _fleet_digest(paths: Iterable[str], contents: bytes) -> bytes:
    return digest("\n".join(paths).encode("utf-8", "surrogateescape"), contents)


def _named(settings: Settings) -> tuple[tuple[str, bytes], ...]:
    """Return the files that settings name, such as schemas, with digests of what is in them."""
    return tuple((path, digest(text.encode("utf-8"))) for path, text in sorted(settings.texts.items()))


def _named_digest(tree: WorkTree, path: str) -> bytes | None:
    content = tree.read(path)
    return None if content is None else digest(content)
