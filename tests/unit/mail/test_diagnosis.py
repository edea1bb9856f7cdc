from __future__ import annotations

import string
from typing import Any

import pytest

from opsmail.mail.diagnosis import TEMPLATE_ARGUMENTS, Fault, ReplyTable
from opsmail.mail.endpoint import Encryption
from opsmail.mail.failure import Kind
from opsmail.mail.rules import LIVE_RULES
from opsmail.providers import load_providers
from tests.diagnoses import ENTRIES, examples, failure

FAMILIES = {provider.family for provider in load_providers().all}
TABLE = ReplyTable.load()
PATHS = {
    "", "server.host", "server.port", "server.encryption", "server.minimum_tls", "sender.address",
    "authentication", "authentication.type", "authentication.username", "authentication.password",
    "authentication.tenant", "authentication.client_id", "authentication.cloud",
    "authentication.credential", "authentication.credential.kind",
}  # fmt: skip


@pytest.mark.parametrize("index", range(len(ENTRIES)), ids=lambda index: f"{index}-{ENTRIES[index]['rule']}")
def test_each_entry_decides_its_examples(index: int) -> None:
    for example in examples(ENTRIES[index]):
        error, endpoint = failure(example)
        family = TABLE.family(endpoint.host)
        deciding = next(place for place, entry in enumerate(TABLE.entries) if entry.fits(error, endpoint, family))
        assert deciding == index, example
        diagnosis = TABLE.diagnose(error, endpoint)
        for text in (str(diagnosis.cause), str(diagnosis.remedy)):
            assert text
            assert "{" not in text
        assert diagnosis.rule_id == ENTRIES[index]["rule"]
        assert diagnosis.name == LIVE_RULES[diagnosis.rule_id].name


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry['rule']}")
def test_each_entry_is_well_formed(entry: dict[str, Any]) -> None:
    conditions = {
        "kinds", "stages", "commands", "providers", "encryptions", "codes", "enhanced", "texts", "outcome_unknown",
        "address_given",
        "errors", "hints",
    }  # fmt: skip
    told = {"rule", "cause", "remedy", "path", "fault", "source", "verified_on", "example"}
    assert told <= set(entry) <= told | conditions | {"also", "confidence"}
    assert entry.get("confidence", "community") == "community"
    assert all({"reply", "source"} <= set(other) for other in entry.get("also", ()))
    assert entry["rule"] in LIVE_RULES
    assert entry["path"] in PATHS
    assert Fault(entry["fault"])
    assert entry["source"]
    assert str(entry["verified_on"]) >= "2026-01-01"
    assert set(entry.get("providers", ())) <= FAMILIES
    assert set(entry.get("encryptions", ())) <= {str(encryption) for encryption in Encryption}
    assert all(code in range(200, 600) or code in (4, 5) for code in entry.get("codes", ()))
    assert all(text == text.lower() for text in entry.get("texts", ()))
    for template in (entry["cause"], entry["remedy"]):
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
        assert names <= set(TEMPLATE_ARGUMENTS)
        assert not template.endswith(".")


def test_every_rule_has_an_entry() -> None:
    assert {entry["rule"] for entry in ENTRIES} == set(LIVE_RULES)


def test_every_kind_has_an_entry_of_its_own() -> None:
    named = {kind for entry in ENTRIES for kind in entry.get("kinds", ())}
    assert named == {kind.value for kind in Kind}


def test_the_rules() -> None:
    assert list(LIVE_RULES) == [f"OM{number}" for number in range(901, 941)]
    assert LIVE_RULES["OM915"].name == "smtp-auth-disabled-tenant"


@pytest.mark.parametrize(
    ("said", "stage", "command", "rule", "fault"),
    [
        ("451 4.3.0 Queue file write error", "envelope", "RCPT", "OM939", Fault.TRANSIENT),
        ("558 what", "send", "content", "OM939", Fault.CONFIGURATION),
        ("535 5.7.8 Username and Password not accepted", "authenticate", "AUTH", "OM913", Fault.CONFIGURATION),
        ("550 5.7.1 Relaying denied", "envelope", "RCPT", "OM927", Fault.CONFIGURATION),
        ("454 4.7.0 Temporary authentication failure", "authenticate", "AUTH", "OM939", Fault.TRANSIENT),
        ("421 Too many concurrent SMTP connections", "connect", "banner", "OM930", Fault.TRANSIENT),
        ("554 5.7.1 Spam message rejected", "send", "content", "OM933", Fault.PROVIDER),
        ("553 5.7.1 Sender address rejected: not logged in", "envelope", "RCPT", "OM940", Fault.CONFIGURATION),
        ("550 5.1.1 User unknown", "envelope", "RCPT", "OM928", Fault.CONFIGURATION),
    ],
)
def test_other_replies(said: str, stage: str, command: str, rule: str, fault: Fault) -> None:
    error, endpoint = failure({"stage": stage, "command": command, "reply": said})
    diagnosis = TABLE.diagnose(error, endpoint)
    assert (diagnosis.rule_id, diagnosis.fault) == (rule, fault)
    if "{reply}" in diagnosis.cause.template:
        assert said.split(maxsplit=1)[0] in str(diagnosis.cause)


def test_a_provider_is_known_by_its_hosts() -> None:
    example = {"stage": "authenticate", "command": "AUTH", "reply": "535 5.7.8 no"}
    expected = {
        "smtp.gmail.com": "OM914",
        "smtp-relay.gmail.com": "OM914",
        "imap.gmail.com": "OM914",  # one of the hosts that are for something else
        "notgmail.com": "OM913",
        "smtp.gmail.com.evil.test": "OM913",
    }
    found = {host: TABLE.diagnose(*failure(example | {"host": host})).rule_id for host in expected}
    assert found == expected


def test_faults() -> None:
    assert [fault.conclusive for fault in Fault] == [True, True, False, False]
