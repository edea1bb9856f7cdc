"""The strict reader: what each file gives, and where."""

from __future__ import annotations

import textwrap

import pytest

from opsmail.findings import FIRST_CHARACTER, MarkRemoval, Span
from opsmail.source.building import MAX_DEPTH, MAX_NODES
from opsmail.source.document import MAX_REPEATED, ReadProblem
from opsmail.source.reader import read_document
from opsmail.source.tree import MAX_BYTES
from tests.builders import operator_data, operator_text


def read(text: str | bytes, top: type = dict) -> object:
    """Return the data of a file that has nothing wrong."""
    content = text if isinstance(text, bytes) else textwrap.dedent(text).encode()
    document, problems = read_document(content, top)
    assert document is not None, problems
    assert problems == []
    return document.data


def refused(text: str | bytes, top: type = dict) -> list[ReadProblem]:
    """Return what is wrong with a file that is not taken."""
    document, problems = read_document(text if isinstance(text, bytes) else text.encode(), top)
    assert document is None
    assert problems
    return problems


def only(text: str | bytes, top: type = dict) -> ReadProblem:
    (problem,) = refused(text, top)
    return problem


class TestData:
    def test_an_operator_file(self) -> None:
        assert read(operator_text()) == operator_data()

    def test_types_are_those_of_the_core_schema(self) -> None:
        text = """
            a: 587
            b: "587"
            c: true
            d: no
            e: 12:30
            f: 2027-05-01
            g: ~
            h:
            i: 1.5
            j: '1.5'
            k: 0465
        """
        assert read(text) == {
            "a": 587,
            "b": "587",
            "c": True,
            "d": "no",
            "e": "12:30",
            "f": "2027-05-01",
            "g": None,
            "h": None,
            "i": 1.5,
            "j": "1.5",
            "k": "0465",
        }

    def test_lists_and_sections_in_any_style(self) -> None:
        text = """
            a: [1, {b: c}, []]
            d:
            - e: f
              g: {}
            - - h
        """
        assert read(text) == {"a": [1, {"b": "c"}, []], "d": [{"e": "f", "g": {}}, ["h"]]}

    def test_a_list_at_the_top_where_one_is_wanted(self) -> None:
        assert read("- a: 1\n- b\n", list) == [{"a": 1}, "b"]

    @pytest.mark.parametrize("text", ["a: 1", "a: 1\n", "---\na: 1\n", "a: 1\n...\n", "# x\na: 1 # y\n", "a: 1\r\n"])
    def test_what_may_stand_around_the_document(self, text: str) -> None:
        assert read(text) == {"a": 1}

    def test_line_ends_of_another_system_change_nothing(self) -> None:
        assert read(operator_text().replace("\n", "\r\n").encode()) == operator_data()

    def test_quoted_words_are_texts(self) -> None:
        assert read("\"a\": 'b'\n'no': \"1\"\n") == {"a": "b", "no": "1"}

    def test_escapes_of_visible_characters(self) -> None:
        assert read(r'a: "\x41\u00e7\U0001f600\\"') == {"a": "Aç😀\\"}


class TestPlaces:
    def test_values_and_keys(self) -> None:
        document, _ = read_document(b"server:\n  host:   'smtp'  # c\n  port: 587\n")
        assert document is not None
        assert document.span("server.host") == Span(2, 11, 2, 17)
        assert document.written("server.host") == "'smtp'"
        assert document.key_span("server.host") == Span(2, 3, 2, 7)
        assert document.span("server.port") == Span(3, 9, 3, 12)
        assert document.span("server") == document.key_span("server") == Span(1, 1, 1, 7)

    def test_columns_count_code_points(self) -> None:
        document, _ = read_document('a: {b: "ação 😀", c: 1}\n'.encode())
        assert document is not None
        assert document.span("a.b") == Span(1, 8, 1, 16)
        assert document.span("a.c") == Span(1, 21, 1, 22)
        assert document.written("a.b") == '"ação 😀"'

    def test_a_byte_order_mark_shifts_nothing(self) -> None:
        document, problems = read_document("\ufeffa: 1\n".encode())
        assert document is not None
        assert document.span("a") == Span(1, 4, 1, 5)
        assert [problem.rule for problem in problems] == ["OM006"]
        assert problems[0].changes == (MarkRemoval(),)

    def test_an_empty_value_stands_at_its_key(self) -> None:
        document, _ = read_document(b"a:\n  host:\n  port: 1\n")
        assert document is not None
        assert document.span("a.host") == Span(2, 3, 2, 7)
        assert document.written("a.host") == ""

    def test_what_is_missing_stands_at_the_nearest_section(self) -> None:
        document, _ = read_document(b"x: 1\na:\n  b: 1\n")
        assert document is not None
        assert document.span("a.c.d") == Span(2, 1, 2, 2)
        assert document.span("z") == FIRST_CHARACTER
        assert document.span("") == FIRST_CHARACTER
        assert document.written("z") == ""

    def test_elements_of_lists(self) -> None:
        document, _ = read_document(b"- rule: OM1\n- [x, {z: 1}]\n", list)
        assert document is not None
        assert document.span("0") == Span(1, 3, 1, 4)  # where the section starts: it has no key
        assert document.span("0.rule") == Span(1, 9, 1, 12)
        assert document.span("1.0") == Span(2, 4, 2, 5)
        assert document.span("1.1.z") == Span(2, 11, 2, 12)
        assert document.span("1.1.a") == Span(2, 7, 2, 8)

    @pytest.mark.parametrize(
        ("path", "value"),
        [("a.b", 1), ("a.c", ["x"]), ("a.c.0", "x"), ("a.c.1", None), ("a.c.x", None), ("a.b.c", None), ("z", None)],
    )
    def test_values_by_path(self, path: str, value: object) -> None:
        document, _ = read_document(b"a: {b: 1, c: [x]}\n")
        assert document is not None
        assert document.value(path) == value


class TestEmpty:
    @pytest.mark.parametrize("text", ["", "\n", "  \n\t\n", "\ufeff"])
    def test_an_empty_file(self, text: str) -> None:
        assert [problem.rule for problem in refused(text)][-1] == "OM001"

    @pytest.mark.parametrize("text", ["# only\n", "# a\n\n# b"])
    def test_a_file_with_only_comments(self, text: str) -> None:
        problem = only(text)
        assert (problem.rule, str(problem.message)) == ("OM001", "the file has only comments")

    def test_a_document_without_content_is_no_mapping(self) -> None:
        assert only("---\n...\n").rule == "OM004"


class TestEncoding:
    @pytest.mark.parametrize(
        ("content", "encoding"),
        [
            ("a: 1".encode("utf-16"), "UTF-16"),
            (b"\xfe\xff\0a", "UTF-16"),
            ("a: 1".encode("utf-32"), "UTF-32"),
            (b"\0\0\xfe\xff", "UTF-32"),
        ],
    )
    def test_other_encodings_are_named_by_their_mark(self, content: bytes, encoding: str) -> None:
        problem = only(content)
        assert problem.rule == "OM006"
        assert encoding in str(problem.message)

    @pytest.mark.parametrize(
        "octets", [b"\xe9", b"\xc0\xaf", b"\xed\xa0\xbd\xed\xb8\x80", b"\xff", b"\xf4\x90\x80\x80"]
    )
    def test_the_first_wrong_byte_has_its_place(self, octets: bytes) -> None:
        problem = only("a: 1\nação: ".encode() + octets)
        assert problem.rule == "OM006"
        assert problem.span == Span(2, 7, 2, 8)
        assert str(problem.message) == "byte 13 of the file is not UTF-8"

    def test_two_marks_are_not_one(self) -> None:
        problems = refused("\ufeff\ufeffa: 1\n")
        assert [problem.rule for problem in problems] == ["OM006", "OM010"]


class TestInvisible:
    @pytest.mark.parametrize(
        "character", ["\0", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u200b", "\u00ad", "\U000e0041"]
    )
    @pytest.mark.parametrize("text", ["a: x{}y\n", "a: 1 # {}\nb: 2\n", "a{}: 1\n", '"{}": 1\n'])
    def test_anywhere_even_in_comments(self, character: str, text: str) -> None:
        problem = only(text.format(character))
        assert problem.rule == "OM010"
        assert f"U+{ord(character):04X}" in str(problem.message)
        assert problem.span == Span(1, text.index("{") + 1, 1, text.index("{") + 2)

    def test_a_lone_carriage_return(self) -> None:
        assert only("server: good # note\rserver: evil\n").span == Span(1, 20, 1, 21)

    def test_each_one_is_told_up_to_a_limit(self) -> None:
        assert len(refused("a: " + "\u200b" * 3)) == 3
        assert len(refused("a: " + "\u200b" * 100)) == MAX_REPEATED

    @pytest.mark.parametrize(
        "escape", [r"\0", r"\x1b", r"\e", r"\r\n", r"\t", r"\N", r"\L", r"\u202e", r"\u200B", r"\_\b"]
    )
    def test_written_as_an_escape(self, escape: str) -> None:
        problem = only(f'a: "x{escape}y"\n')
        assert problem.rule == "OM010"
        assert problem.span.line == 1
        assert problem.span.column == 4

    def test_a_tab_in_a_value(self) -> None:
        assert only("a: x\ty\n").rule == "OM010"

    @pytest.mark.parametrize("text", [r'a: "\ud800"', r'a: "\uD83D\uDE00"'])
    def test_halves_of_characters(self, text: str) -> None:
        problem = only(text)
        assert (problem.rule, str(problem.message)) == ("OM002", "an escape for half a character")


class TestDuplicates:
    def test_the_second_is_the_place_and_the_first_is_related(self) -> None:
        problem = only("server: a\nport: 1\nserver: b\n")
        assert (problem.rule, str(problem.message)) == ("OM003", "`server` stands twice")
        assert problem.span == Span(3, 1, 3, 7)
        assert [place.span for place in problem.related] == [Span(1, 1, 1, 7)]

    def test_spelling_does_not_matter(self) -> None:
        problem = only('a: {tls: 1, "tls": 2}\n')
        assert problem.span == Span(1, 13, 1, 18)

    def test_the_same_name_in_two_sections_is_no_duplicate(self) -> None:
        assert read("a: {x: 1}\nb: {x: 1}\nx: 1\n") == {"a": {"x": 1}, "b": {"x": 1}, "x": 1}

    def test_a_name_that_may_be_a_secret_is_not_repeated(self) -> None:
        problem = only("a: {S3cr3t: 1, S3cr3t: 2}\n")
        assert str(problem.message) == "a field stands twice"

    def test_all_are_told_up_to_a_limit(self) -> None:
        assert len(refused("a: 1\n" * 4)) == 3
        assert len(refused("a: 1\n" * 100)) == MAX_REPEATED

    def test_those_before_a_syntax_error_are_told_too(self) -> None:
        assert [problem.rule for problem in refused("a: 1\na: 2\nb: [\n")] == ["OM003", "OM002"]

    def test_those_before_something_that_ends_the_reading_are_told_too(self) -> None:
        assert [problem.rule for problem in refused("a: 1\na: 2\nb: *x\n")] == ["OM003", "OM005"]


class TestOneDocument:
    @pytest.mark.parametrize("text", ["a: 1\n---\nb: 2\n", "a: 1\n...\n---\nb: 2\n", "--- {a: 1}\n---\n"])
    def test_a_second_document(self, text: str) -> None:
        problem = only(text)
        assert (problem.rule, str(problem.message)) == ("OM004", "a second document starts here")
        assert text.splitlines()[problem.span.line - 1].startswith("---")

    def test_text_after_the_end(self) -> None:
        assert only("a: 1\n...\ntrailing\n").rule == "OM002"

    @pytest.mark.parametrize("text", ["- a\n", "just text\n", "[]\n", "587\n", '"x"\n'])
    def test_the_top_is_a_mapping(self, text: str) -> None:
        problem = only(text)
        assert problem.rule == "OM004"
        assert problem.span.line == 1

    @pytest.mark.parametrize("text", ["a: 1\n", "text\n", "{}\n"])
    def test_or_a_list_where_one_is_wanted(self, text: str) -> None:
        problem = only(text, list)
        assert (problem.rule, str(problem.message)) == ("OM004", "the file is not a list")


class TestUnsupported:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: *x\n", "aliases (`*name`) are not supported"),
            ("*x : 1\n", "aliases (`*name`) are not supported"),
            ("*x\n", "aliases (`*name`) are not supported"),
            ("a: &x 1\n", "anchors (`&name`) are not supported"),
            ("&x a: 1\n", "anchors (`&name`) are not supported"),
            ("&x {a: 1}\n", "anchors (`&name`) are not supported"),
            ("a: &x {b: *x}\n", "anchors (`&name`) are not supported"),
            ("a: !!int ''\n", "tags (`!name`) are not supported"),
            ("a: ! x\n", "tags (`!name`) are not supported"),
            ("a: !!python/object/apply:os.system [x]\n", "tags (`!name`) are not supported"),
            ("!!map {a: 1}\n", "tags (`!name`) are not supported"),
            ("!x a: 1\n", "tags (`!name`) are not supported"),
            ("a:\n  <<: {b: 1}\n", "merge keys (`<<`) are not supported"),
            ('"<<": 1\n', "merge keys (`<<`) are not supported"),
            ("%YAML 1.2\n---\na: 1\n", "directives (`%`) are not supported"),
            ("%TAG ! tag:x,2000:\n---\na: 1\n", "directives (`%`) are not supported"),
            ("? [a]\n: 1\n", "a key must be a word"),
            ("? {a: b}\n: 1\n", "a key must be a word"),
            ("1: a\n", "a key must be a word"),
            ("0x1: a\n", "a key must be a word"),
            ("no: a\n", "a key must be a word"),
            ("~: a\n", "a key must be a word"),
            ("server.port: 1\n", "a key must be a word"),
            ("ação: 1\n", "a key must be a word"),
            (f"? {'a' * 2000}\n: 1\n", "a key must be a word"),
            ("a: |\n  x\n", "a text over several lines"),
            ("a: >-\n  x\n  y\n", "a text over several lines"),
            ("a: x\n  y\n", "a text over several lines"),
            ('a: "x\n  y"\n', "a text over several lines"),
        ],
    )
    def test_what_two_readers_could_take_differently(self, text: str, message: str) -> None:
        problem = only(text)
        assert (problem.rule, str(problem.message)) == ("OM005", message)
        assert problem.help is not None

    def test_a_text_over_several_lines_does_not_end_the_reading(self) -> None:
        assert [problem.rule for problem in refused("a: x\n  y\nb: 1\nb: 2\n")] == ["OM005", "OM003"]

    @pytest.mark.parametrize("text", ["a: =\n", "a: <<\n", "a: ''\n", "a: '*x'\n", "a: x&y\n", "a: x!y\n"])
    def test_signs_that_mean_nothing_where_they_stand(self, text: str) -> None:
        assert read(text) == {"a": text[3:].strip().strip("'")}


class TestLimits:
    def test_size(self) -> None:
        head = b"a: '"
        assert read(head + b"x" * (MAX_BYTES - len(head) - 1) + b"'")
        problem = only(head + b"x" * (MAX_BYTES - len(head)) + b"'")
        assert (problem.rule, str(problem.message)) == ("OM007", "the file is larger than 256 KiB")

    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}")])
    def test_depth(self, opening: str, closing: str) -> None:
        inner = MAX_DEPTH - 1  # the mapping at the top is one level
        assert read(f"a: {opening * inner}{closing * inner}\n")
        problem = only(f"a: {opening * (inner + 1)}{closing * (inner + 1)}\n")
        assert (problem.rule, str(problem.message)) == ("OM007", "nested deeper than 32 levels")
        assert problem.span.column == 4 + inner * len(opening)

    def test_number_of_values(self) -> None:
        # The top, and two for each field.
        fields = [f"k{number}: 1\n" for number in range((MAX_NODES - 1) // 2 + 1)]
        assert read("".join(fields[:-1]))
        problem = only("".join(fields))
        assert (problem.rule, str(problem.message)) == ("OM007", "more than 10000 values in one file")
        assert problem.span.line == len(fields)

    def test_number_of_list_elements(self) -> None:
        # The top, the key and the list.
        assert read(f"a: [{'1,' * (MAX_NODES - 3)}]\n")
        assert only(f"a: [{'1,' * (MAX_NODES - 2)}]\n").rule == "OM007"
