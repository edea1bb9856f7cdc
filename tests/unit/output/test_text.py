"""`--format text`, as people read it."""

from __future__ import annotations

from dataclasses import replace
from gettext import NullTranslations
from typing import Any

import pytest

from opsmail.check.result import Member
from opsmail.findings import ExcerptLine, Finding, Related, RuleMeta, Severity, Span, Waiver
from opsmail.messages import msg
from opsmail.output.findings.interface import Report, Summary
from opsmail.output.findings.text import render
from opsmail.output.style import Style
from tests.builders import run_check

RULE = RuleMeta("OM201", "port-encryption-mismatch", Severity.ERROR)
FINDING = Finding(
    rule=RULE,
    severity=Severity.ERROR,
    file="operators/rh.yaml",
    span=Span(9, 9, 9, 12),
    message=msg("port {port} expects implicit TLS, but encryption is `{encryption}`", port=465, encryption="starttls"),
    operator="rh",
    path="server.port",
    label=msg("465 is the implicit-TLS port"),
    related=(Related(msg("STARTTLS belongs to 587"), "operators/rh.yaml", Span(10, 15, 10, 23)),),
    help=msg("use port 587, or encryption `implicit-tls`"),
    excerpt=(
        ExcerptLine(8, "  host: smtp.empresa.com.br"),
        ExcerptLine(9, "  port: 465"),
        ExcerptLine(10, "  encryption: starttls"),
    ),
)
SUMMARY = Summary(files=1, operators=1, affected=1, errors=1, warnings=0, notes=0, waived=0, fixable=0)

# The file of the user's guide, byte for byte.
GUIDE = """\
error[OM201]: port 465 expects implicit TLS, but encryption is `starttls`
  --> operators/rh.yaml:9:9  (operator rh)
   |
 8 |   host: smtp.empresa.com.br
 9 |   port: 465
   |         ^^^ 465 is the implicit-TLS port
10 |   encryption: starttls
   |               -------- STARTTLS belongs to 587
   |
   = help: use port 587, or encryption `implicit-tls`
   = rule: opsmail rule OM201

"""
FILE = """\
version: 1
operator: rh
role: master
sender:
  address: rh@empresa.com.br
  display_name: RH Empresa
server:
  host: smtp.empresa.com.br
  port: 465
  encryption: starttls
authentication:
  type: basic
  username: rh@empresa.com.br
  password: env://OPSMAIL_SECRET_RH
"""


def shown(*findings: Finding, summary: Summary = SUMMARY, color: bool = False) -> str:
    return render(Report(findings, summary), NullTranslations(), Style(color))


def block(**changes: Any) -> list[str]:
    """Return the lines of one finding."""
    return shown(replace(FINDING, **changes)).split("\n\n", maxsplit=1)[0].splitlines()


class TestFinding:
    def test_the_layout(self) -> None:
        assert shown(FINDING) == GUIDE + "1 error in 1 of 1 operator\n"

    def test_the_same_from_a_file(self) -> None:
        result = run_check({"rh.yaml": FILE})
        text = render(
            Report(result.findings, Summary.of(result.findings, result.members)), NullTranslations(), Style(False)
        )
        words = str(result.findings[0].related[0].message)
        assert text == GUIDE.replace("STARTTLS belongs to 587", words) + "1 error in 1 of 1 operator\n"

    @pytest.mark.parametrize("severity", list(Severity))
    def test_the_severity_comes_first(self, severity: Severity) -> None:
        assert block(severity=severity)[0].startswith(f"{severity.label}[OM201]: ")

    def test_without_an_operator_and_lines(self) -> None:
        assert block(operator=None, excerpt=(), related=(), help=None) == [
            "error[OM201]: port 465 expects implicit TLS, but encryption is `starttls`",
            "  --> operators/rh.yaml:9:9",
            "   |",
            "   = rule: opsmail rule OM201",
        ]

    def test_places_in_other_files_are_named(self) -> None:
        related = (Related(msg("another master"), "operators/ti.yaml", Span(3, 7, 3, 13)),)
        assert "   = operators/ti.yaml:3:7: another master" in block(related=related)

    def test_a_waived_one_says_why(self) -> None:
        waiver = Waiver("chamado 4711", "ti@empresa.com.br", "2027-06-30")
        assert "   = waived until 2027-06-30: chamado 4711" in block(waived=waiver)

    def test_lines_that_are_left_out(self) -> None:
        lines = (ExcerptLine(2, "a"), ExcerptLine(3, "b"), ExcerptLine(9, "  port: 465"))
        told = block(excerpt=lines, related=())
        assert told[3:7] == [" 2 | a", " 3 | b", "...", " 9 |   port: 465"]

    def test_numbers_of_lines_share_a_margin(self) -> None:
        told = block(excerpt=(ExcerptLine(999, "a"), ExcerptLine(1000, "b")), span=Span(1000, 1, 1000, 2), related=())
        assert told[1:6] == [
            "    --> operators/rh.yaml:1000:1  (operator rh)",
            "     |",
            " 999 | a",
            "1000 | b",
            "     | ^ 465 is the implicit-TLS port",
        ]

    def test_several_marks_on_one_line(self) -> None:
        related = (Related(msg("and this"), "operators/rh.yaml", Span(9, 3, 9, 7)),)
        told = block(excerpt=(ExcerptLine(9, "  port: 465"),), related=related)
        assert told[4:6] == ["   |         ^^^ 465 is the implicit-TLS port", "   |   ---- and this"]


class TestMarks:
    def underline(self, text: str, start: int, end: int) -> str:
        told = block(excerpt=(ExcerptLine(9, text),), span=Span(9, start, 9, end), related=(), label=None)
        return told[4].removeprefix("   | ")

    @pytest.mark.parametrize(
        ("text", "start", "end", "expected"),
        [
            ("a: b", 4, 5, "   ^"),
            ("a: bcd", 4, 7, "   ^^^"),
            ("a: b", 4, 99, "   ^"),
            ("a: b", 4, 4, "   ^"),
            ("a: ****", 4, 5, "   ^"),
            ("a: b", 60, 70, "    ^"),
            ("", 1, 2, "^"),
            ("a: '日本'", 4, 8, "   ^^^^^^"),
            ("日: x", 4, 5, "    ^"),
            ("a: e\u0301x", 4, 7, "   ^^"),
            ("a:\tb", 4, 5, "      ^"),
            ("a: \x1bb", 4, 6, "   ^^^^^"),
        ],
    )
    def test_they_stand_under_what_is_shown(self, text: str, start: int, end: int, expected: str) -> None:
        assert self.underline(text, start, end) == expected

    def test_a_place_over_several_lines_is_marked_to_the_end_of_its_first(self) -> None:
        told = block(excerpt=(ExcerptLine(9, "a: bcd"),), span=Span(9, 4, 12, 2), related=(), label=None)
        assert told[4] == "   |    ^^^"


class TestLongLines:
    LINE = f"labels: {{{', '.join(f'name{number}: value' for number in range(40))}}}"
    START = LINE.index("name20") + 1

    def told(self, width: int | None) -> list[str]:
        finding = replace(
            FINDING, excerpt=(ExcerptLine(9, self.LINE),), span=Span(9, self.START, 9, self.START + 6), related=()
        )
        return render(Report((finding,), SUMMARY), NullTranslations(), Style(False, width)).splitlines()

    @pytest.mark.parametrize(("width", "most"), [(None, 165), (80, 80), (50, 50), (1, 45)])
    def test_what_is_marked_is_in_view(self, width: int | None, most: int) -> None:
        _, where, _, line, underline, *_ = self.told(width)
        assert len(line) <= most
        assert line.startswith(" 9 | …")
        assert line.endswith("…")
        assert line[underline.index("^") :].startswith("name20: ")
        assert underline[underline.index("^") :] == "^^^^^^ 465 is the implicit-TLS port"
        assert where == f"  --> operators/rh.yaml:9:{self.START}  (operator rh)"  # a path is never broken


class TestClosing:
    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"errors": 2, "warnings": 1, "affected": 3, "waived": 1, "fixable": 1, "files": 240, "operators": 240},
             "2 errors, 1 warning in 3 of 240 operators (1 waived, 1 fixable)"),
            ({}, "1 error in 1 of 1 operator"),
            ({"errors": 0, "affected": 0}, "no findings in 1 operator"),
            ({"errors": 0, "affected": 0, "files": 5, "operators": 5, "waived": 2},
             "no findings in 5 operators (2 waived)"),
            ({"errors": 0, "notes": 2}, "2 notes in 1 of 1 operator"),
            ({"files": 3, "operators": 2}, "1 error in 1 of 3 files"),
            ({"files": 1, "operators": 0}, "1 error in 1 of 1 file"),
            ({"errors": 0, "affected": 0, "files": 0, "operators": 0}, "no findings in 0 operators"),
        ],
    )  # fmt: skip
    def test_the_last_line_sums_up(self, changes: dict[str, int], sentence: str) -> None:
        assert shown(summary=replace(SUMMARY, **changes)) == f"{sentence}\n"


class TestSummary:
    def members(self, *names: str | None) -> list[Member]:
        return [Member(f"operators/{number}.yaml", None, name, None) for number, name in enumerate(names)]

    def test_figures(self) -> None:
        findings = [
            replace(FINDING, file="operators/0.yaml", operator="a"),
            replace(FINDING, file="operators/0.yaml", operator="a", severity=Severity.WARNING),
            replace(FINDING, file="operators/1.yaml", operator="b", waived=Waiver("", "", "")),
            replace(FINDING, file="operators/2.yaml", operator=None, severity=Severity.NOTE),
        ]
        summary = Summary.of(findings, self.members("a", "b", None))
        assert summary == Summary(files=3, operators=2, affected=2, errors=1, warnings=1, notes=1, waived=1, fixable=0)

    def test_a_waiver_concerns_its_operator(self) -> None:
        findings = [replace(FINDING, file="waivers.yaml", operator="b")]
        assert Summary.of(findings, self.members("a", "b")).affected == 1

    def test_what_concerns_no_operator_does_not_add_one(self) -> None:
        findings = [replace(FINDING, file="waivers.yaml", operator=None)]
        assert Summary.of(findings, self.members("a", "b")).affected == 0


class TestHostileTexts:
    EVIL = "a\x1b[31m\x07\u202e\r\n::error::x\x9b\udcff"

    def test_nothing_acts_on_a_terminal(self) -> None:
        finding = replace(
            FINDING,
            file=f"operators/{self.EVIL}.yaml",
            operator=self.EVIL,
            message=msg("{text}", text=self.EVIL),
            label=msg("{text}", text=self.EVIL),
            help=msg("{text}", text=self.EVIL),
            related=(Related(msg("{text}", text=self.EVIL), self.EVIL, Span(1, 1, 1, 2)),),
            waived=Waiver(self.EVIL, self.EVIL, self.EVIL),
            excerpt=(ExcerptLine(9, self.EVIL),),
        )
        text = shown(finding)
        text.encode("utf-8")
        assert all(char == "\n" or char.isprintable() for char in text)
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
        assert r"\x1b[31m" in text
        assert r"\u202e" in text

    def test_colour_is_ours_alone(self) -> None:
        text = shown(FINDING, color=True)
        assert "\x1b[1;31merror[OM201]\x1b[0m\x1b[1m: port" in text
        painted = text.replace("\x1b[1m", "").replace("\x1b[0m", "")
        for code in ("1;31", "31", "34"):
            painted = painted.replace(f"\x1b[{code}m", "")
        assert painted == shown(FINDING)


@pytest.mark.parametrize(
    ("color", "text", "colour", "bold", "painted"),
    [
        (False, "x", "red", True, "x"),
        (True, "", "red", True, ""),
        (True, "x", "", False, "x"),
        (True, "x", "red", False, "\x1b[31mx\x1b[0m"),
        (True, "x", "", True, "\x1b[1mx\x1b[0m"),
        (True, "x", "cyan", True, "\x1b[1;36mx\x1b[0m"),
    ],
)
def test_style(color: bool, text: str, colour: str, bold: bool, painted: str) -> None:
    assert Style(color).paint(text, colour, bold=bold) == painted
