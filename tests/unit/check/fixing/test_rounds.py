"""Fixing goes on until nothing is left, and comes to an end whatever the fixes are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmail.check.engine import check
from opsmail.check.fixing.rounds import MAX_ROUNDS, Fixed, fix_all
from opsmail.check.result import CheckResult
from opsmail.findings import Edit, Finding, Fix, FixSafety, Renaming, Replacement, RuleMeta, Severity, Span, Waiver
from opsmail.messages import msg
from opsmail.source.reader import read_document
from opsmail.source.tree import SourceFile
from tests.builders import SETTINGS, context_of, edited, operator_text

SAFE = frozenset({FixSafety.SAFE})
ALL = frozenset(FixSafety)
RULE = RuleMeta("OM999", "made-up", Severity.ERROR)


def fixed(
    files: dict[str, str | bytes],
    safeties: frozenset[FixSafety] = ALL,
    *,
    policy: str | None = SETTINGS,
    waivers: str | None = None,
) -> Fixed:
    """Fix operator files as the command does, in memory."""
    context = context_of(policy)

    def look(sources: Iterable[SourceFile], now: bytes | None) -> CheckResult:
        return check(sources, replace(context, settings=replace(context.settings, waivers=now)))

    sources = [
        SourceFile(f"operators/{name}.yaml", text.encode() if isinstance(text, str) else text)
        for name, text in files.items()
    ]
    return fix_all(sources, None if waivers is None else waivers.encode(), look, safeties)


def only(result: Fixed) -> str:
    (file,) = result.files
    return file.after.decode()


class TestFiles:
    def test_nothing_to_do(self) -> None:
        result = fixed({"rh": operator_text()})
        assert (result.files, result.is_complete) == ((), True)
        assert result.found is result.left

    def test_one_fix_uncovers_another(self) -> None:
        text = edited("port: 587", "port: '465'").replace("encryption: starttls", "encryption: SSL # antigo")
        result = fixed({"rh": text}, SAFE, policy=None)
        assert only(result) == operator_text().replace("587", "465").replace("starttls", "implicit-tls # antigo")
        assert result.is_complete
        assert [finding.rule.id for finding in result.found.findings] == ["OM103", "OM302"]
        assert result.left.findings == ()

    def test_unsafe_ones_only_where_they_are_wanted(self) -> None:
        text = edited("port: 587", "prot: 587")
        result = fixed({"rh": text}, SAFE)
        assert result.files == ()
        assert [finding.rule.id for finding in result.left.findings] == ["OM101"]
        assert only(fixed({"rh": text})) == operator_text()

    def test_those_that_change_by_their_paths_with_their_counts(self) -> None:
        text = edited("port: 587", 'port: "587"', edited("version: 1", 'version: "1"'))
        other = operator_text(operator="ti", role="standard").replace("587", "'587'")
        result = fixed({"ti": other.replace("SECRET_RH", "SECRET_TI"), "rh": text})
        assert [(file.path, file.fixes) for file in result.files] == [
            ("operators/rh.yaml", 2),
            ("operators/ti.yaml", 1),
        ]
        assert result.files[0].before == text.encode()

    def test_line_ends_mark_and_width_of_characters_stay(self) -> None:
        text = "# ção 😀\t\r\n" + edited("port: 587", 'port: "587"   # 日本\t').replace("\n", "\r\n")
        assert only(fixed({"rh": text})) == text.replace('"587"', "587")
        assert only(fixed({"rh": b"\xef\xbb\xbf" + text.encode()})) == text.replace('"587"', "587")

    def test_a_waiver_that_nothing_needs_any_more_goes(self) -> None:
        entry = "- operator: rh\n  rule: {}\n  reason: r\n  approved_by: ti@empresa.com.br\n  expires: 2026-12-31\n"
        result = fixed(
            {"rh": operator_text()}, SAFE, waivers=f"# TI\n\n{entry.format('OM203')}\n{entry.format('OM502')}"
        )
        assert only(result) == "# TI\n"
        assert result.files[0].fixes == 2
        assert result.left.findings == ()

    def test_what_is_waived_stays(self) -> None:
        waiver = (
            "- {operator: rh, rule: OM101, path: server.prot, reason: r, approved_by: ti@empresa.com.br,"
            " expires: 2026-12-31}\n"
        )
        result = fixed({"rh": edited("port: 587", "prot: 587")}, waivers=waiver)
        assert result.files == ()


def finding(fix: Fix | None, **more: object) -> Finding:
    made = Finding(RULE, Severity.ERROR, "operators/rh.yaml", Span(1, 1, 1, 2), msg("m"), path="a", fix=fix)
    return replace(made, **more)  # type: ignore[arg-type]  # fields of a finding


def value_fix(content: bytes, path: str, value: int) -> Fix:
    document, _ = read_document(content)
    assert document is not None
    return Fix(FixSafety.SAFE, msg("d"), (Edit(document.span(path), str(value)),), (Replacement(path, value),))


def made_up(content: bytes, find: Callable[[bytes], list[Finding]], waivers: bytes | None = None) -> Fixed:
    """Fix a file under a check that finds what a function says."""

    def look(sources: Iterable[SourceFile], now: bytes | None) -> CheckResult:
        return CheckResult(tuple(find(next(iter(sources)).content)), ())

    return fix_all([SourceFile("operators/rh.yaml", content)], waivers, look, SAFE)


class TestChoice:
    TEXT = b"a: 1\nb: 2\n"

    def test_the_more_severe_of_two_that_meet_is_applied(self) -> None:
        def find(content: bytes) -> list[Finding]:
            if content != self.TEXT:
                return []
            low = finding(value_fix(content, "a", 5), severity=Severity.NOTE)
            return [low, finding(value_fix(content, "a", 7)), finding(value_fix(content, "b", 8))]

        result = made_up(self.TEXT, find)
        assert [(file.after, file.fixes) for file in result.files] == [(b"a: 7\nb: 8\n", 2)]

    def test_where_they_do_not_go_together_the_first_goes(self) -> None:
        # Each alone is right; together they would name two fields alike.
        def find(content: bytes) -> list[Finding]:
            if content != self.TEXT:
                return []
            names = (
                Fix(FixSafety.SAFE, msg("d"), (Edit(Span(row, 1, row, 2), "c"),), (Renaming(old, "c"),))
                for row, old in ((1, "a"), (2, "b"))
            )
            return [finding(fix, path=str(number)) for number, fix in enumerate(names)]

        result = made_up(self.TEXT, find)
        assert [(file.after, file.fixes) for file in result.files] == [(b"c: 1\nb: 2\n", 1)]

    def test_what_is_not_right_or_not_here_is_left(self) -> None:
        wrong = Fix(FixSafety.SAFE, msg("d"), (Edit(Span(1, 4, 1, 5), "["),), (Replacement("a", 1),))
        right = value_fix(self.TEXT, "a", 5)
        for found in (
            finding(wrong),
            finding(right, file="opsmail.toml"),
            finding(None),
            finding(right, waived=Waiver("r", "ti", "2026-12-31")),
        ):
            for waivers in (None, b"[]"):
                assert made_up(self.TEXT, lambda content, found=found: [found], waivers).files == ()  # type: ignore[misc]  # its type is not inferred


class TestEnd:
    @staticmethod
    def steps(after: dict[int, int]) -> Callable[[bytes], list[Finding]]:
        def find(content: bytes) -> list[Finding]:
            value = int(content.split()[-1])
            return [finding(value_fix(content, "a", after[value]))] if value in after else []

        return find

    @pytest.mark.parametrize(("start", "end"), [(1, 3), (2, 3), (3, 3), (4, 4), (5, 5)])
    def test_fixes_that_undo_each_other_end_where_they_meet(self, start: int, end: int) -> None:
        find = self.steps({1: 2, 2: 3, 3: 4, 4: 5, 5: 3})
        result = made_up(f"a: {start}\n".encode(), find)
        assert result.is_complete
        after = result.files[0].after if result.files else f"a: {start}\n".encode()
        assert after == f"a: {end}\n".encode()
        assert made_up(after, find).files == ()

    def test_a_chain_that_is_too_long_is_not_complete(self) -> None:
        find = self.steps({number: number + 1 for number in range(100)})
        result = made_up(b"a: 0\n", find)
        assert result.files[0].after == f"a: {MAX_ROUNDS}\n".encode()
        assert not result.is_complete


# --- any mistakes in a good file

_MISTAKES = [
    ("version: 1", 'version: "1"'),
    ("operator: rh", "operator: ti"),
    ("operator: rh", "'operator': \"rh\""),
    ("role: master", "rolle: master"),
    ("role: master", "role: Master"),
    ("role: master", "enabled: 'True'\nrole: maste"),
    ("role: master", "name: 2026\nrole: master\nlabels: {a: 1, b: 1.5, senha: 12345678}"),
    ("sender:", "sendr:"),
    ("host: smtp.empresa.com.br", "host: 'smtp://smtp.empresa.com.br:587/'"),
    ("host: smtp.empresa.com.br", "hst: smtp.empresa.com.br."),
    ("port: 587", "port: '587'  # 😀"),
    ("port: 587", "port: 465"),
    ("port: 587", "prot: 465"),
    ("port: 587", "port: 587\n  minimum_tls: 1.2"),
    ("encryption: starttls", "encryption: SSL"),
    ("encryption: starttls", "encryption: start_tls"),
    ("encryption: starttls", "encrypton: STARTTLS"),
    ("type: basic", "type: Basic"),
    ("type: basic", "tipe: basc"),
    ("env://", "evn://"),
    ("password:", "pasword:"),
    ("\n", "\r\n"),
    ("version", "\ufeffversion"),
]


@settings(deadline=None)
@given(mistakes=st.lists(st.sampled_from(_MISTAKES), max_size=6), safeties=st.sampled_from([SAFE, ALL]))
def test_fixing_twice_is_fixing_once(mistakes: list[tuple[str, str]], safeties: frozenset[FixSafety]) -> None:
    good = operator_text().replace('"env://OPSMAIL_SECRET_RH"', "env://OPSMAIL_SECRET_RH")
    text = good
    for old, new in mistakes:
        text = text.replace(old, new, -1 if old == "\n" else 1) if new not in text else text
    result = fixed({"rh": text}, safeties)
    assert result.is_complete
    after = result.files[0].after if result.files else text.encode()
    again = fixed({"rh": after}, safeties)
    assert again.files == ()
    assert again.found == result.left
    wanted = [item for item in result.left.findings if item.fix is not None and item.fix.safety in safeties]
    assert wanted == []
    # Comments, line ends and what was right already are untouched.
    assert after.count(b"\r\n") == text.encode().count(b"\r\n")
    assert after.count("😀".encode()) == text.count("😀")
