"""A note of each attempt to publish, so that the next run can say what came of one whose end nobody heard.

A lost answer to a commit, or a process that is killed, leaves it open whether the generation is published. The store
knows, by the digest of exactly this generation.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsmail.messages import Message, msg
from opsmail.store.bounds import environment_name, is_digest, is_number
from opsmail.store.generation import Generation
from opsmail.store.interface import Store

#: Where notes are kept, from the repository's root.
FOLDER = Path(".opsmail")
_MAX_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Attempts:
    """The notes of one repository, at most one for each environment.

    Args:
        root: the repository's.
    """

    root: Path

    def begin(self, facts: Generation, envelope: bytes) -> None:
        """Note that a generation is about to be published; a note that cannot be written changes nothing."""
        note = {
            "store": facts.store,
            "number": facts.number,
            "digest": hashlib.sha256(envelope).hexdigest(),
            "time": facts.time,
        }
        path = self._path(facts.environment)
        try:
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            with path.open("x", encoding="ascii") as file:
                json.dump(note, file)
        except OSError:
            return

    def end(self, environment: str) -> None:
        """Take the note away: what came of the attempt is known."""
        try:
            self._path(environment).unlink(missing_ok=True)
        except OSError:
            return

    def outcome(self, store: Store, environment: str) -> Message | None:
        """Return what came of the last attempt, and take its note away; None where that was known.

        Args:
            store: the one to be published to now.
            environment: likewise.

        Raises:
            StoreUnavailable: the store does not tell; the note stays.
        """
        note = self._read(environment)
        if note is None or note["store"] != store.identity().store:
            return None
        found = store.generation(environment, note["number"])
        self.end(environment)
        told = {"number": note["number"], "time": note["time"]}
        if found == note["digest"]:
            return msg("generation {number}, whose publish was interrupted at {time}, is published", **told)
        return msg("generation {number}, whose publish was interrupted at {time}, was not published", **told)

    def _path(self, environment: str) -> Path:
        return self.root / FOLDER / f"attempt-{environment_name(environment)}.json"

    def _read(self, environment: str) -> dict[str, Any] | None:
        """Return a note as it was written; what is none says nothing."""
        path = self._path(environment)
        try:
            if path.is_symlink() or not path.is_file():
                return None
            with path.open("rb") as file:
                note = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return None
        match note:
            case {"store": str(), "number": number, "digest": digest, "time": str()} if is_number(number) and is_digest(
                digest
            ):
                return dict(note)
        return None
