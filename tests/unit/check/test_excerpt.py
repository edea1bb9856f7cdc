"""Excerpts show what opsmail understands, and nothing that may be a secret, nor its length."""

from __future__ import annotations

import time

import pytest

from opsmail.check.disclosure import Disclosure
from opsmail.check.excerpt import Excerpts
from opsmail.check.waivers import WaiverEntry
from opsmail.findings import Span
from opsmail.operator.model import Operator
from opsmail.source.reader import read_document

OPERATOR = Disclosure.of(Operator, frozenset({"env", "file"}))


def excerpts(text: str) -> Excerpts:
    document, _ = read_document(text.encode())
    return Excerpts(text, document, OPERATOR)


def shown(text: str) -> list[str]:
    """Return all lines of an operator file as they are shown."""
    return [line.text for line in excerpts(text).lines(1, 1000)]


class TestReadable:
    def test_known_values_are_shown_as_they_are_written(self) -> None:
        text = "server:\n  host:  'smtp'\n  port: 587\nlabels: {team: \"rh\"}\n"
        assert shown(text) == ["server:", "  host:  'smtp'", "  port: 587", 'labels: {team: "rh"}', ""]

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("pasword: S3cr3t", "pasword: ****"),
            ("hunter2: x", "****"),
            ("server: S3cr3t", "server: ****"),
            ("server: {host: a, S3cr3t: b}", "server: {host: a, ****"),
            ("server: {host: a, extra: S3cr3t, port: 1}", "server: {host: a, extra: ****"),
            ("server: [S3cr3t]", "server: [****"),
            ("server: [{host: S3cr3t}]", "server: [****"),
            ("authentication: {password: S3cr3t, type: basic}", "authentication: {password: ****"),
            ("authentication: {password: env://A, type: basic}", "authentication: {password: env://A, type: basic}"),
            ("authentication: {password: evn://A}", "authentication: {password: evn://****"),
            ("authentication: {password: 12345678}", "authentication: {password: ****"),
            ("authentication: {password: {S3cr3t: x}}", "authentication: {password: {****"),
            ("authentication: {password: {deep: {er: S3cr3t}}}", "authentication: {password: {****"),
            ("labels: S3cr3t", "labels: ****"),
            ("labels: {a: {b: S3cr3t}}", "labels: {a: {****"),
            ("operator: rh # S3cr3t", "operator: rh"),
            ("operator: 'rh # x' # S3cr3t", "operator: 'rh # x'"),
            ("operator: rh#x", "operator: rh#x"),
            ("# S3cr3t", ""),
            ("labels: {a: 'b'}#S3cr3t", "labels: {a: 'b'}"),
        ],
    )
    def test_whatever_may_be_a_secret_is_masked_with_all_that_follows(self, line: str, expected: str) -> None:
        assert shown(f"version: 1\n{line}\n")[1] == expected

    def test_a_section_where_a_text_belongs(self) -> None:
        text = "authentication:\n  password:\n    S3cr3t: x\n    more:\n    - S3cr3t\n  type: basic\n"
        assert shown(text)[1:6] == ["  password:", "    ****", "    ****", "    - ****", "  type: basic"]

    def test_line_ends_of_another_system_are_not_shown(self) -> None:
        assert shown("version: 1\r\noperator: rh\r\n")[:2] == ["version: 1", "operator: rh"]

    def test_long_lines_are_cut(self) -> None:
        (first, _) = shown(f"name: {'x' * 5000}\n")
        assert len(first) == 1000
        assert shown(f"name: {'x' * 1000} # S3cr3t\n")[0].endswith("x")

    def test_a_mask_behind_the_cut_is_not_needed(self) -> None:
        (first, _) = shown("server: {host: " + "x" * 1000 + ", extra: S3cr3t}\n")
        assert "S3cr3t" not in first
        assert "*" not in first

    def test_only_lines_that_exist(self) -> None:
        told = excerpts("version: 1\noperator: rh").lines(0, 9)
        assert [(line.number, line.text) for line in told] == [(1, "version: 1"), (2, "operator: rh")]

    def test_a_line_with_thousands_of_values_and_signs_takes_no_time(self) -> None:
        line = "labels: {" + ", ".join(f"k{number}: 'a # b'" for number in range(4000)) + "}"
        told = excerpts(f"{line}\n" * 1)
        started = time.process_time()
        for _ in range(500):
            told.lines(1, 1)
        assert time.process_time() - started < 2


class TestUnreadable:
    """Of a file that is not YAML, nothing is known but the names of fields."""

    def test_only_known_names_are_shown(self) -> None:
        text = (
            "version: 1\n"
            "# comment S3cr3t\n"
            "\n"
            "authentication:\n"
            "  password: S3cr3t: x\n"
            "  S3cr3t: 1\n"
            "  - S3cr3t\n"
            "    just S3cr3t\n"
            "  'type': S3cr3t\n"
            "- rule: x"
        )
        assert shown(text) == [
            "version: …",
            "…",
            "",
            "authentication:",
            "  password: …",
            "  …",
            "  …",
            "    …",
            "  …",
            "…",
        ]


class TestPlaces:
    """A place never tells where a masked text ends, nor what stands behind it."""

    @pytest.mark.parametrize(
        ("line", "start", "end", "told"),
        [
            ("server: {host: smtp}", 16, 20, (16, 20)),
            ("extra: S3cr3t", 8, 14, (8, 9)),
            ("extra: S3cr3t", 1, 6, (1, 6)),
            ("extra: S3cr3t", 1, 14, (1, 8)),
            ("server: {extra: S3cr3t, port: x}", 31, 32, (17, 18)),
            ("hunter2: x", 1, 8, (1, 2)),
        ],
    )
    def test_in_a_file_that_could_be_read(self, line: str, start: int, end: int, told: tuple[int, int]) -> None:
        place = excerpts(f"version: 1\n{line}\n").place(Span(2, start, 2, end))
        assert (place.column, place.end_column) == told

    @pytest.mark.parametrize(
        ("line", "column", "told"),
        [
            ("  host: a: b", 10, 10),
            ("  password: S3cr3t: x", 19, 11),
            ("  senha: S3cr3t: x", 16, 3),
            ("    S3cr3t: x: y", 14, 5),
            ("server: {password: S3cr3t: x}", 26, 18),
            ("# any comment", 9, 9),
            ("", 1, 1),
        ],
    )
    def test_in_one_that_could_not(self, line: str, column: int, told: int) -> None:
        place = excerpts(f"{line}\na: [").place(Span(1, column, 1, column + 1))
        assert (place.column, place.end_column) == (told, told + 1)

    def test_a_line_behind_the_end(self) -> None:
        assert excerpts("a: 1").place(Span(9, 1, 9, 2)) == Span(9, 1, 9, 2)


def test_waivers_are_lists() -> None:
    text = "- operator: rh\n  rule: OM502\n  extra: S3cr3t\n- S3cr3t\n- reason: why # S3cr3t\n"
    document, _ = read_document(text.encode(), list)
    told = Excerpts(text, document, Disclosure.of(WaiverEntry)).lines(1, 5)
    assert [line.text for line in told] == [
        "- operator: rh",
        "  rule: OM502",
        "  extra: ****",
        "- ****",
        "- reason: why",
    ]
