"""OM805 and OM806 beyond the examples of their pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsmail.check.comparison import new_findings
from opsmail.check.interface import Change, Context, Fleet, FleetProblem, Problem
from opsmail.check.pages import load_page
from opsmail.check.result import Member
from opsmail.check.rules import all_rules
from opsmail.check.rules import change as rules
from opsmail.check.settings_places import SettingsPlacer
from opsmail.check.severity import Judge
from opsmail.messages import msg
from opsmail.operator.model import Operator
from opsmail.settings.model import Policy
from tests.builders import settings_of
from tests.rules.checking import BASIC, MODERN, NONE, context, operator
from tests.rules.examples import example, run


def fleet(*operators: Operator | None) -> Fleet:
    members = (
        Member(f"operators/{item.operator if item else 'x'}.yaml", item, item.operator if item else None, None)
        for item in operators
    )
    return Fleet(tuple(members), whole=True)


def compared(before: Fleet) -> Context:
    circumstances = context()
    settings = {"default": circumstances.settings}
    return replace(circumstances, change=Change(before, settings, settings))


def moved(before: Operator | None, after: Operator | None) -> list[FleetProblem]:
    return list(rules.credential_destination_changed.check(fleet(after), compared(fleet(before))))


def at(host: str = "smtp.empresa.com.br", **more: Any) -> Operator:
    server = {key: value for key, value in more.items() if key in ("port", "encryption")}
    rest = {key: value for key, value in more.items() if key not in server}
    return operator(server={"host": host, **server}, **rest)


class TestDestination:
    @pytest.mark.parametrize(
        ("after", "path"),
        [
            (at("smtp.outra.com.br"), "server.host"),
            (at("smtp.outra.com.br", port=465, encryption="implicit-tls"), "server.host"),
            (at(port=465, encryption="implicit-tls"), "server.port"),
            (at(encryption="none"), "server.encryption"),
        ],
    )
    def test_each_part_of_it_counts(self, after: Operator, path: str) -> None:
        (found,) = moved(at(), after)
        assert (found.file, found.problem.path) == ("operators/rh.yaml", path)
        assert [mark.path for mark in found.problem.marks] == ["authentication.password"]

    def test_it_says_from_where_to_where(self) -> None:
        (found,) = moved(at(), at("smtp.outra.com.br"))
        assert str(found.problem.message) == (
            "the credential went to `smtp.empresa.com.br:587/starttls`, "
            "and would go to `smtp.outra.com.br:587/starttls`"
        )

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (at(), at()),
            (at(), at("SMTP.empresa.com.br.")),
            (at(), at(sender={"address": "ti@empresa.com.br"})),
            (at(), at(authentication={**BASIC, "password": "env://OTHER"})),
            (at(authentication=NONE), at("smtp.outra.com.br")),
            (at(), at("smtp.outra.com.br", authentication=NONE)),
            (None, at("smtp.outra.com.br")),
            (at(), None),
            (at(), at(authentication={**MODERN, "cloud": "china"})),
            (
                operator(name="a"),
                operator(name="b", server={"host": "x.br"}, authentication={**BASIC, "password": "env://B"}),
            ),
        ],
    )
    def test_what_redirects_nothing(self, before: Operator | None, after: Operator | None) -> None:
        assert moved(before, after) == []

    def test_a_secret_is_known_by_its_reference_whoever_sends_it(self) -> None:
        (found,) = moved(operator(name="a"), operator(name="b", server={"host": "smtp.outra.com.br"}))
        assert (found.file, found.problem.path) == ("operators/b.yaml", "server.host")

    def test_it_goes_on_to_where_it_went_already(self) -> None:
        before = fleet(operator(name="a"), operator(name="b", server={"host": "smtp.outra.com.br"}))
        after = fleet(operator(name="c", server={"host": "smtp.outra.com.br"}))
        assert list(rules.credential_destination_changed.check(after, compared(before))) == []

    def test_literal_secrets_are_not_one_secret(self) -> None:
        literal = {**BASIC, "password": "S3nh4!"}
        before = operator(name="a", authentication=literal)
        assert moved(before, operator(name="b", server={"host": "x.br"}, authentication=literal)) == []

    def test_another_cloud_is_another_identity_provider(self) -> None:
        before, after = (at(authentication={**MODERN, "cloud": cloud}) for cloud in ("global", "china"))
        (found,) = moved(before, after)
        assert found.problem.path == "authentication.cloud"
        assert str(found.problem.message).endswith("would go to `smtp.empresa.com.br:587/starttls (china)`")
        assert [mark.path for mark in found.problem.marks] == ["authentication.credential.secret"]

    def test_a_token_without_a_secret_is_a_credential_too(self) -> None:
        federated = {**MODERN, "credential": {"kind": "federated"}}
        (found,) = moved(at(authentication=federated), at("smtp.outra.com.br", authentication=federated))
        assert [mark.path for mark in found.problem.marks] == ["authentication.credential.kind"]

    def test_without_a_change_nothing_is_told(self) -> None:
        assert list(rules.credential_destination_changed.check(fleet(at()), context())) == []


class TestPolicy:
    def told(self, before: str, after: str) -> list[Problem]:
        old, new = settings_of(before), settings_of(after)
        change = Change(fleet(), {"default": old}, {"default": new})
        circumstances = replace(context(), settings=new, change=change)
        return list(rules.policy_loosened.check(fleet(), circumstances))

    def test_each_loosening_is_a_problem_of_its_own(self) -> None:
        found = self.told("", '[policy]\nignore = ["OM2", "OM5"]\n[store]\nmax_changes = 1000\n')
        assert [problem.path for problem in found] == ["policy.ignore", "policy.ignore", "store.max_changes"]

    def test_without_a_change_nothing_is_told(self) -> None:
        assert list(rules.policy_loosened.check(fleet(), context())) == []

    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            ("OM502", "note", True),
            ("OM502", "error", False),
            ("OM201", "warning", True),
            ("OM210", "warning", False),
            ("OM209", "note", False),  # it cannot be lowered
            ("ORG001", "note", True),  # an error until it says otherwise
            ("ORG001", "error", False),
        ],
    )
    def test_severities_are_set_against_the_rules_own(self, before: str, after: str, told: bool) -> None:
        found = self.told("", f'[policy]\nseverity = {{ {before} = "{after}" }}\n')
        assert [problem.path for problem in found] == ([f"policy.severity.{before}"] if told else [])

    def test_a_place_is_where_the_file_has_it(self) -> None:
        text = "[gate]\nrequire = []\n[environments.production]\ngate.require = []\nstore.max_changes = 501\n"
        placer = SettingsPlacer(settings_of(text, environment="production"), overlaid=False)

        def line(path: str) -> int:
            finding = placer.place(rules.policy_loosened.meta, Problem(path, msg("x")), Judge(Policy()))
            assert finding is not None
            return finding.span.line

        assert line("gate.require") == 2
        assert line("environments.production.gate.require") == 4


@pytest.mark.parametrize("rule", sorted(set(all_rules()) - {"OM804", "OM805", "OM806"}))
def test_no_finding_is_new_because_its_lines_moved(rule: str, tmp_path: Path) -> None:
    shown = example(load_page(rule), "Bad example")
    further = {
        path: content if path.endswith(".json") else content.replace(b"\n", b"\n# a\n# b\n", 1)
        for path, content in shown.files.items()
    }
    known = run(rule, shown, tmp_path / "before")
    moved = run(rule, replace(shown, files=further), tmp_path / "after")
    assert len(moved) == len(known) > 0
    assert new_findings(moved, known) == []
