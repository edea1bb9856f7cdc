"""Rules in the settings: what they find, what is refused before they run, and what they cannot be asked."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from opsmail.check.organisation import cel, conditions, rules_of
from opsmail.check.organisation.messages import MessageTypes
from opsmail.errors import UsageError
from opsmail.findings import Severity, Span
from opsmail.operator.model import Operator
from opsmail.shape import Decoder
from tests.builders import operator_data, operator_text, settings_of
from tests.unit.check.organisation.circumstances import found, refused, settings_with, told

HELP = "conditions are written in CEL"


def holds(condition: str, *texts: str, **options: Any) -> bool:
    """Return whether nobody breaks a rule that requires this; what could not be asked is neither."""
    messages = told(settings_with({"require": condition}), *texts, **options)
    assert set(messages) <= {"not so"}
    return not messages


def unanswered(condition: str, *texts: str) -> str:
    (finding,) = found(settings_with({"require": condition, "severity": "note"}), *texts)
    assert finding.severity is Severity.ERROR
    assert str(finding.label) == "not judged"
    assert "`has(…)`" in str(finding.help)
    return str(finding.message).removeprefix("ORG001 cannot be asked of this operator: ")


def wrong(condition: str) -> str:
    (only,) = refused(settings_with({"require": condition}))
    return only.removeprefix("opsmail.toml:12: ORG001: `require`: ")


def operator(**sections: Any) -> Operator:
    value, problems = Decoder(Operator).decode(operator_data(**sections))
    assert value is not None, problems
    return value


class TestFindings:
    RULE = {
        "id": "ORG007",
        "name": "finance-relay",
        "message": "finance uses {its} relay",
        "severity": "warning",
        "when": "operator.labels.team == 'fin'",
        "require": "operator.server.host\n  == 'smtp-fin.empresa.com.br'",
        "at": "server.host",
    }

    def test_all_that_is_told(self) -> None:
        (finding,) = found(settings_with(self.RULE), operator_text(labels={"team": "fin"}))
        assert (finding.rule.id, finding.rule.name) == ("ORG007", "finance-relay")
        assert finding.severity is Severity.WARNING
        assert (finding.file, finding.path, finding.span) == ("operators/rh.yaml", "server.host", Span(7, 9, 7, 28))
        assert finding.operator == "rh"
        assert str(finding.message) == "finance uses {its} relay"
        assert str(finding.label) == "against ORG007"
        assert str(finding.help) == "it has to be so: operator.server.host == 'smtp-fin.empresa.com.br'"

    @pytest.mark.parametrize("labels", [None, {"team": "rh"}, {"x": "fin"}])
    def test_others_are_left_alone(self, labels: dict[str, str] | None) -> None:
        text = operator_text() if labels is None else operator_text(labels=labels)
        assert found(settings_with(self.RULE), text) == []

    def test_without_a_place_and_a_name(self) -> None:
        (finding,) = found(settings_with({"require": f"operator.operator == '{'x' * 200}'"}))
        assert (finding.path, finding.span, finding.rule.name) == ("", Span(1, 1, 1, 1), "org001")
        assert str(finding.help).endswith("xxx…")

    def test_each_rule_is_asked_of_each_operator(self) -> None:
        rules = ({"require": "operator.operator == 'rh'"}, {"require": "operator.operator == 'b'"})
        findings = found(settings_with(*rules), operator_text(), operator_text(operator="b", role="standard"))
        assert {(finding.rule.id, finding.operator) for finding in findings} == {("ORG002", "rh"), ("ORG001", "b")}

    def test_the_policy_judges_it_like_any_other(self) -> None:
        rule = {"require": "false", "severity": "warning"}

        def severities(policy: str) -> list[Severity]:
            return [finding.severity for finding in found(settings_with(rule, top=f"[policy]\n{policy}\n"))]

        assert severities("") == [Severity.WARNING]
        assert severities('ignore = ["ORG"]') == []
        assert severities('severity = {ORG001 = "note"}') == [Severity.NOTE]
        assert severities('severity = {ORG001 = "note"}\nunwaivable = ["ORG001"]') == [Severity.WARNING]
        assert severities('profile = "strict"') == [Severity.ERROR]

    def test_a_waiver_mutes_it(self) -> None:
        waiver = "- {operator: rh, rule: ORG001, reason: r, approved_by: ti, expires: 2026-07-01}\n"
        settings = settings_with({"require": "false"}, files={"waivers.yaml": waiver})
        (finding,) = found(settings, ids=("ORG", "OM801"))
        assert finding.waived is not None


class TestWhatConditionsSee:
    def test_every_field_of_the_operator(self) -> None:
        assert holds(
            "operator.version == 1 && operator.operator == 'rh' && operator.name == null && operator.role == 'master'"
            " && operator.enabled && operator.sender.address == 'rh@empresa.com.br' && !operator.sender.send_as"
            " && operator.server.port == 587 && operator.server.encryption == 'starttls'"
            " && operator.server.minimum_tls == '1.2' && operator.authentication.type == 'basic'"
            " && operator.authentication.password == 'env://OPSMAIL_SECRET_RH'"
            " && operator.authentication.tenant == null && operator.authentication.credential.kind == null"
            " && operator.authentication.secret_expires == null && !has(operator.limits)"
            " && operator.limits.messages_per_minute == null && !has(operator.labels.team)"
        )

    def test_modern_authentication_and_what_may_be_left_out(self) -> None:
        authentication = {
            "type": "modern",
            "username": "rh@empresa.com.br",
            "password": None,
            "tenant": "t",
            "client_id": "c",
            "credential": {"kind": "client-secret", "secret": "env://X"},
            "secret_expires": "2027-05-01",
        }
        text = operator_text(authentication=authentication, limits={"messages_per_minute": 30}, name="RH")
        assert holds(
            "operator.authentication.credential.secret == 'env://X' && operator.authentication.secret_expires <"
            " '2027-06-01' && operator.limits.messages_per_minute <= 30 && has(operator.name)",
            text,
        )

    def test_labels_by_any_name(self) -> None:
        text = operator_text(labels={"team": "rh", "cost-center": "47", "fooBar": "1", "foo_bar": "2"})
        assert holds(
            "operator.labels.team == 'rh' && operator.labels.cost_center == '47' && operator.labels.x == null"
            " && operator.labels.fooBar == '1' && operator.labels.foo_bar == '2'",
            text,
        )

    def test_more_names_than_a_message_can_have_are_refused(self) -> None:
        names = [f"a{n:04}" for n in range(1100)]
        types = MessageTypes(["".join(f"labels.{name} " for name in names)])
        assert types.operator(operator(labels={"a0999": "x"})).labels.a0999.value == "x"
        assert len(types.fields("opsmail.Operator.Labels")) == 1000

    def test_the_fleet(self) -> None:
        others = [operator_text(operator=name, role="standard") for name in ("b", "c")]
        assert holds("fleet.exists_one(o, o.role == 'master') && size(fleet) == 3", operator_text(), *others)
        assert not holds("fleet.all(o, o.role == 'master')", operator_text(), *others)

    def test_a_part_of_the_fleet_is_not_judged_as_one(self) -> None:
        rules = ({"require": "size(fleet) == 9"}, {"require": "operator.server.port == 25"})
        assert [finding.rule.id for finding in found(settings_with(*rules), whole=False)] == ["ORG002"]

    def test_files_that_cannot_be_read_are_left_out(self) -> None:
        assert holds("size(fleet) == 1", operator_text(), "version: 1\n")

    def test_the_base(self) -> None:
        condition = "base == null || base.server.host == operator.server.host"
        assert holds(condition)
        assert holds(condition, base=[operator(), operator(operator="b")])
        assert not holds(condition, base=[operator(server={"host": "old.empresa.com.br"})])
        assert not holds("base != null", base=[operator(operator="b")])

    def test_the_settings(self) -> None:
        assert holds(
            "settings.policy.profile == 'recommended' && settings.runtime.version == null"
            " && settings.policy.severity.OM502 == null && settings.servers.exists(s, s.host =="
            " operator.server.host && '587/starttls' in s.connections && s.ca == null)"
        )
        assert "`settings` has no `store`" in wrong("settings.store.url == ''")

    def test_a_password_in_the_place_of_its_reference_is_nothing(self) -> None:
        text = operator_text().replace("env://OPSMAIL_SECRET_RH", "hunter2-hunter2")
        assert holds("operator.authentication.password == ''", text)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("operator.servr.host == 'x'", "line 1, column 9: `operator` has no `servr` | did you mean `server`?"),
        ("operator.zzz == 'x'", "line 1, column 9: `operator` has no `zzz` | there are `version`, `operator`, "),
        (
            "fleet.exists(o, o.server.prt == 1)",
            "line 1, column 25: `operator.server` has no `prt` | did you mean `port`?",
        ),
        ("operater.server.host == 'x'", "line 1, column 1: there is no `operater` | did you mean `operator`?"),
        (
            "operator.server.port == '587'",
            "line 1, column 22: found no matching overload for '_==_' applied to '(int, string)' | " + HELP,
        ),
        ("operator.server.port", "it is not a yes or no, but INT | compare it with something"),
        ("dyn(true)", "it is not a yes or no, but DYN | compare it with something"),
        ("operator.name ==", "line 1, column 17: Syntax error: mismatched input '<EOF>'"),
        ("(" * 50 + "true" + ")" * 50, "the condition: "),
        ("[1].all(a, [1].all(b, [1].all(c, true)))", "loops are nested deeper than 2 | split it into several rules"),
        ("[1].all(a, // )\n [1].all(b, r'\\' == ')' || [1].map(c, true)[0]))", "loops are nested deeper than 2"),
        ("operator.labels['team'] == 'x'", "line 1, column 16: found no matching overload"),
        ("unknown_function(1)", "line 1, column 1: there is no `unknown_function` | there are `operator`, "),
    ],
)
def test_what_is_refused_before_anything_runs(condition: str, message: str) -> None:
    assert wrong(condition).startswith(message)


def test_quotes_and_comments_are_no_loops() -> None:
    assert holds("[1].all(a, [1].all(b, 'x.all(' != '''.map(''' && \"\"\"exists(\"\"\" != r'a\\d')) // .all(.all(.all(")


def test_all_faults_are_told_with_their_lines() -> None:
    told_of = refused(
        settings_with(
            {"when": "operator.x", "require": "y", "at": "server.hst"},
            {"require": "true", "at": "zzzzzzzzzzzzzzzz"},
            {"require": "true", "at": "labels.anything"},
        )
    )
    assert [line.partition(" | ")[0] for line in told_of] == [
        "opsmail.toml:12: ORG001: `when`: line 1, column 9: `operator` has no `x`",
        "opsmail.toml:13: ORG001: `require`: line 1, column 1: there is no `y`",
        "opsmail.toml:14: operator files have no field `server.hst`",
        "opsmail.toml:20: operator files have no field `zzzzzzzzzzzzzzzz`",
    ]
    assert told_of[2].endswith("did you mean `server.host`?")
    assert told_of[3].endswith("for example `server.host`")


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("operator.name.startsWith('x')", "there is no (null).startsWith(string)"),
        ("operator.limits.messages_per_minute < 3", "there is no _<_(null, int64)"),
        ("1 / (operator.server.port - 587) == 1", "it is an error (INVALID_ARGUMENT)"),
        ("timestamp(operator.operator) == timestamp('2020-01-01T00:00:00Z')", "it is an error (INVALID_ARGUMENT)"),
        ("dyn(operator).servr == 1", "it is an error (NOT_FOUND)"),
        ("dyn(1)", None),
        ("[1, 2, 3].all(x, dyn(x))", "there is no "),
    ],
)
def test_what_cannot_be_answered_is_an_error_and_never_silent(condition: str, reason: str | None) -> None:
    if reason is None:
        assert "not a yes or no" in wrong(condition)
    else:
        assert unanswered(condition).startswith(reason)


def test_when_that_cannot_be_answered_is_told_too() -> None:
    (finding,) = found(settings_with({"when": "operator.name.endsWith('x')", "require": "true"}))
    assert "cannot be asked" in str(finding.message)


class TestBombs:
    LIST = f"[{', '.join('1' * 1 for _ in range(150))}]"

    @pytest.mark.parametrize(
        "condition",
        [
            pytest.param(f"{LIST}.all(a, {LIST}.all(b, true))", id="steps"),
            pytest.param("operator.operator.matches('(a+)+$') || true", id="a pattern"),
            pytest.param(
                f"[{'+'.join(['operator.sender.address'] * 9)}]"
                f".all(a, [{'+'.join('a' * 25)}].all(b, b.matches('(r*)*x')))",
                id="texts",
            ),
        ],
    )
    def test_each_is_bounded(self, condition: str) -> None:
        started = time.process_time()
        found(settings_with({"require": condition}))
        assert time.process_time() - started < 2

    def test_too_many_steps_are_told(self) -> None:
        assert (
            unanswered(f"{self.LIST}.all(a, {self.LIST}.all(b, true))") == "it takes more steps than one condition may"
        )

    def test_a_rule_that_takes_too_long_for_all_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(conditions, "_SECONDS", -1.0)
        (told_of,) = refused(settings_with({"require": "true"}))
        assert told_of.startswith("the rule ORG001 takes too long: given up after 1 operators | ")


def test_an_error_without_a_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Program:
        def eval(self, facts: object) -> object:
            raise MemoryError

    assert str(cel.holds(cel.Expression(Program(), frozenset()), None)) == "it is an error (UNKNOWN)"


@pytest.mark.parametrize("missing", ["cel_expr_python", "google.protobuf"])
def test_without_the_library(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cel", "messages", "conditions"):
        monkeypatch.delitem(sys.modules, f"opsmail.check.organisation.{name}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError) as caught:
        rules_of(settings_with({"require": "true"}))
    assert str(caught.value) == "the rules in opsmail.toml need a library that is not installed"
    assert str(caught.value.hint) == "run `pip install 'opsmail[cel]'`"
    assert rules_of(settings_of("")).metas()


def test_another_missing_module_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opsmail.check.organisation.conditions", raising=False)
    monkeypatch.setitem(sys.modules, "opsmail.check.organisation.cel", None)
    with pytest.raises(ModuleNotFoundError):
        rules_of(settings_with({"require": "true"}))


def test_the_digest_is_of_the_rules_and_not_of_their_tests() -> None:
    one = settings_with({"require": "true"}).digest
    assert settings_with({"require": "false"}).digest != one != settings_of().digest
    tests = [{"file": "tests/a.yaml", "expect": "fail"}]
    assert settings_with({"require": "true", "tests": tests}).digest == one
