"""Findings that stand in the settings file."""

from __future__ import annotations

from typing import NamedTuple

from opsmail.check.interface import Problem
from opsmail.check.severity import Judge
from opsmail.expressions import expression
from opsmail.findings import ExcerptLine, Finding, Related, RuleMeta, Span
from opsmail.settings.files import DEFAULT_ENVIRONMENT
from opsmail.settings.load import Settings
from opsmail.settings.toml import FieldLines

_FIELD = expression(r"\s*(?P<key>[^=#\s][^=#]*?)\s*=\s*(?P<value>\"?\d{4}-\d\d-\d\d\"?|true|false|\d{1,9})?(?=\s|$)?")
_TABLE = expression(r"\s*(?P<table>\[\[?[^\]#]*\]\]?)")


class _Shown(NamedTuple):
    """A line as it may be shown, and the columns (from 0) that a finding marks in it."""

    text: str
    start: int
    end: int


class SettingsPlacer:
    """Makes findings of problems whose paths name fields of `opsmail.toml`.

    Dates, numbers and truth values are shown; texts are not, since one of them may be the address of a store with its
    password in it.

    Args:
        settings: with the text of the file.
        overlaid: whether fields are looked for in the table of the settings' environment first.
    """

    def __init__(self, settings: Settings, *, overlaid: bool = True) -> None:
        self._file = settings.name
        self._lines = settings.text.split("\n")
        self._fields = FieldLines(settings.text)
        named = overlaid and settings.environment != DEFAULT_ENVIRONMENT
        self._overlay = f"environments.{settings.environment}" if named else ""

    def place(self, meta: RuleMeta, problem: Problem, judge: Judge) -> Finding | None:
        """Return the finding of a problem, None when the policy ignores its rule."""
        severity = judge.severity(meta, problem.severity)
        if severity is None:
            return None
        span, line = self._place(problem.path)
        marks = [(mark, *self._place(mark.path)) for mark in problem.marks]
        shown = {item.number: item for item in (line, *(item for _, _, item in marks))}
        return Finding(
            rule=meta,
            severity=severity,
            file=self._file,
            span=span,
            message=problem.message,
            path=problem.path,
            label=problem.label,
            related=tuple(Related(mark.message, self._file, place) for mark, place, _ in marks),
            help=problem.help,
            excerpt=tuple(shown[number] for number in sorted(shown)),
        )

    def _place(self, path: str) -> tuple[Span, ExcerptLine]:
        number = self._fields.line(path, self._overlay)
        shown = _shown(self._lines[number - 1].rstrip("\r"))
        return Span(number, shown.start + 1, number, shown.end + 1), ExcerptLine(number, shown.text)


def _shown(line: str) -> _Shown:
    field = _FIELD.match(line)
    if field is not None:
        name = "key" if field["value"] is None else "value"
        end = field.end(name)
        return _Shown(line[:end] + (" = …" if name == "key" else ""), field.start(name), end)
    table = _TABLE.match(line)
    if table is not None:
        return _Shown(line[: table.end()], table.start("table"), table.end())
    return _Shown("", 0, 1)
