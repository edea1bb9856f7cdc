import pytest

from opsmail.findings import Span
from opsmail.source.reader import read_document


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a: b: c\n", "a second `: ` on one line, or a line that is indented further than its neighbours", (1, 5)),
        ("a: 1\n  b: 2\n", "a second `: ` on one line, or a line that is indented further than its neighbours", (2, 4)),
        ("a: @b\n", "a character that cannot start a value", (1, 4)),
        ("a:\n\tb: 1\n", "a character that cannot start a value", (2, 1)),
        ('a: "\\uD800"\n', "an escape for half a character", (1, 7)),
        ("a: 1\n...\nb: 2\n", "more text after the end of the document", (3, 1)),
        ("a:\n    b: 1\n  c: 2\n", "this line is not indented like the lines it belongs to", (3, 3)),
        ("a:\n- b\nc\n", "a field without `:`", (4, 1)),
        ("a:\n  - b\n  c: 1\n", "this line is not indented like the entries of the list it belongs to", (3, 3)),
        ("a: 'b\n", "a quote is never closed", (2, 1)),
        ('a: "b\n---\n', "a quote is never closed", (2, 1)),
        ("a: {b: 1\nc: 2\n", "a `{` is not closed", (2, 2)),
        ("a: [b\nc: 1\n", "a `[` is not closed", (2, 2)),
        ('a: "\\q"\n', "an unknown escape after a backslash", (1, 5)),
        ("a: - b\n", "a list cannot start here", (1, 4)),
    ],
)
def test_the_reason_in_plain_words_at_its_place(text: str, message: str, place: tuple[int, int]) -> None:
    document, problems = read_document(text.encode())
    assert document is None
    (problem,) = problems
    assert (problem.rule, str(problem.message)) == ("OM002", message)
    line, column = place
    # The parser may stand behind the last line; the place is on a line that exists.
    line = min(line, text.count("\n") + 1)
    assert problem.span == Span(line, column, line, column + 1)
    assert problem.help is not None


def test_any_other_reason_is_the_parsers_own() -> None:
    _, problems = read_document(b"%FOO\na: 1\n")
    assert problems[0].rule == "OM002"
    assert str(problems[0].message).startswith("not valid YAML: ")
