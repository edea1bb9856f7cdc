"""What a check has to say: findings with their rule, place, reason and remedy."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from enum import IntEnum, StrEnum
from typing import NamedTuple

from opsmail.messages import Message, msg
from opsmail.values import dataclass


class Severity(IntEnum):
    """How much a finding matters; ordered, so that `>=` compares."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The stable lower-case word used in every format."""
        return self.name.lower()

    @property
    def word(self) -> Message:
        """The word that people read."""
        return _WORDS[self]


_WORDS = {Severity.ERROR: msg("error"), Severity.WARNING: msg("warning"), Severity.NOTE: msg("note")}


class Span(NamedTuple):
    """A piece of a file: lines and columns count from 1, columns in code points, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


#: Where a finding about a whole file stands.
FIRST_CHARACTER = Span(1, 1, 1, 1)


class Related(NamedTuple):
    """A second place that belongs to a finding, with what it has to do with it."""

    message: Message
    file: str
    span: Span


class Edit(NamedTuple):
    """Replace the text of `span` by `text`."""

    span: Span
    text: str


class FixSafety(StrEnum):
    """A safe fix cannot change what is meant; an unsafe one may, so a person looks at it."""

    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Replacement:
    """Give the field at `path` this value."""

    path: str
    value: str | int | bool


@dataclass(frozen=True, slots=True)
class Renaming:
    """Give the field at `path` this name, in its section; its value stays."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class SchemeReplacement:
    """Let the secret reference at `path` name this kind of place; what follows its `://` stays and is not repeated."""

    path: str
    scheme: str


@dataclass(frozen=True, slots=True)
class Deletion:
    """Take the entry at `path` out of its list, with the comments that belong to it."""

    path: str


@dataclass(frozen=True, slots=True)
class MarkRemoval:
    """Take the byte-order mark off the file."""


FileChange = Replacement | Renaming | SchemeReplacement | Deletion | MarkRemoval


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the file that would end a finding.

    Args:
        safety: whether a person has to look at it.
        description: what it does.
        edits: how it is written. A byte-order mark has none: it stands before the first column.
        changes: what is meant by them.
    """

    safety: FixSafety
    description: Message
    edits: tuple[Edit, ...]
    changes: tuple[FileChange, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleMeta:
    """What is known of a rule without running it.

    Args:
        id: `OM` and three digits; never renumbered.
        name: words with hyphens; never renamed.
        severity: in the recommended profile.
        unwaivable: it can be neither waived, ignored, lowered nor baselined.
        ruleset: the ruleset that brought it.
    """

    id: str
    name: str
    severity: Severity
    unwaivable: bool = False
    ruleset: int = 1


class ExcerptLine(NamedTuple):
    """A line of the file as it may be shown: values that could be secret are already masked."""

    number: int
    text: str


class Waiver(NamedTuple):
    """Why a finding is muted, and until when (ISO date)."""

    reason: str
    approved_by: str
    expires: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing, at one place.

    Args:
        rule: the rule that found it.
        severity: as the settings judge it.
        file: path from the repository's root, with `/`.
        span: the place; `FIRST_CHARACTER` when it concerns the file as a whole.
        message: what is wrong.
        operator: the operator's id, None where there is none.
        path: the field, dotted (`server.port`); empty for the whole file.
        label: a few words shown under the marked place.
        related: other places that belong to it.
        help: what to do.
        fix: a change that would end it.
        waived: why it is muted.
        excerpt: the lines around it, safe to show.
    """

    rule: RuleMeta
    severity: Severity
    file: str
    span: Span
    message: Message
    operator: str | None = None
    path: str = ""
    label: Message | None = None
    related: tuple[Related, ...] = ()
    help: Message | None = None
    fix: Fix | None = None
    waived: Waiver | None = None
    excerpt: tuple[ExcerptLine, ...] = field(default=(), compare=False)


class Identity(NamedTuple):
    """What stays the same of a finding when lines move or a file is renamed.

    Args:
        rule: the rule's id.
        operator: the operator; None where there is none, and then `file` says where.
        file: the file; None where there is an operator.
        path: the field.
    """

    rule: str
    operator: str | None
    file: str | None
    path: str

    @classmethod
    def of(cls, finding: Finding) -> Identity:
        """Return what a finding is known by."""
        file = None if finding.operator else finding.file
        return cls(finding.rule.id, finding.operator or None, file, finding.path)


def fingerprints(findings: Sequence[Finding]) -> list[str]:
    """Return what stays the same of each finding when lines move: 16 hex digits of rule, operator (or file) and field.

    Several findings of one rule at one field, as duplicate keys are, are told apart by their order.
    """
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        identity = Identity.of(finding)
        what = f"{identity.rule}\0{identity.operator or identity.file}\0{identity.path}"
        seen[what] += 1
        numbered = what if seen[what] == 1 else f"{what}\0{seen[what]}"
        result.append(hashlib.sha256(numbered.encode("utf-8", "surrogatepass")).hexdigest()[:16])
    return result
