"""Where each kind of change stands in the text, and what is written there."""

from __future__ import annotations

import pytest

from opsmail.check.fixing.edits import edits_of, splice
from opsmail.findings import (
    Deletion,
    Edit,
    FileChange,
    MarkRemoval,
    Renaming,
    Replacement,
    SchemeReplacement,
    Span,
)
from opsmail.source.document import Document
from opsmail.source.reader import read_document

TEXT = 'server: {host: \'a b\', "prot": 587}  # ção\r\nname:\r\npassword: "envv://X"\r\nlabels: [x]\r\n'


def document(text: str = TEXT, top: type = dict) -> Document:
    read, problems = read_document(text.encode(), top)
    assert read is not None, problems
    return read


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Replacement("server.host", "smtp.empresa.com.br"), TEXT.replace("a b", "smtp.empresa.com.br")),
        (Renaming("server.prot", "port"), TEXT.replace("prot", "port")),
        (Renaming("name", "operator"), TEXT.replace("name", "operator")),
        (SchemeReplacement("password", "env"), TEXT.replace("envv", "env")),
    ],
)
def test_only_what_changes_is_touched(change: FileChange, text: str) -> None:
    edits = edits_of([change], document())
    assert edits is not None
    assert splice(TEXT, edits) == text


@pytest.mark.parametrize(
    "change",
    [
        Replacement("name", "x"),  # nothing is written there
        Replacement("server.port", 587),
        Renaming("server.port", "x"),
        SchemeReplacement("name", "env"),
        SchemeReplacement("server.host", "env"),
        Renaming("labels.0", "x"),
        Deletion("name"),
        Deletion("labels.0"),
        Deletion("labels.1"),
    ],
)
def test_nothing_is_invented(change: FileChange) -> None:
    assert edits_of([Renaming("name", "x"), change], document()) is None


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert edits_of([MarkRemoval()], document()) == ()


def test_a_plain_reference() -> None:
    edits = edits_of([SchemeReplacement("a", "env")], document("a: envv://X\n"))
    assert edits == (Edit(Span(1, 4, 1, 8), "env"),)


def test_pieces_are_replaced_from_the_last_to_the_first() -> None:
    edits = [Edit(Span(1, 1, 1, 2), "ção"), Edit(Span(1, 3, 2, 2), ""), Edit(Span(2, 3, 2, 3), "!")]
    assert splice("😀bcd\nefg\n", edits) == "çãob" + "f!g\n"
