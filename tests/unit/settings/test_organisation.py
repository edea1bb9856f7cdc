"""What the settings may say of an organisation's own rules, schemas and packages."""

from __future__ import annotations

import pytest

from opsmail.settings.faults import SettingsError
from opsmail.settings.organisation import Expectation, SeverityName
from tests.builders import settings_of

RULE = '[[rules]]\nid = "ORG001"\nmessage = "m"\nrequire = "true"\n'


def faults(text: str, **files: str | bytes) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings_of(text, {name.replace("__", "."): content for name, content in files.items()})
    return [str(error) for error in (caught.value, *caught.value.further)]


def test_a_rule_as_it_is_written() -> None:
    text = RULE + 'name = "a-b"\nseverity = "note"\nwhen = "x"\nat = "server.host"\n'
    (rule,) = settings_of(text + 'tests = [{ file = "t/a.yaml", expect = "pass" }]').file.rules
    assert (rule.id, rule.name, rule.severity, rule.at) == ("ORG001", "a-b", SeverityName.NOTE, "server.host")
    assert (rule.tests[0].file, rule.tests[0].expect) == ("t/a.yaml", Expectation.PASS)
    assert settings_of(RULE).file.rules[0].severity is SeverityName.ERROR


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RULE.replace("ORG001", "OM001"), "opsmail.toml:2: `rules.0.id` is not the id of a rule of your own"),
        (RULE + RULE, "opsmail.toml:6: two rules have the id `ORG001`"),
        (
            f'{RULE}name = "a"\n{RULE.replace("ORG001", "ORG002")}name = "a"\n',
            "opsmail.toml:10: two rules have the name `a`",
        ),
        (
            RULE + 'tests = [{ file = "../x.yaml", expect = "pass" }]',
            "opsmail.toml:5: `../x.yaml` leads out of the repository",
        ),
        (RULE + f'when = "{"x" * 1001}"', "opsmail.toml:5: `rules.0.when` has 1001 characters; at most 1000"),
        ('schema.extra = ["/etc/x.json"]', "opsmail.toml:1: `/etc/x.json` leads out of the repository"),
        ('schema.extra = ["x.json"]', "opsmail.toml:1: there is no file `x.json`"),
        ('[policy]\nplugins = ["../x"]', "opsmail.toml:2: `policy.plugins.0` is not the name of an installed package"),
        ('[policy]\nunwaivable = ["ACME001"]', "opsmail.toml:2: no rule has an id like `ACME001`"),
        ('[policy]\nseverity = {ACME001 = "note"}', "opsmail.toml:2: no rule has an id like `ACME001`"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    assert faults(text) == [told]


def test_schemas_are_texts_that_stand_once() -> None:
    assert faults('schema.extra = ["a.json"]', a__json=b"\xff") == ["opsmail.toml:1: `a.json` is not UTF-8"]
    twice = 'schema.extra = ["a.json", "./a.json"]'
    assert "opsmail.toml:1: `a.json` stands twice" in faults(twice, a__json="{}")


def test_packages_may_have_ids_of_their_own() -> None:
    policy = settings_of('[policy]\nplugins = ["acme"]\nignore = ["ACME0", "ORG", "OM5"]').file.policy
    assert policy.plugins == ("acme",)


def test_packages_are_in_the_digest() -> None:
    assert settings_of('[policy]\nplugins = ["acme"]').digest != settings_of("").digest
