"""From a rule's problem, which names fields, to a finding, which names places."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from opsmail.check.disclosure import Disclosure
from opsmail.check.excerpt import Excerpts
from opsmail.check.interface import Mark, Problem, ProposedFix
from opsmail.check.severity import Judge
from opsmail.findings import FIRST_CHARACTER, ExcerptLine, Finding, Fix, FixSafety, Related, RuleMeta, Span
from opsmail.messages import msg
from opsmail.operator.model import claimed_id
from opsmail.source.document import Document, ReadProblem

#: Two places this many lines apart are shown in one piece.
_NEAR = 4


class FilePlacer:
    """Makes the findings of one file.

    Args:
        path: the file, from the root.
        content: its bytes.
        document: what was read of it; None when it could not be.
        disclosure: what of it may be shown.
    """

    def __init__(self, path: str, content: bytes, document: Document | None, disclosure: Disclosure) -> None:
        self.path = path
        self._content = content
        self._document = document
        self._disclosure = disclosure

    @cached_property
    def _excerpts(self) -> Excerpts:
        # Made for the first finding: most files have none.
        text = self._content.decode("utf-8", "replace") if self._document is None else self._document.text
        return Excerpts(text, self._document, self._disclosure)

    def place(
        self,
        meta: RuleMeta,
        problem: Problem,
        judge: Judge,
        *,
        operator: str | None = None,
        elsewhere: Callable[[str], FilePlacer] | None = None,
    ) -> Finding | None:
        """Return the finding of a problem, None when the policy ignores its rule.

        Args:
            operator: the operator it concerns, where that is not the one the file describes.
            elsewhere: gives the placer of another file that a mark names.
        """
        severity = judge.severity(meta, problem.severity)
        if severity is None:
            return None
        if problem.span is not None:
            span = self._told(problem.span)
        else:
            span = self.key_span(problem.path) if problem.at_key else self.span(problem.path)
        related = tuple(self._related(mark, elsewhere) for mark in problem.marks)
        rows = [span, *(item.span for item in related if item.file == self.path)]
        return Finding(
            rule=meta,
            severity=severity,
            file=self.path,
            span=span,
            message=problem.message,
            operator=operator or self._operator(),
            path=self._shown_path(problem.path),
            label=problem.label,
            related=related,
            help=problem.help,
            fix=self._fix(problem.fix),
            excerpt=self._lines(rows),
        )

    def place_reading(self, meta: RuleMeta, problem: ReadProblem, judge: Judge) -> Finding | None:
        """Return the finding of a problem that the reader met.

        No policy ignores those, and what keeps a file from being read is told whatever the rules that a run selects:
        they could not look at it. None for another one that is not selected.
        """
        severity = judge.severity(meta)
        if severity is None and self._document is not None:
            return None
        span = self._told(problem.span)
        related = tuple(Related(item.message, self.path, self._told(item.span)) for item in problem.related)
        proposed = ProposedFix(FixSafety.SAFE, msg("remove it"), problem.changes) if problem.changes else None
        rows = [span, *(item.span for item in related)]
        return Finding(
            rule=meta,
            severity=severity or meta.severity,
            file=self.path,
            span=span,
            message=problem.message,
            operator=self._operator(),
            related=related,
            help=problem.help,
            fix=self._fix(proposed),
            excerpt=self._lines(rows),
        )

    def span(self, path: str) -> Span:
        """Return the place of a value, or the nearest one to it."""
        return FIRST_CHARACTER if self._document is None else self._told(self._document.span(path))

    def key_span(self, path: str) -> Span:
        """Return the place of a field's name, or the nearest one to it."""
        return FIRST_CHARACTER if self._document is None else self._told(self._document.key_span(path))

    def _told(self, span: Span) -> Span:
        return self._excerpts.place(span)

    def _shown_path(self, path: str) -> str:
        """Return the field's path, or its section's where the field's name may be a secret."""
        document = self._document
        if document is None or path not in document.keys:
            return path
        field = document.field(path)
        return path if not field or self._disclosure.shows_key(field) else path.rpartition(".")[0]

    def _operator(self) -> str | None:
        if self._document is None or not isinstance(self._document.data, dict):
            return None
        return claimed_id(self._document.data)

    def _related(self, mark: Mark, elsewhere: Callable[[str], FilePlacer] | None) -> Related:
        if mark.file is None or mark.file == self.path or elsewhere is None:
            return Related(mark.message, self.path, self.span(mark.path))
        return Related(mark.message, mark.file, elsewhere(mark.file).span(mark.path))

    def _fix(self, proposed: ProposedFix | None) -> Fix | None:
        """Return how a fix is written; None where its places would tell something of what is masked."""
        if proposed is None or self._document is None:
            return None
        from opsmail.check.fixing.edits import edits_of  # most findings have none

        edits = edits_of(proposed.changes, self._document)
        if edits is None or any(self._told(edit.span) != edit.span for edit in edits):
            return None
        return Fix(proposed.safety, proposed.description, edits, proposed.changes)

    def _lines(self, spans: list[Span]) -> tuple[ExcerptLine, ...]:
        """Return the lines around some places: one before the first, and those between when they are near."""
        if not self._content:
            return ()
        shown: dict[int, ExcerptLine] = {}
        rows = sorted({span.line for span in spans})
        for index, row in enumerate(rows):
            near = index > 0 and row - rows[index - 1] <= _NEAR
            first = rows[index - 1] if near else row - 1
            shown.update((line.number, line) for line in self._excerpts.lines(first, row))
        return tuple(shown[number] for number in sorted(shown))
