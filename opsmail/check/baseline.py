"""The baseline: findings of an old fleet that are known, and muted until somebody gets to them; it only shrinks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from opsmail.constraints import Length, Range
from opsmail.errors import UsageError
from opsmail.findings import Finding, Identity
from opsmail.messages import Message, msg
from opsmail.shape import Decoder, shown

SCHEMA = "opsmail/baseline/v1"
MAX_BYTES = 4 * 1024 * 1024
#: More is no list to work off, and takes its time to read.
MAX_ENTRIES = 50_000
_Text = Annotated[str, Length(1, MAX_BYTES)]
#: Whether a rule, by its id, is one whose findings no baseline mutes.
IsUnwaivable = Callable[[str], bool]


class BaselineError(UsageError):
    """A file is no baseline, or cannot become one."""

    @classmethod
    def of(cls, file: str, reason: Message) -> BaselineError:
        """Return the error that says what is wrong with a file."""
        return cls(
            msg("{file} is not a baseline: {reason}", file=file, reason=reason),
            hint=msg("delete it, and write it anew: `opsmail check --baseline {file} --write-baseline`", file=file),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """Findings of one rule at one field of one operator, or of one file that describes none."""

    rule: _Text
    operator: _Text | None = None
    file: _Text | None = None
    path: Annotated[str, Length(0, MAX_BYTES)] = ""
    count: Annotated[int, Range(1, 1_000_000)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    schema: Literal["opsmail/baseline/v1"]
    findings: tuple[_Entry, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Known findings: how many of each."""

    counts: Mapping[Identity, int]

    def __len__(self) -> int:
        return sum(self.counts.values())

    @classmethod
    def of(cls, findings: Sequence[Finding], is_unwaivable: IsUnwaivable) -> Baseline:
        """Return the baseline of findings: those that nothing mutes yet and that may be muted."""
        return cls(
            Counter(
                Identity.of(finding)
                for finding in findings
                if finding.waived is None and not is_unwaivable(finding.rule.id)
            )
        )

    @classmethod
    def parse(cls, content: bytes, file: str) -> Baseline:
        """Return the baseline that a file holds.

        Args:
            content: the file's bytes.
            file: its name, for the error.

        Raises:
            BaselineError: it holds none.
        """
        if len(content) > MAX_BYTES:
            raise BaselineError.of(file, msg("it has more than {most} bytes", most=MAX_BYTES))
        data = _parsed(content, file)
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise BaselineError.of(file, msg('it does not say `"schema": "{schema}"`', schema=SCHEMA))
        entries = data.get("findings")
        if isinstance(entries, list) and len(entries) > MAX_ENTRIES:
            raise BaselineError.of(file, msg("it has more than {most} entries", most=MAX_ENTRIES))
        value, problems = Decoder(_File).decode(data)
        if value is None or problems:
            raise BaselineError.of(
                file, msg("`{path}`: {what}", path=shown(problems[0].path), what=problems[0].message)
            )
        counts: dict[Identity, int] = {}
        for index, entry in enumerate(value.findings):
            identity = Identity(entry.rule, entry.operator, entry.file, entry.path)
            if (entry.operator is None) == (entry.file is None):
                what = msg("either `operator` or `file` belongs there")
                raise BaselineError.of(file, msg("`findings.{index}`: {what}", index=index, what=what))
            if identity in counts:
                raise BaselineError.of(file, msg("`findings.{index}` stands there twice", index=index))
            counts[identity] = entry.count
        return cls(counts)

    def render(self) -> str:
        """Return the file: one finding a line, in an order that stays, so that a diff shows what went."""
        lines = []
        for identity, count in sorted(self.counts.items(), key=lambda item: _order(item[0])):
            facts = {
                "rule": identity.rule,
                "operator": identity.operator,
                "file": identity.file,
                "path": identity.path or None,
                "count": count if count > 1 else None,
            }
            lines.append("    " + json.dumps({name: value for name, value in facts.items() if value is not None}))
        findings = "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"
        return f'{{\n  "schema": "{SCHEMA}",\n  "findings": {findings}\n}}\n'

    def require_bounds(self, file: str) -> None:
        """Return when the file would be one that can be read again.

        Raises:
            BaselineError: it would not.
        """
        if len(self.counts) > MAX_ENTRIES or len(self.render()) > MAX_BYTES:
            raise BaselineError(
                msg("there are too many findings for {file}: {count}", file=file, count=len(self)),
                hint=msg("correct what most of them have in common, or ignore a rule in opsmail.toml until then"),
            )

    def within(self, other: Baseline) -> Baseline:
        """Return what both have: a baseline shrinks, and never grows."""
        both = {identity: min(count, other.counts.get(identity, 0)) for identity, count in self.counts.items()}
        return Baseline({identity: count for identity, count in both.items() if count})

    def without(self, other: Baseline) -> Baseline:
        """Return what the other does not have."""
        rest = {identity: count - other.counts.get(identity, 0) for identity, count in self.counts.items()}
        return Baseline({identity: count for identity, count in rest.items() if count > 0})

    def unwaivable(self, is_unwaivable: IsUnwaivable) -> Baseline:
        """Return the entries that no baseline may have: somebody has written them by hand."""
        return Baseline({identity: count for identity, count in self.counts.items() if is_unwaivable(identity.rule)})

    def unknown(self, findings: Sequence[Finding], is_unwaivable: IsUnwaivable) -> list[Finding]:
        """Return the findings that are not in the baseline, waived ones included."""
        rest = Counter(self.without(self.unwaivable(is_unwaivable)).counts)
        unknown = []
        for finding in findings:
            identity = Identity.of(finding)
            if finding.waived is None and rest[identity]:
                rest[identity] -= 1
            else:
                unknown.append(finding)
        return unknown


def _order(identity: Identity) -> tuple[str, str, str, str]:
    return identity.operator or "", identity.file or "", identity.rule, identity.path


def _parsed(content: bytes, file: str) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            raise BaselineError.of(file, msg("it has a key twice"))
        return found

    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        raise BaselineError.of(file, msg("it is not JSON in UTF-8")) from None
