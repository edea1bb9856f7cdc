"""Every effective setting has its origin: a default, a line of the file, a line of an environment's overlay."""

from __future__ import annotations

import pytest

from opsmail.settings.load import Settings
from opsmail.settings.origins import EffectiveValue, Origin, OriginKind, effective_values
from tests.builders import settings_of

TEXT = """\
operators = ["operators/"]

[policy]
severity = { OM502 = "error" }
ignore = [
  "OM408",
]

[[servers]]
host = "a.example"
connections = ["587/starttls"]
authentication = ["basic"]

[[servers]]
host = "b.example"
connections = []
authentication = []
review_by = 2027-06-30

[store]
url = "sqlite:///a.db"
max_changes = 7

[environments.production]
store.url = "sqlite:///b.db"
live.recipient = "teste@a.example"
[[environments.production.servers]]
host = "c.example"
connections = ["465/implicit-tls"]
authentication = ["modern"]

[environments.empty]
servers = []
"""


def values(settings: Settings) -> dict[str, EffectiveValue]:
    found = list(effective_values(settings))
    by_path = {item.path: item for item in found}
    assert len(by_path) == len(found)
    return by_path


def file(line: int, environment: str | None = None) -> Origin:
    return Origin(OriginKind.OVERLAY if environment else OriginKind.FILE, "opsmail.toml", line, environment)


DEFAULT = Origin(OriginKind.DEFAULT)


@pytest.mark.parametrize(
    ("environment", "path", "value", "origin"),
    [
        ("default", "operators", ["operators"], file(1)),
        ("default", "policy.profile", "recommended", DEFAULT),
        ("default", "policy.severity.OM502", "error", file(4)),
        ("default", "policy.ignore", ["OM408"], file(5)),
        ("default", "runtime.version", None, DEFAULT),
        ("default", "servers.0.host", "a.example", file(10)),
        ("default", "servers.0.connections", ["587/starttls"], file(11)),
        ("default", "servers.0.review_by", None, DEFAULT),
        ("default", "servers.1.review_by", "2027-06-30", file(18)),
        ("default", "live.recipient", None, DEFAULT),
        ("default", "gate.max_age", "7d", DEFAULT),
        ("default", "gate.keys", [], DEFAULT),
        ("default", "store.url", "sqlite:///a.db", file(21)),
        ("production", "operators", ["operators"], file(1)),
        ("production", "servers.0.host", "c.example", file(28, "production")),
        ("production", "servers.0.review_by", None, DEFAULT),
        ("production", "live.recipient", "teste@a.example", file(26, "production")),
        ("production", "store.url", "sqlite:///b.db", file(25, "production")),
        ("production", "store.max_changes", 7, file(22)),
        ("empty", "servers", [], file(33, "empty")),
        ("empty", "store.url", "sqlite:///a.db", file(21)),
    ],
)
def test_a_value_and_its_origin(environment: str, path: str, value: object, origin: Origin) -> None:
    found = values(settings_of(TEXT, environment=environment))
    assert found[path] == EffectiveValue(path, value, origin)


def test_an_overlays_array_hides_that_of_the_file() -> None:
    assert "servers.1.host" not in values(settings_of(TEXT, environment="production"))
    # An entry of the file that stands in the place of the overlay's is not where its values come from.
    text = TEXT.replace('host = "a.example"', 'host = "a.example"\nprivate = true')
    assert values(settings_of(text, environment="production"))["servers.0.private"].origin == DEFAULT


def test_without_a_file_all_are_defaults() -> None:
    found = values(settings_of(None))
    assert {item.origin for item in found.values()} == {DEFAULT}
    assert found["servers"].value is None
    assert found["policy.severity"].value == {}
    assert list(found)[:3] == ["operators", "policy.profile", "policy.ignore"]
