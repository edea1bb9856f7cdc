"""Effective settings for people and programs, without any secret."""

from __future__ import annotations

import json
from gettext import NullTranslations
from typing import Any

import pytest

from opsmail.output.results import settings
from opsmail.output.style import Style
from opsmail.settings.origins import EffectiveValue, Origin, OriginKind

ENGLISH = NullTranslations()
FILE = Origin(OriginKind.FILE, "opsmail.toml", 9)
CANARY = "s3nh4!-x"


def shown(value: Any, *, path: str = "store.url") -> Any:
    (item,) = json.loads(settings.as_json([EffectiveValue(path, value, FILE)]))["settings"]
    return item["value"]


def test_a_line_for_each_value_with_the_origins_in_a_column() -> None:
    values = [
        EffectiveValue("policy.ignore", ["OM408", "OM5"], FILE),
        EffectiveValue("runtime.version", None, Origin(OriginKind.DEFAULT)),
        EffectiveValue("store.url", "sqlite:///a.db", Origin(OriginKind.OVERLAY, "opsmail.toml", 12, "production")),
        EffectiveValue("environment", "production", Origin(OriginKind.VARIABLE, "OPSMAIL_ENVIRONMENT")),
        EffectiveValue("policy.sender_domains", ["a.example.com", "b.example.com", "c.example.com"], FILE),
        EffectiveValue("live.subject_prefix", "ação \x1b[31m", Origin(OriginKind.OPTION, "--x")),
    ]
    assert settings.as_text(values, ENGLISH, Style(color=False)).splitlines() == [
        'policy.ignore = ["OM408", "OM5"]         # opsmail.toml:9',
        "runtime.version = (not set)              # default",
        'store.url = "sqlite:///a.db"             # opsmail.toml:12, environment production',
        'environment = "production"               # OPSMAIL_ENVIRONMENT',
        'policy.sender_domains = ["a.example.com", "b.example.com", "c.example.com"]  # opsmail.toml:9',
        'live.subject_prefix = "ação \\u001b[31m"  # --x',
    ]
    assert settings.as_text([], ENGLISH, Style(color=False)) == ""


def test_colours() -> None:
    painted = settings.as_text(
        [EffectiveValue("a", 1, FILE), EffectiveValue("b", True, Origin(OriginKind.DEFAULT))],
        ENGLISH,
        Style(color=True),
    )
    assert painted == "\x1b[1ma\x1b[0m = 1     \x1b[36m# opsmail.toml:9\x1b[0m\n\x1b[1mb\x1b[0m = true  # default\n"


def test_for_programs() -> None:
    values = [
        EffectiveValue("store.max_changes", 500, Origin(OriginKind.DEFAULT)),
        EffectiveValue("store.url", "sqlite:///a.db", Origin(OriginKind.OVERLAY, "opsmail.toml", 12, "production")),
        EffectiveValue("servers", None, Origin(OriginKind.DEFAULT)),
    ]
    nothing = {"kind": "default", "name": "", "line": None, "environment": None}
    assert json.loads(settings.as_json(values)) == {
        "schema": "opsmail/settings/v1",
        "settings": [
            {"path": "store.max_changes", "value": 500, "origin": nothing},
            {
                "path": "store.url",
                "value": "sqlite:///a.db",
                "origin": {"kind": "environment", "name": "opsmail.toml", "line": 12, "environment": "production"},
            },
            {"path": "servers", "value": None, "origin": nothing},
        ],
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (f"postgresql+psycopg://opsmail:{CANARY}@db.example/opsmail", "postgresql+psycopg://opsmail:***@db.example/opsmail"),
        (f"postgresql://opsmail:{CANARY}/@{CANARY}@db/opsmail", "postgresql://opsmail:***@db/opsmail"),
        (f"postgresql://db/opsmail?sslmode=require&password={CANARY}", "postgresql://db/opsmail?sslmode=require&password=***"),
        (f"mssql+pyodbc:///?odbc_connect=PWD%3D{CANARY}", "mssql+pyodbc:///?odbc_connect=***"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "***"),
        ([f"senha: {CANARY}", "OM502"], ["***", "OM502"]),
    ],
)  # fmt: skip
def test_values_that_may_be_secret_are_not_shown(value: Any, told: Any) -> None:
    assert shown(value) == told
    assert CANARY not in settings.as_text([EffectiveValue("x", value, FILE)], ENGLISH, Style(color=False))


@pytest.mark.parametrize(
    "value",
    [
        "env://OPSMAIL_SIGNING_KEY",
        "file:///run/secrets/opsmail-signing-key",
        "env://OPSMAIL_SECRET_{OPERATOR}",
        "vault://kv/opsmail/rh#password",
        "sqlite:////var/lib/opsmail/opsmail.db",
        "postgresql+psycopg://opsmail@db/opsmail",
        "11111111-2222-3333-4444-555555555555",
        "keys/ci.pub.pem",
    ],
)
def test_references_and_all_that_is_harmless_are(value: str) -> None:
    assert shown(value) == value
