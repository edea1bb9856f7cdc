"""The engine: files in, findings and operators out."""

from __future__ import annotations

from opsmail.check.engine import check
from opsmail.findings import Severity, Span
from opsmail.messages import msg
from opsmail.source.tree import SourceFile, not_plain
from tests.builders import SETTINGS, context_of, operator_text, run_check

STANDARD = {"role": "standard"}


class TestResult:
    def test_operators_by_id(self) -> None:
        result = run_check({"rh.yaml": operator_text(), "ti.yaml": operator_text(operator="ti", **STANDARD)})
        assert sorted(result.operators()) == ["rh", "ti"]
        assert [member.file for member in result.members] == ["operators/rh.yaml", "operators/ti.yaml"]

    def test_errors_are_those_that_count(self) -> None:
        files = {"rh.yaml": operator_text(server={"port": 0}), "ti.yaml": operator_text(operator="ti", version=2)}
        result = run_check(files, whole=False)
        assert {finding.rule.id for finding in result.errors()} == {"OM104", "OM106", "OM702"}
        assert {finding.rule.id for finding in result.errors("operators/ti.yaml")} == {"OM106", "OM702"}
        assert all(finding.severity is Severity.ERROR for finding in result.errors())

    def test_findings_are_ordered_by_file_place_and_rule(self) -> None:
        bad = operator_text(server={"port": "x", "host": 5}, version=2, authentication={"password": 1})
        result = run_check({"b.yaml": bad, "a.yaml": bad})
        keys = [(finding.file, finding.span, finding.rule.id, finding.path) for finding in result.findings]
        assert keys == sorted(keys)
        assert len({file for file, *_ in keys}) == 2

    def test_a_file_that_could_not_be_opened(self) -> None:
        source = SourceFile("operators/x.yaml", b"", not_plain(msg("link")))
        result = check([source], context_of())
        (finding,) = result.findings
        assert (finding.rule.id, finding.operator, finding.excerpt) == ("OM008", None, ())
        assert finding.span == Span(1, 1, 1, 1)
        assert result.members[0].name is None

    def test_no_files(self) -> None:
        result = check([], context_of())
        assert (result.findings, result.members) == ((), ())


class TestPolicy:
    def test_an_ignored_rule_says_nothing(self) -> None:
        files = {"rh.yaml": operator_text(sender={"address": "ti@empresa.com.br"})}
        assert [finding.rule.id for finding in run_check(files).findings] == ["OM502"]
        assert run_check(files, '[policy]\nignore = ["OM5"]').findings == ()

    def test_nor_does_one_about_the_fleet(self) -> None:
        same = {"role": "standard", "authentication": {"type": "none", "username": None, "password": None}}
        files = {"a.yaml": operator_text(operator="a", **same), "b.yaml": operator_text(operator="b", **same)}
        assert "OM706" in {finding.rule.id for finding in run_check(files, whole=False).findings}
        assert "OM706" not in {
            finding.rule.id for finding in run_check(files, '[policy]\nignore = ["OM7"]', whole=False).findings
        }

    def test_reading_rules_cannot_be_ignored(self) -> None:
        result = run_check({"rh.yaml": "a: ["}, '[policy]\nignore = ["OM"]')
        assert [finding.rule.id for finding in result.findings] == ["OM002"]

    def test_a_fleet_rule_may_be_made_louder_but_not_ignored(self) -> None:
        result = run_check({"rh.yaml": operator_text(role="standard")}, '[policy]\nignore = ["OM7"]')
        assert [finding.rule.id for finding in result.findings] == ["OM701"]


class TestFleet:
    def test_a_mark_in_another_file_has_its_place_there(self) -> None:
        result = run_check({"a.yaml": operator_text(operator="a"), "b.yaml": operator_text(operator="b")})
        finding = next(item for item in result.findings if item.file == "operators/a.yaml" and item.rule.id == "OM702")
        assert finding.span == Span(3, 7, 3, 13)
        assert [(item.file, item.span) for item in finding.related] == [("operators/b.yaml", Span(3, 7, 3, 13))]
        assert [line.number for line in finding.excerpt] == [2, 3]

    def test_a_part_of_the_fleet_need_not_have_a_master(self) -> None:
        files = {"rh.yaml": operator_text(role="standard")}
        assert run_check(files, whole=False).findings == ()
        assert [finding.rule.id for finding in run_check(files).findings] == ["OM701"]

    def test_nor_one_with_a_file_that_cannot_be_read(self) -> None:
        result = run_check({"rh.yaml": operator_text(role="standard"), "ti.yaml": "a: ["})
        assert [finding.rule.id for finding in result.findings] == ["OM002"]

    def test_a_file_whose_shape_is_wrong_still_claims_its_role(self) -> None:
        result = run_check({"rh.yaml": operator_text(server=None)})
        assert [finding.rule.id for finding in result.findings] == ["OM102"]

    def test_what_cannot_be_an_id_is_not_repeated(self) -> None:
        result = run_check({"rh.yaml": operator_text(operator="S3cr3t\u2013" * 1000)}, whole=False)
        assert [finding.operator for finding in result.findings] == [None]
        assert result.members[0].name is None


class TestCatalogue:
    def test_an_approved_operator(self) -> None:
        assert run_check({"rh.yaml": operator_text()}, SETTINGS).findings == ()

    def test_another_server(self) -> None:
        result = run_check({"rh.yaml": operator_text(server={"host": "smtp.evil.com"})}, SETTINGS)
        (finding,) = result.findings
        assert (finding.rule.id, finding.path) == ("OM209", "server.host")

    def test_another_operators_secret(self) -> None:
        text = operator_text(authentication={"password": "env://OPSMAIL_SECRET_TI"})
        (finding,) = run_check({"rh.yaml": text}, SETTINGS).findings
        assert (finding.rule.id, finding.path) == ("OM604", "authentication.password")
