"""Fixing files until nothing is left to fix; nothing is written here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsmail.check.fixing.proof import fixed_content
from opsmail.check.result import CheckResult
from opsmail.findings import Finding, Fix, FixSafety, Span
from opsmail.settings.files import WAIVERS_NAME
from opsmail.source.tree import SourceFile

#: A fix can uncover what another one ends; so many times in a row is more than any chain of them.
MAX_ROUNDS = 25

#: Checks the operator files that it gets, with `waivers.yaml` as it gets that (None for no such file).
Look = Callable[[Iterable[SourceFile], bytes | None], CheckResult]
#: Chooses among findings.
Concern = Callable[[tuple[Finding, ...]], tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class FixedFile:
    """A file that fixes change.

    Args:
        path: from the root.
        before: its content when it was read.
        after: with the fixes.
        fixes: how many.
    """

    path: str
    before: bytes
    after: bytes
    fixes: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """What fixing leads to.

    Args:
        found: what a check of the files as they are finds.
        left: what a check of the fixed files finds.
        files: those that change, by their paths.
        is_complete: no such fix is left.
    """

    found: CheckResult
    left: CheckResult
    files: tuple[FixedFile, ...]
    is_complete: bool


def fix_all(
    files: Iterable[SourceFile],
    waivers: bytes | None,
    look: Look,
    safeties: Collection[FixSafety],
    concern: Concern = lambda findings: findings,
) -> Fixed:
    """Apply fixes again and again, until a check offers none.

    Args:
        files: the operator files.
        waivers: the content of `waivers.yaml`, None for no such file.
        look: checks them.
        safeties: the fixes that are wanted.
        concern: tells which findings are to end; all of them, unless told otherwise.
    """
    work = _Work(files, waivers)
    found = left = look(work.sources, work.waivers)
    for _ in range(MAX_ROUNDS):
        if not work.fix(_wanted(concern(left.findings), safeties)):
            return Fixed(found, left, work.changed(), is_complete=True)
        left = look(work.sources, work.waivers)
    return Fixed(found, left, work.changed(), is_complete=False)


def _wanted(findings: Iterable[Finding], safeties: Collection[FixSafety]) -> dict[str, list[Fix]]:
    """Return the fixes to apply in each file: the most severe findings' first, none that meets another."""
    fixes: dict[str, list[Fix]] = defaultdict(list)
    order = sorted(findings, key=lambda finding: (-finding.severity, finding.span, finding.rule.id, finding.path))
    for finding in order:
        fix = finding.fix
        if fix is not None and finding.waived is None and fix.safety in safeties:
            chosen = fixes[finding.file]
            taken = [edit.span for other in chosen for edit in other.edits]
            if not any(_meet(edit.span, span) for edit in fix.edits for span in taken):
                chosen.append(fix)
    return fixes


def _meet(one: Span, other: Span) -> bool:
    return one[:2] < other[2:] and other[:2] < one[2:]


class _Work:
    """The files in their present state, from round to round."""

    def __init__(self, files: Iterable[SourceFile], waivers: bytes | None) -> None:
        self._operators = {file.path: file for file in files}
        self._waivers = None if waivers is None else SourceFile(WAIVERS_NAME, waivers)
        self._states: dict[str, list[bytes]] = {}
        self._settled: set[str] = set()
        self._counts: Counter[str] = Counter()

    @property
    def sources(self) -> list[SourceFile]:
        return list(self._operators.values())

    @property
    def waivers(self) -> bytes | None:
        return None if self._waivers is None else self._waivers.content

    def fix(self, wanted: Mapping[str, Sequence[Fix]]) -> bool:
        """Apply what is wanted in each file; return whether anything changed."""
        changed = [path for path, fixes in wanted.items() if path not in self._settled and self._fix(path, fixes)]
        return bool(changed)

    def _fix(self, path: str, fixes: Sequence[Fix]) -> bool:
        file = self._operators.get(path) or self._waivers
        if file is None or file.path != path:
            return False  # in a file that is not looked at for fixes, such as opsmail.toml
        top = list if file is self._waivers else dict
        for some in (fixes, fixes[:1]):  # each is proven by itself; should they not go together, the first one goes
            after = fixed_content(file.content, some, top)
            if after is not None:
                self._become(file, after, len(some))
                return True
        return False

    def _become(self, file: SourceFile, after: bytes, fixes: int) -> None:
        states = self._states.setdefault(file.path, [file.content])
        if after in states:  # fixes that undo each other: this is where they meet again, whoever starts from here
            self._settled.add(file.path)
        states.append(after)
        self._counts[file.path] += fixes
        changed = file._replace(content=after)
        if file is self._waivers:
            self._waivers = changed
        else:
            self._operators[file.path] = changed

    def changed(self) -> tuple[FixedFile, ...]:
        """Return the files that are not what they were."""
        return tuple(
            FixedFile(path, states[0], states[-1], self._counts[path])
            for path, states in sorted(self._states.items())
            if states[0] != states[-1]
        )
