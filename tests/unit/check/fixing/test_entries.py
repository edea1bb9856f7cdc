"""What goes with an entry of a list, and what stays."""

from __future__ import annotations

import pytest

from opsmail.check.fixing.edits import edits_of, splice
from opsmail.findings import Deletion
from opsmail.source.reader import read_document


def without(index: int, text: str) -> str | None:
    document, problems = read_document(text.encode(), list)
    assert document is not None, problems
    edits = edits_of([Deletion(str(index))], document)
    return None if edits is None else splice(text, edits)


A, B, C = "- a: 1\n  x: 1\n", "- b: 1\n  x: 1\n", "- c: 1\n"


@pytest.mark.parametrize(
    ("index", "before", "after"),
    [
        (0, A + B, B),
        (1, A + B, A),
        (1, A + B + C, A + C),
        (0, A, ""),
        # Blank lines: one of two stays, and none at the end.
        (1, f"{A}\n{B}\n{C}", f"{A}\n{C}"),
        (0, f"{A}\n{B}", B),
        (1, f"{A}\n\n{B}", A),
        (1, f"{A}{B}\n{C}", f"{A}\n{C}"),
        (0, f"\n{A}\n{B}", f"\n{B}"),
        (1, f"{A}\n{B}".removesuffix("\n"), A),
        (0, A.removesuffix("\n"), ""),
        # Comments: those right above, and those inside.
        (1, f"{A}# b\n# too\n{B}{C}", A + C),
        (1, f"{A}\n# b\n{B}", A),
        (0, f"# file\n{A}{B}", f"# file\n{B}"),
        (0, f"# file\n\n{A}", "# file\n"),
        (0, f"# file\n\n# a\n{A}\n{B}", f"# file\n\n{B}"),
        (0, f"{A}  # inside\n{B}", B),
        (0, f"{A}# b\n{B}", f"# b\n{B}"),
        (0, f"{A}# after a\n\n{B}", f"# after a\n\n{B}"),
        (1, f"{A}  # of a\n{B}", f"{A}  # of a\n"),
        (0, "- a: 1 # note\n- b: 1\n", "- b: 1\n"),
        # Other ways to write an entry.
        (0, "- {a: 1, x: 1}\n- {b: 1}\n", "- {b: 1}\n"),
        (1, "  - a: 1\n  - b: 1\n", "  - a: 1\n"),
        (0, "- a:\n  - b: 1\n  - {c: 1,\n     d: 2}\n- b: 1\n", "- b: 1\n"),
        (0, "- plain\n- b: 1\n", "- b: 1\n"),
        (0, "- a:\n- b: 1\n", "- b: 1\n"),
        (0, "- a: 1\r\n  x: 1\r\n\r\n- b: 1\r\n", "- b: 1\r\n"),
    ],
)
def test_each(index: int, before: str, after: str) -> None:
    assert without(index, before) == after


@pytest.mark.parametrize("text", ["[{a: 1}, {b: 1}]\n", "-\n  a: 1\n- b: 1\n", "- - a\n  - b\n"])
def test_an_entry_that_shares_its_lines_is_left_alone(text: str) -> None:
    document, _ = read_document(text.encode(), list)
    assert document is not None
    path = "0.0" if text.startswith("- -") else "0"
    assert edits_of([Deletion(path)], document) is None
