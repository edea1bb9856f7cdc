"""The strict reader: any bytes become one document with places, or problems with places."""

from __future__ import annotations

from functools import partial

from opsmail.findings import FIRST_CHARACTER, MarkRemoval, Span
from opsmail.messages import Message, msg
from opsmail.source.characters import code_point, unseen
from opsmail.source.document import MAX_REPEATED, Document, ReadProblem
from opsmail.source.plain import plain_places, read_plain
from opsmail.source.tree import MAX_BYTES, too_large

_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def read_document(content: bytes, top: type = dict) -> tuple[Document | None, list[ReadProblem]]:
    """Read one YAML file.

    Args:
        content: the file's bytes, as they are.
        top: what the document has to be, `dict` or `list`.

    Returns:
        The document, or None when it cannot be taken as one; and every problem found, in the order of the file.
    """
    if len(content) > MAX_BYTES:
        return None, [too_large()]
    text, problems = _decode(content)
    plain = None if text is None or problems or top is not dict else read_plain(text)
    if text is not None and plain is not None:
        return Document(text, *plain, partial(plain_places, text)), []
    text, problems = _readable(text, problems)
    if text is None:
        return None, problems
    from opsmail.source.strict import read_strictly  # most files need no parser

    document, found = read_strictly(text, top)
    if document is None and not found:
        found = [_empty(msg("the file has only comments"))]
    return document, problems + found


def _empty(message: Message) -> ReadProblem:
    return ReadProblem("OM001", message, help=msg("delete it, or describe one operator in it"))


def _readable(text: str | None, problems: list[ReadProblem]) -> tuple[str | None, list[ReadProblem]]:
    """Return the text, None when a parser should not even see it, and what is wrong with it."""
    if text is None:
        return None, problems
    if not text.strip():
        return None, [*problems, _empty(msg("the file is empty"))]
    found = _unseen_characters(text)
    return (None if found else text), problems + found


def _decode(content: bytes) -> tuple[str | None, list[ReadProblem]]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return None, [_not_utf8(msg("the file is {encoding}, not UTF-8", encoding=encoding))]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = msg("byte {offset} of the file is not UTF-8", offset=error.start)
        return None, [_not_utf8(message, Span(line, column, line, column + 1))]
    if not text.startswith("\ufeff"):
        return text, []
    problem = ReadProblem(
        "OM006",
        msg("the file starts with a byte-order mark"),
        Span(1, 1, 1, 2),
        help=msg("save it as UTF-8 without a byte-order mark"),
        changes=(MarkRemoval(),),
    )
    return text[1:], [problem]


def _not_utf8(message: Message, span: Span = FIRST_CHARACTER) -> ReadProblem:
    return ReadProblem("OM006", message, span, help=msg("save the file as UTF-8"))


def _unseen_characters(text: str) -> list[ReadProblem]:
    problems: list[ReadProblem] = []
    for match in unseen(text):
        start = match.start()
        line = text.count("\n", 0, start) + 1
        column = start - text.rfind("\n", 0, start)
        problems.append(
            ReadProblem(
                "OM010",
                msg("invisible character {code_point}", code_point=code_point(match[0])),
                Span(line, column, line, column + 1),
                help=msg("delete it: a reviewer cannot see it, and some readers take it for a line end"),
            )
        )
        if len(problems) == MAX_REPEATED:
            break
    return problems
