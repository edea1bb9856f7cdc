"""What was published, for people and programs."""

from __future__ import annotations

import json
from dataclasses import replace
from gettext import NullTranslations

from opsmail.messages import msg
from opsmail.operator.digest import Connection, EffectiveOperator
from opsmail.output.results import history
from opsmail.output.results.history import Entry
from opsmail.output.style import Style
from opsmail.store.generation import Generation
from tests.unit.fleets import operator

ENGLISH = NullTranslations()
PLAIN = Style(color=False)
GENERATION = Generation(
    store="5a" * 16,
    epoch=1,
    environment="production",
    number=12,
    parent="a" * 64,
    buckets={},
    operators=240,
    repository="github.com/empresa/mail",
    commit="c0" * 20,
    settings_digest="sha256:" + "5e" * 32,
    ruleset="1",
    actor="ana",
    time="2026-03-10T12:00:00Z",
    plan="sha256:" + "91" * 32,
    required=("test-send",),
    last_event="e" * 64,
)


def lines(*entries: Entry) -> list[str]:
    return history.as_text(entries, ENGLISH, PLAIN).splitlines()


def entry(**changes: object) -> Entry:
    generation = replace(GENERATION, **changes)  # type: ignore[arg-type]  # the fields of a generation
    return Entry(generation.number, "d1" * 32, generation)


def test_a_generation_is_a_line() -> None:
    assert lines(entry(), entry(number=3)) == [
        "   12  2026-03-10T12:00:00Z  ana  c0c0c0c0c0c0  240 operators",
        "    3  2026-03-10T12:00:00Z  ana  c0c0c0c0c0c0  240 operators",
    ]


def test_what_is_special_is_told() -> None:
    assert lines(entry(reason="chamado 4711", required=()))[1:] == [
        "       chamado 4711",
        "       published without any evidence required",
    ]


def test_what_does_not_hold_is_told_and_hides_nothing_else() -> None:
    revoked = Entry(2, "d2" * 32, None, msg("it is signed by the key old, which was revoked"))
    assert lines(entry(), revoked)[1] == "    2  not to be trusted: it is signed by the key old, which was revoked"


def test_nothing_yet() -> None:
    assert lines() == ["nothing is published yet"]


def test_nothing_that_somebody_wrote_acts_on_the_terminal() -> None:
    written = "\n".join(lines(entry(actor="a\x1b[2Jb", reason="x\u202ey")))
    assert "\x1b" not in written
    assert "\u202e" not in written


def test_colours() -> None:
    painted = history.as_text([entry()], ENGLISH, Style(color=True))
    assert painted.startswith("\x1b[1;33m   12\x1b[0m  2026")


def test_json() -> None:
    revoked = Entry(2, "d2" * 32, None, msg("the key was revoked\x1b"))
    document = json.loads(history.as_json([entry(), revoked]))
    assert document["schema"] == "opsmail/history/v1"
    first, second = document["generations"]
    assert (first["number"], first["digest"], first["problem"]) == (12, "d1" * 32, None)
    assert (first["actor"], first["commit"], first["required"]) == ("ana", "c0" * 20, ["test-send"])
    assert second == {"number": 2, "digest": "d2" * 32, "problem": "the key was revoked\\x1b"}


def test_an_operator_is_shown_field_by_field() -> None:
    subject = operator("rh", name="Recursos \u202eHumanos", labels={"team": "rh"}, limits={"messages_per_minute": 30})
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    document = EffectiveOperator(subject, Connection(address="127.0.0.1:25", ca=pem)).document()
    assert history.operator_text(document, ENGLISH, PLAIN).splitlines() == [
        "version: 1",
        "operator: rh",
        "name: Recursos \\u202eHumanos",
        "role: standard",
        "enabled: true",
        "sender:",
        "  address: rh@empresa.test",
        "  send_as: false",
        "server:",
        "  host: mail.empresa.test",
        "  port: 587",
        "  encryption: starttls",
        "  minimum_tls: 1.2",
        "authentication:",
        "  type: basic",
        "  username: rh@empresa.test",
        "  password: env://OPSMAIL_SECRET_RH",
        "limits:",
        "  messages_per_minute: 30",
        "labels:",
        "  team: rh",
        "connection:",
        "  address: 127.0.0.1:25",
        "  ca: (3 lines)",
        "  private: false",
    ]


def test_sections_without_anything_in_them() -> None:
    shown = history.operator_text({"operator": {"labels": {}}, "connection": {}}, ENGLISH, PLAIN)
    assert shown == "labels: –\nconnection: –\n"
