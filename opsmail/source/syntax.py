"""What is wrong with the syntax of a YAML file, in plain words instead of libyaml's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from yaml import MarkedYAMLError

from opsmail.findings import Span
from opsmail.messages import Message, msg
from opsmail.source.document import Mark, ReadProblem

_CLOSE = msg("close it")
#: libyaml's reason (scanner.c and parser.c of libyaml 0.2.5) to what it means to somebody who edits a file.
_REASONS: Mapping[str, tuple[Message, Message]] = MappingProxyType(
    {
        "mapping values are not allowed in this context": (
            msg("a second `: ` on one line, or a line that is indented further than its neighbours"),
            msg("put text that contains `: ` in quotes, or correct the indentation of this line"),
        ),
        "found character that cannot start any token": (
            msg("a character that cannot start a value"),
            msg("put text that starts with a special character in quotes, and indent with spaces"),
        ),
        "found a tab character that violates indentation": (
            msg("a tab used for indentation"),
            msg("indent with spaces"),
        ),
        "found invalid Unicode character escape code": (
            msg("an escape for half a character"),
            msg("write the character itself instead of its escape"),
        ),
        "did not find expected <document start>": (
            msg("more text after the end of the document"),
            msg("keep one operator per file"),
        ),
        "did not find expected key": (
            msg("this line is not indented like the lines it belongs to"),
            msg("give all fields of a section the same indentation"),
        ),
        "did not find expected '-' indicator": (
            msg("this line is not indented like the entries of the list it belongs to"),
            msg("start each entry with `- ` at the same indentation"),
        ),
        "could not find expected ':'": (
            msg("a field without `:`"),
            msg("write `name: value`, with a space after the colon"),
        ),
        "found unexpected end of stream": (msg("a quote is never closed"), _CLOSE),
        "found unexpected document indicator": (msg("a quote is never closed"), _CLOSE),
        "did not find expected ',' or '}'": (msg("a `{` is not closed"), msg("close it, or write one field per line")),
        "did not find expected ',' or ']'": (msg("a `[` is not closed"), _CLOSE),
        "found unknown escape character": (
            msg("an unknown escape after a backslash"),
            msg("use single quotes, in which a backslash is only a backslash"),
        ),
        "block sequence entries are not allowed in this context": (
            msg("a list cannot start here"),
            msg("start the list on a line of its own, each entry with `- `"),
        ),
    }
)


def syntax_problem(error: MarkedYAMLError, text: str) -> ReadProblem:
    """Return the problem of a file that is not YAML, at the parser's place.

    Args:
        error: from the parser; its reasons are fixed sentences and repeat nothing of the file.
        text: the file, whose end the parser may stand behind.
    """
    reason = error.problem or ""
    place: Mark | None = error.problem_mark or error.context_mark
    line, column = (place.line + 1, place.column + 1) if place is not None else (1, 1)
    line = min(line, text.count("\n") + 1)
    message, remedy = _REASONS.get(
        reason, (msg("not valid YAML: {reason}", reason=reason), msg("compare the line with a file that works"))
    )
    return ReadProblem("OM002", message, Span(line, column, line, column + 1), help=remedy)
