"""Published settings for other programs: read by those programs, every value comes back as it was."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.errors import RefusedError
from opsmail.output.exports import FORMATS
from opsmail.shape import encode
from opsmail.source.characters import unseen_in_value
from opsmail.transfer.published import Fleet
from tests.unit.output.exports.fleets import HOSTILE, MODERN, fleet_of

VALUES = {f"op{number}": {"name": text, "labels": {"L_x": text}} for number, text in enumerate(HOSTILE)}


def variables(text: str) -> dict[str, str]:
    """Return what a shell makes of a file of variables."""
    script = 'set -a; . /dev/stdin; env -0 | grep -z "^MAIL_"'
    done = subprocess.run(
        ["env", "-i", "bash", "-c", script], input=text.encode(), capture_output=True, check=True, timeout=30
    )
    assert done.stderr == b""
    pairs = (item.partition("=") for item in done.stdout.decode().split("\0") if item)
    return {name: value for name, _, value in pairs}


# --- json


def test_json_has_every_field_and_no_other_key() -> None:
    fleet = fleet_of({"rh": {"authentication": MODERN}, **VALUES})
    document = json.loads(FORMATS["json"](fleet))
    assert list(document) == ["generation", "operators"]
    assert document["generation"] == 7
    assert document["operators"] == {name: encode(item.operator) for name, item in fleet.operators.items()}
    assert document["operators"]["rh"]["authentication"]["credential"]["secret"] == "vault://secret/opsmail/rh#password"


# --- environment variables


def test_variables_are_what_a_shell_reads() -> None:
    found = variables(FORMATS["env"](fleet_of({"rh.x-y": {"role": "master", "enabled": False}, **VALUES})))
    assert found["MAIL_GENERATION"] == "7"
    own = {name.partition("__RH_X_Y__")[2]: value for name, value in found.items() if "__RH_X_Y__" in name}
    assert own == {
        "VERSION": "1",
        "OPERATOR": "rh.x-y",
        "ROLE": "master",
        "ENABLED": "false",
        "SENDER__ADDRESS": "rh@empresa.com.br",
        "SENDER__SEND_AS": "false",
        "SERVER__HOST": "smtp.empresa.com.br",
        "SERVER__PORT": "587",
        "SERVER__ENCRYPTION": "starttls",
        "SERVER__MINIMUM_TLS": "1.2",
        "AUTHENTICATION__TYPE": "basic",
        "AUTHENTICATION__USERNAME": "rh@empresa.com.br",
        "AUTHENTICATION__PASSWORD": "env://OPSMAIL_SECRET_RH",
    }
    for number, text in enumerate(HOSTILE):
        assert found[f"MAIL_OPERATORS__OP{number}__NAME"] == text
        assert found[f"MAIL_OPERATORS__OP{number}__LABELS__L_X"] == text


@given(
    st.lists(
        st.text(min_size=1, max_size=30).filter(lambda text: unseen_in_value(text) is None), min_size=1, max_size=20
    )
)
def test_any_value_comes_back_from_a_shell(texts: list[str]) -> None:
    fleet = fleet_of({f"op{number}": {"name": text} for number, text in enumerate(texts)})
    found = variables(FORMATS["env"](fleet))
    assert [found[f"MAIL_OPERATORS__OP{number}__NAME"] for number in range(len(texts))] == texts


def test_two_fields_of_one_name_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"`version` of rh-x and `version` of rh\.x have the same name as variables"):
        FORMATS["env"](fleet_of({"rh-x": {}, "rh.x": {}}))
    with pytest.raises(RefusedError, match=r"`labels\.a` of rh and `labels\.A` of rh .* MAIL_OPERATORS__RH__LABELS__A"):
        FORMATS["env"](fleet_of({"rh": {"labels": {"a": "1", "A": "2"}}}))


@pytest.mark.parametrize("format", ["env", "msmtp"])
@pytest.mark.parametrize("text", ["a\nMAIL_X=1", "a\rb", "a\u2028b", "a\0b"])
def test_more_than_a_line_is_refused(format: str, text: str) -> None:
    fleet = fleet_of({"rh": {"authentication": {"username": text}}})
    with pytest.raises(
        RefusedError, match=r"rh: authentication\.username cannot be exported: it holds the character U\+"
    ):
        FORMATS[format](fleet)


# --- appsettings.json


def test_appsettings_is_the_hierarchy_that_dotnet_reads() -> None:
    sender = {"display_name": 'it\'s "RH"', "reply_to": "x@y.test"}
    fleet = fleet_of({"rh": {"sender": sender, "labels": {"Team_a": "x"}, "limits": {"messages_per_minute": 3}}})
    document = json.loads(FORMATS["appsettings"](fleet))
    assert document == {
        "MailGeneration": 7,
        "MailOperators": {
            "rh": {
                "Version": 1,
                "Operator": "rh",
                "Role": "standard",
                "Enabled": True,
                "Sender": {
                    "Address": "rh@empresa.com.br",
                    "DisplayName": 'it\'s "RH"',
                    "ReplyTo": "x@y.test",
                    "SendAs": False,
                },
                "Server": {
                    "Host": "smtp.empresa.com.br",
                    "Port": 587,
                    "Encryption": "starttls",
                    "MinimumTls": "1.2",
                },
                "Authentication": {
                    "Type": "basic",
                    "Username": "rh@empresa.com.br",
                    "Password": "env://OPSMAIL_SECRET_RH",
                },
                "Limits": {"MessagesPerMinute": 3},
                "Labels": {"Team_a": "x"},
            }
        },
    }


def test_keys_that_dotnet_takes_for_one_are_refused() -> None:
    fleet = fleet_of({"rh": {"labels": {"team": "a", "Team": "b"}}})
    with pytest.raises(RefusedError, match="rh: the labels `team` and `Team` are one key"):
        FORMATS["appsettings"](fleet)


# --- all


@pytest.mark.parametrize("format", FORMATS)
def test_without_operators(format: str) -> None:
    assert FORMATS[format](Fleet("default", 3, {})).count("\n") >= 1
