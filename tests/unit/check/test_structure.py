"""Shape problems as rules: which one, where, and what would mend it."""

from __future__ import annotations

import pytest

from opsmail.findings import Edit, Finding, FixSafety, Span
from tests.builders import edited, findings_of, operator_text, rules_of


def only(text: str, name: str = "rh.yaml") -> Finding:
    (finding,) = findings_of(text, name=name)
    return finding


def fixed(finding: Finding) -> list[Edit]:
    assert finding.fix is not None
    assert finding.fix.safety is FixSafety.SAFE
    return list(finding.fix.edits)


def test_a_correct_file_has_no_findings() -> None:
    assert findings_of(operator_text()) == []


class TestRules:
    @pytest.mark.parametrize(
        ("old", "new", "rule", "path", "place"),
        [
            ("  port: 587", "  prot: 587", "OM101", "server.prot", (8, 3, 7)),
            ("  port: 587\n", "", "OM102", "server.port", (6, 1, 7)),
            ("server:\n", "srever:\n", "OM101", "srever", (6, 1, 7)),
            ("587", "abc", "OM103", "server.port", (8, 9, 12)),
            ("587", "", "OM103", "server.port", (8, 3, 7)),
            ("starttls", "start", "OM104", "server.encryption", (9, 15, 20)),
            ("587", "70000", "OM104", "server.port", (8, 9, 14)),
            ("operator: rh", "operator: ti", "OM105", "operator", (2, 11, 13)),
            ("operator: rh", "operator: RH", "OM104", "operator", (2, 11, 13)),
            ("version: 1", "version: 2", "OM106", "version", (1, 10, 11)),
            ("587", "0587", "OM009", "server.port", (8, 9, 13)),
            ("587", "5_87", "OM009", "server.port", (8, 9, 13)),
            ("587", "+587", "OM009", "server.port", (8, 9, 13)),
            ("env://OPSMAIL_SECRET_RH", "12345678", "OM601", "authentication.password", (13, 3, 11)),
            ("env://OPSMAIL_SECRET_RH", "true", "OM601", "authentication.password", (13, 3, 11)),
            ('"env://OPSMAIL_SECRET_RH"', "hunter2", "OM601", "authentication.password", (13, 3, 11)),
            ('"env://OPSMAIL_SECRET_RH"', "{a: b}", "OM103", "authentication.password", (13, 3, 11)),
            ('"env://OPSMAIL_SECRET_RH"', "", "OM103", "authentication.password", (13, 3, 11)),
            ('"env://OPSMAIL_SECRET_RH"', "''", "OM104", "authentication.password", (13, 13, 14)),
        ],
    )
    def test_each_with_its_field_and_place(
        self, old: str, new: str, rule: str, path: str, place: tuple[int, int, int]
    ) -> None:
        text = edited(old.strip('"'), new) if old.startswith("env") else edited(old, new)
        if old.startswith("env"):
            text = text.replace(f'"{new}"', new)
        finding = only(text)
        line, column, end = place
        assert (finding.rule.id, finding.path) == (rule, path)
        assert finding.span == Span(line, column, line, end)
        assert finding.help is not None

    def test_a_missing_section_stands_at_the_top(self) -> None:
        finding = only(operator_text(server=None))
        assert (finding.rule.id, finding.path) == ("OM102", "server")
        assert finding.span == Span(1, 1, 1, 1)

    def test_an_invalid_id_is_not_compared_with_the_name(self) -> None:
        assert rules_of(edited("operator: rh", "operator: -x")) == ["OM104"]

    def test_the_name_of_the_file_decides_in_any_folder(self) -> None:
        assert findings_of(operator_text(), name="team/rh.yaml") == []

    def test_a_field_of_another_kind(self) -> None:
        text = operator_text(authentication={"type": "none", "username": None})
        assert [(finding.rule.id, finding.path) for finding in findings_of(text)] == [
            ("OM101", "authentication.password")
        ]

    def test_a_literal_secret_is_told_whatever_else_is_wrong(self) -> None:
        for text in (
            operator_text(authentication={"password": "hunter2"}, server={"port": None}),
            operator_text(authentication={"password": "hunter2", "type": "none", "username": None}),
        ):
            assert "OM601" in rules_of(text)
            assert "hunter2" not in str(findings_of(text))


class TestNames:
    def fix(self, old: str, new: str) -> list[str | None]:
        found = findings_of(edited(old, new))
        assert {finding.rule.id for finding in found} <= {"OM101", "OM102", "OM104", "OM701"}
        return [None if item.fix is None else item.fix.edits[0].text for item in found if item.rule.id == "OM101"]

    def test_the_nearest_is_a_guess(self) -> None:
        finding = only(edited("  port: 587", "  'prot': 587"))
        assert finding.fix is not None
        assert (finding.fix.safety, str(finding.fix.description)) == (FixSafety.UNSAFE, "write `port`")
        assert finding.fix.edits == (Edit(Span(8, 3, 8, 9), "'port'"),)

    def test_a_section_too(self) -> None:
        assert self.fix("server:\n", "srever:\n") == ["server"]

    @pytest.mark.parametrize(
        ("old", "new", "count"),
        [
            ("  port: 587", "  port: 587\n  prot: 587", 1),  # it is there already
            ("  port: 587", "  prot: 587\n  porta: 587", 2),  # either could be it
            ("  port: 587", "  port: 587\n  wholly_different: 1", 1),  # nothing is near
        ],
    )
    def test_none_where_it_is_not_clear_which(self, old: str, new: str, count: int) -> None:
        assert self.fix(old, new) == [None] * count


class TestValues:
    @pytest.mark.parametrize(
        ("written", "text", "safety"),
        [
            ("STARTTLS", "starttls", FixSafety.SAFE),
            ("'Implicit-TLS'", "'implicit-tls'", FixSafety.SAFE),
            ("start-tls", "starttls", FixSafety.UNSAFE),
            ('"starttl"', '"starttls"', FixSafety.UNSAFE),
        ],
    )
    def test_the_nearest(self, written: str, text: str, safety: FixSafety) -> None:
        finding = only(edited("encryption: starttls", f"encryption: {written}"))
        assert finding.rule.id == "OM104"
        assert finding.fix is not None
        assert finding.fix.safety is safety
        assert [edit.text for edit in finding.fix.edits] == [text]

    @pytest.mark.parametrize("written", ['"1.1"', "'1.4'"])
    def test_a_number_is_not_another_one_misspelt(self, written: str) -> None:
        finding = only(edited("encryption: starttls", f"encryption: starttls\n  minimum_tls: {written}"))
        assert (finding.rule.id, finding.fix) == ("OM104", None)
        assert str(finding.help) == "allowed: `1.2`, `1.3`"
        assert f"cannot be `{written[1:-1]}`" in str(finding.message)

    @pytest.mark.parametrize("secret", ["hunter2", "S3nh@-do-RH", "basic4711", "correct horse battery"])
    def test_what_may_be_a_secret_is_not_repeated(self, secret: str) -> None:
        for old, new in (("type: basic", f"type: '{secret}'"), ("role: master", f"role: '{secret}'")):
            (finding,) = [item for item in findings_of(edited(old, new)) if item.rule.id == "OM104"]
            assert secret not in repr(finding)
            assert "it is not shown, since it may be a secret" in str(finding.message)
            assert finding.fix is None
            assert "allowed: " in str(finding.help)

    def test_the_name_of_the_file_is_a_guess(self) -> None:
        finding = only(edited("operator: rh", "operator: ti"))
        assert finding.fix is not None
        assert (finding.fix.safety, finding.fix.edits[0].text) == (FixSafety.UNSAFE, "rh")


class TestFixes:
    @pytest.mark.parametrize(
        ("old", "new", "text"),
        [
            ("port: 587", 'port: "587"', "587"),
            ("port: 587", "port: '587'", "587"),
            ("version: 1", 'version: "1"', "1"),
            ("role: master", 'role: master\nenabled: "true"', "true"),
            ("role: master", "role: master\nenabled: False", "false"),
            ("role: master", "role: master\nname: 123", '"123"'),
            ("role: master", "role: master\nname: true", '"true"'),
            ("encryption: starttls", "encryption: starttls\n  minimum_tls: 1.2", '"1.2"'),
        ],
    )
    def test_quoting_and_unquoting_is_safe(self, old: str, new: str, text: str) -> None:
        finding = only(edited(old, new))
        assert finding.rule.id == "OM103"
        (edit,) = fixed(finding)
        assert edit.text == text
        assert edit.span == finding.span
        assert str(finding.help) == f"write `{text}`"

    @pytest.mark.parametrize(
        ("old", "new", "help_"),
        [
            ("port: 587", 'port: "0587"', "write a whole number without quotes"),
            ("port: 587", "port: [587]", "write a whole number without quotes"),
            ("role: master", "role: master\nenabled: no", "write `true` or `false`"),
            ("role: master", "role: master\nname: [a]", "write a text"),
            ("role: master", "role: master\nname: {a: b}", "write a text"),
        ],
    )
    def test_where_it_is_not_certain_what_was_meant_there_is_none(self, old: str, new: str, help_: str) -> None:
        finding = only(edited(old, new))
        assert finding.fix is None
        assert str(finding.help) == help_

    def test_a_secret_is_never_part_of_one(self) -> None:
        finding = only(operator_text(authentication={"password": 12345678}))
        assert finding.fix is None
        assert "12345678" not in repr(finding)

    def test_nor_is_what_is_masked(self) -> None:
        found = findings_of(edited("role: master", "role: master\nlabels: {senha: 12345678}"))
        assert {finding.rule.id: finding.fix for finding in found} == {"OM103": None, "OM605": None}
        assert "write a text" in {str(finding.help) for finding in found}
        assert "12345678" not in repr(found)

    def test_a_section_where_a_list_of_labels_is(self) -> None:
        finding = only(edited("role: master", "role: master\nlabels: [a]"))
        assert (finding.rule.id, finding.fix, finding.help) == ("OM103", None, None)
