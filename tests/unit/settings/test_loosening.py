"""Whatever settings let through and the former ones stopped is told, and nothing else."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping

import pytest

from opsmail.findings import Severity
from opsmail.settings.comparisons import Loosening
from opsmail.settings.loosening import (
    COMPARED,
    COMPARED_WITHIN,
    HARMLESS,
    loosenings,
    loosenings_anywhere,
)
from opsmail.settings.model import Policy, SettingsFile
from tests.builders import settings_of

FILES = {
    "ca/a.pem": "-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n",
    "ca/same.pem": "Our CA\n-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n",
    "ca/b.pem": "-----BEGIN CERTIFICATE-----\nQkJC\n-----END CERTIFICATE-----\n",
    "keys/a.pem": "key a",
    "keys/copy.pem": "key a",
    "keys/b.pem": "key b",
    "schemas/a.json": "{}",
    "schemas/b.json": "true",
}


def severity_of(policy: Policy, rule: str) -> Severity | None:
    """OM502 is a warning, and nothing is known of the profile."""
    if rule in policy.ignore:
        return None
    own = policy.severity.get(rule)
    return Severity.WARNING if own is None else Severity[own.name]


def found(old: str | None, new: str | None, files: Mapping[str, str] = FILES) -> list[tuple[str, str]]:
    """Return path and message of each loosening from one text of `opsmail.toml` to another."""
    before, after = settings_of(old, FILES), settings_of(new, files)
    return [(item.path, str(item.message)) for item in loosenings(before, after, severity_of)]


def server(fields: str = "", connections: str = '["587/starttls"]') -> str:
    return (
        f'[[servers]]\nhost = "smtp.empresa.com.br"\nconnections = {connections}\nauthentication = ["basic"]\n{fields}'
    )


def policy(fields: str) -> str:
    return f"[policy]\n{fields}"


def reader(name: str, password: str) -> str:
    return f'[store]\nurl = "postgresql://a@localhost/b"\nreader = "{name}"\nreader_password = "{password}"\n'


def keys(*entries: str) -> str:
    return "".join(f"[[gate.keys]]\n{entry}\n" for entry in entries)


def key(file: str = "a", kinds: str = '["test-send"]', more: str = "") -> str:
    return f'file = "keys/{file}.pem"\nkinds = {kinds}\n{more}'


def rule(more: str = "", require: str = "true", number: int = 1) -> str:
    return f'[[rules]]\nid = "ORG{number:03}"\nmessage = "m"\nrequire = "{require}"\n{more}\n'


# What is stricter, what is looser, and where that stands in the looser one.
ORDERED = [
    (policy('profile = "strict"'), policy('profile = "recommended"'), "policy.profile"),
    (policy('profile = "recommended"'), policy('profile = "minimal"'), "policy.profile"),
    ("", policy('ignore = ["OM502"]'), "policy.ignore"),
    (policy('ignore = ["OM502"]'), policy('ignore = ["OM5"]'), "policy.ignore"),
    (policy('severity = { OM502 = "error" }'), policy('severity = { OM502 = "note" }'), "policy.severity.OM502"),
    (policy('severity = { OM502 = "error" }'), "", "policy.severity.OM502"),
    ("", policy('severity = { OM502 = "note" }'), "policy.severity.OM502"),
    (policy('unwaivable = ["OM502"]'), "", "policy.unwaivable"),
    (policy('unwaivable = ["OM5"]'), policy('unwaivable = ["OM502"]'), "policy.unwaivable"),
    (policy('ruleset = "10"'), policy('ruleset = "9"'), "policy.ruleset"),
    (policy('sender_domains = ["a.br"]'), "", "policy.sender_domains"),
    (policy('sender_domains = ["a.br"]'), policy('sender_domains = ["a.br", "b.br"]'), "policy.sender_domains"),
    (policy("deprecation_notice_days = 61"), "", "policy.deprecation_notice_days"),
    ('[runtime]\nplatform = "java"', "", "runtime.platform"),
    (
        '[runtime]\nplatform = "dotnet-framework"\nversion = "4.10"',
        '[runtime]\nplatform = "dotnet-framework"\nversion = "4.11"',
        "runtime.version",
    ),
    (
        '[runtime]\nplatform = "dotnet-framework"\nversion = "4.5"',
        '[runtime]\nplatform = "dotnet-framework"',
        "runtime.version",
    ),
    (rule(), "", "rules"),
    (rule(number=1) + rule(number=2), rule(number=2), "rules"),
    (rule(number=2) + rule('severity = "error"'), rule('severity = "note"') + rule(number=2), "rules.0.severity"),
    ('schema.extra = ["schemas/a.json"]', "", "schema.extra"),
    (server(), "", "servers"),
    ("servers = []", server(), "servers.0.host"),
    (server(), server(connections='["587/starttls", "25/none"]'), "servers.0.connections"),
    (server(), server().replace('["basic"]', '["basic", "none"]'), "servers.0.authentication"),
    (server('sender_domains = ["a.br"]'), server(), "servers.0.sender_domains"),
    (server('secrets = ["env://A"]'), server('secrets = ["env://A", "env://B"]'), "servers.0.secrets"),
    (server('secrets = ["env://A_B"]'), server('secrets = ["env://A_*"]'), "servers.0.secrets"),
    (server('secrets = ["vault://a/b*#x"]'), server('secrets = ["vault://a/*#x"]'), "servers.0.secrets"),
    (server(), server('tenants = ["a"]'), "servers.0.tenants"),
    (server('client_ids = ["a"]'), server('client_ids = ["b", "a"]'), "servers.0.client_ids"),
    (server(), server("microsoft_tokens = true"), "servers.0.microsoft_tokens"),
    (server(), server("private = true"), "servers.0.private"),
    (server("review_by = 2027-06-30"), server("review_by = 2027-07-01"), "servers.0.review_by"),
    (server("review_by = 2027-06-30"), server(), "servers.0.review_by"),
    ("", "[gate]\nrequire = []", "gate.require"),
    ("", '[gate]\nmax_age = "8d"', "gate.max_age"),
    ("", keys(key()), "gate.keys.0.file"),
    (keys(key()), keys(key(), key("b")), "gate.keys.1.file"),
    (
        keys(key()),
        keys(key("b"), key(kinds='["test-send", "generation"]')).replace(key("b"), key()),
        "gate.keys.1.file",
    ),
    (keys(key()), keys(key(more='environments = ["default", "x"]')), "gate.keys.0.file"),
    (keys(key(more="revoked = true")), keys(key()), "gate.keys.0.file"),
    (
        keys(key(), key("copy", more="revoked = true")),
        keys(key("copy", more="revoked = true"), key()),
        "gate.keys.1.file",
    ),
    ("", "[store]\nmax_update_percent = 31", "store.max_update_percent"),
    ("", "[store]\nmax_delete_percent = 11", "store.max_delete_percent"),
    ("", "[store]\nmin_fleet_for_percent = 11", "store.min_fleet_for_percent"),
    ("", "[store]\nmax_changes = 501", "store.max_changes"),
    ("", "[store]\nkeep_generations = 99", "store.keep_generations"),
    ("", "[store]\nkeep_days = 364", "store.keep_days"),
]

# Two that are not comparable, so that the change is told whichever is first.
UNORDERED = [
    ('[runtime]\nplatform = "java"', '[runtime]\nplatform = "dotnet"', "runtime.platform"),
    (server('ca = "ca/a.pem"'), server('ca = "ca/b.pem"'), "servers.0.ca"),
    (server('ca = "ca/a.pem"'), server(), "servers.0.ca"),
    (server('address = "10.0.0.1:587"'), server(), "servers.0.address"),
    (server('address = "10.0.0.1:587"'), server('address = "10.0.0.2:587"'), "servers.0.address"),
    (server(), server('authority = "https://localhost:9443"'), "servers.0.authority"),
    (
        server('authority = "https://localhost"\nauthority_ca = "ca/a.pem"'),
        server('authority = "https://localhost"\nauthority_ca = "ca/b.pem"'),
        "servers.0.authority_ca",
    ),
    (server(), server('federated_audience = "empresa"'), "servers.0.federated_audience"),
    (server(), server('federated_token = "file:///run/token"'), "servers.0.federated_token"),
    ("", '[gate]\nsigning_key = "env://OTHER"', "gate.signing_key"),
    ("", '[store]\nurl = "sqlite:///other.db"', "store.url"),
    ("", '[store]\npassword = "env://OTHER"', "store.password"),
    (reader("a", "env://A"), reader("b", "env://A"), "store.reader"),
    (reader("a", "env://A"), reader("a", "env://B"), "store.reader_password"),
    ('[store]\nca = "ca/a.pem"', '[store]\nca = "ca/b.pem"', "store.ca"),
    ('[store]\nca = "ca/a.pem"', "", "store.ca"),
    (keys(key("a")), keys(key("b")), "gate.keys.0.file"),
    (rule(require="true"), rule(require="false"), "rules.0.require"),
    (rule('when = "true"'), rule(), "rules.0.require"),
    (policy('plugins = ["acme"]'), policy('plugins = ["other"]'), "policy.plugins"),
    (policy('plugins = ["acme"]'), policy(""), "policy.plugins"),
]

# Different, and neither lets through what the other one stops.
ALIKE = [
    (server('approved_by = "a"\nticket = "1"'), server('approved_by = "b"\nticket = "2"')),
    (server('ca = "ca/a.pem"'), server('ca = "ca/same.pem"')),
    ('[store]\nca = "ca/a.pem"', '[store]\nca = "ca/same.pem"'),
    (server('secrets = ["env://A", "env://B"]'), server('secrets = ["env://B", "env://A", "env://B"]')),
    (keys(key("a")), keys(key("copy"))),
    ('operators = "a"', 'operators = ["b", "c"]'),
    ('[live]\nrecipient = "a@b.br"\ntimeout_seconds = 10', "[live]\nconcurrency = 1"),
    ("", policy('severity = { OM502 = "warning" }')),
    (policy('ignore = ["OM5"]'), policy('ignore = ["OM5", "OM502"]')),
    (policy('unwaivable = ["OM5"]'), policy('unwaivable = ["OM5", "OM502"]')),
    ('[runtime]\nplatform = "java"\nversion = "8"', '[runtime]\nplatform = "java"\nversion = "8"\n# new'),
    ("", keys(key(more="revoked = true"))),
    (rule('name = "a"\nat = "server"'), rule('tests = [{ file = "x", expect = "pass" }]')),
    ('schema.extra = ["schemas/a.json", "schemas/b.json"]', 'schema.extra = ["schemas/b.json", "schemas/a.json"]'),
]


@pytest.mark.parametrize(("stricter", "looser", "path"), ORDERED)
def test_looser_is_told_at_its_field_and_stricter_never(stricter: str, looser: str, path: str) -> None:
    assert [place for place, _ in found(stricter, looser)] == [path]
    assert found(looser, stricter) == []


@pytest.mark.parametrize(("one", "other", "path"), UNORDERED)
def test_what_has_no_order_is_told_both_ways(one: str, other: str, path: str) -> None:
    assert [place for place, _ in found(one, other)] == [path]
    assert [place for place, _ in found(other, one)] == [path]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_what_makes_no_difference_is_not_told(one: str, other: str) -> None:
    assert found(one, other) == []
    assert found(other, one) == []


@pytest.mark.parametrize("text", sorted({text for case in [*ORDERED, *UNORDERED] for text in case[:2]}))
def test_without_a_change_nothing_is_told(text: str) -> None:
    assert found(text, text) == []


def test_each_loosening_is_told_by_itself() -> None:
    told = found(policy('sender_domains = ["a.br"]'), policy('sender_domains = ["b.br", "c.br"]\nignore = ["OM2"]'))
    assert told == [
        ("policy.ignore", "`policy.ignore` gains `OM2`"),
        ("policy.sender_domains", "`policy.sender_domains` gains `b.br`"),
        ("policy.sender_domains", "`policy.sender_domains` gains `c.br`"),
    ]


def test_words_are_those_of_the_file() -> None:
    assert found(server(), server("private = true")) == [
        ("servers.0.private", "`private` of `smtp.empresa.com.br` is switched on")
    ]
    assert found("", '[gate]\nmax_age = "8d"') == [("gate.max_age", "`gate.max_age` goes from `7d` to `8d`")]
    assert found("", policy('severity = { OM502 = "note" }')) == [
        ("policy.severity.OM502", "OM502 is told as note instead of warning")
    ]
    kinds = '["test-send", "generation"]'
    assert found(keys(key()), keys(key(kinds=kinds))) == [
        ("gate.keys.0.file", "the key `keys/a.pem` counts where it did not: `generation` in `default`")
    ]


def test_a_rule_that_is_not_told_at_all() -> None:
    ignored = 'ignore = ["OM502"]\n'
    # Ignored as it is, its severity makes no difference.
    assert found(policy(ignored), policy(f'{ignored}severity = {{ OM502 = "note" }}')) == []


def test_a_store_and_a_reference_are_not_repeated() -> None:
    url = '[store]\nurl = "postgresql://opsmail:S3nh4@db/opsmail"'
    reference = '[gate]\nsigning_key = "env://S3NH4"\n[store]\npassword = "env://S3NH4"'
    assert "S3nh4".lower() not in str([*found(url, reference), *found(reference, url)]).lower()


@pytest.mark.parametrize(
    ("file", "text", "path"),
    [
        ("ca/a.pem", FILES["ca/b.pem"], "servers.0.ca"),
        ("keys/a.pem", "x", "gate.keys.0.file"),
        ("schemas/a.json", "true", "schema.extra.0"),
    ],
)
def test_other_bytes_under_the_same_name(file: str, text: str, path: str) -> None:
    settings = 'schema.extra = ["schemas/a.json"]\n' + server('ca = "ca/a.pem"\n') + keys(key())
    assert [place for place, _ in found(settings, settings, {**FILES, file: text})] == [path]


def test_settings_that_are_gone_loosen_to_the_defaults() -> None:
    before = policy('profile = "strict"') + "\n" + server()
    assert [place for place, _ in found(before, None)] == ["policy.profile", "servers"]
    assert found(None, before) == []


class TestEnvironments:
    def found(self, old: dict[str, str], new: dict[str, str]) -> list[Loosening]:
        before, after = ({name: settings_of(text, FILES) for name, text in texts.items()} for texts in (old, new))
        return list(loosenings_anywhere(before, after, severity_of))

    def test_what_holds_everywhere_is_told_once(self) -> None:
        strict, loose = server(), server("private = true")
        (told,) = self.found({"default": strict, "x": strict}, {"default": loose, "x": loose})
        assert told.path == "servers.0.private"

    def test_what_one_overlay_loosens_is_told_there(self) -> None:
        (told,) = self.found({"default": "", "x": ""}, {"default": "", "x": "[gate]\nrequire = []"})
        assert told.path == "environments.x.gate.require"
        assert str(told.message) == "in the environment `x`: `gate.require` loses `test-send`"

    def test_a_new_one_is_compared_with_the_default(self) -> None:
        (told,) = self.found({"default": ""}, {"default": "", "x": '[gate]\nmax_age = "8d"'})
        assert told.path == "environments.x.gate.max_age"

    def test_one_that_is_gone_lets_nothing_through(self) -> None:
        assert self.found({"default": "", "x": "[gate]\nrequire = []"}, {"default": ""}) == []


def sections(section: type) -> Iterator[type]:
    """Yield the dataclasses that `section` is made of; those that are written as one text are values."""
    yield section
    for hint in typing.get_type_hints(section).values():
        for part in (hint, *typing.get_args(hint), *(y for x in typing.get_args(hint) for y in typing.get_args(x))):
            if dataclasses.is_dataclass(part) and isinstance(part, type) and "__str__" not in vars(part):
                yield from sections(part)


def test_every_field_of_every_section_is_compared_or_said_to_be_harmless() -> None:
    all_sections = set(sections(SettingsFile))
    assert all_sections == {*COMPARED, *COMPARED_WITHIN, *HARMLESS}
    for section in all_sections:
        lists = [
            [*COMPARED.get(section, ())],
            [*COMPARED_WITHIN.get(section, ())],
            [*HARMLESS.get(section, ())],
        ]
        accounted = [name for names in lists for name in names]
        assert sorted(accounted) == sorted(field.name for field in dataclasses.fields(section)), section


def test_every_comparison_is_shown_to_work() -> None:
    """A line of the table that compares nothing would pass unnoticed."""
    told = {".".join(part for part in path.split(".") if not part.isdecimal()) for *_, path in [*ORDERED, *UNORDERED]}
    named = {Policy: "policy"} | {
        section: name
        for name, hint in typing.get_type_hints(SettingsFile).items()
        for section in COMPARED
        if section in (hint, *(y for x in typing.get_args(hint) for y in typing.get_args(x)))
    }
    for section, comparisons in COMPARED.items():
        if section is not SettingsFile:
            for name in comparisons:
                assert any(path.startswith(f"{named[section]}.{name}") for path in told), (section, name)
