"""The configuration of msmtp, as a small parser of ours reads it, and as msmtp itself does where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from opsmail.errors import RefusedError
from opsmail.operator.digest import Connection
from opsmail.output.exports import msmtp
from opsmail.transfer.published import Fleet
from tests.servers.fixtures import skip_or_fail
from tests.servers.processes import UnavailableError
from tests.unit.output.exports.fleets import HOSTILE, MODERN, effective, fleet_of

_STRICT = "NORMAL:-VERS-ALL:+VERS-TLS1.3"


def accounts(text: str) -> dict[str, dict[str, str]]:
    """Return the accounts of a configuration, by the rules of msmtp's manual."""
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in text.splitlines():
        command, _, argument = line.strip().partition(" ")
        if not command or command.startswith("#"):
            continue
        argument = argument.strip()
        if len(argument) > 1 and argument[0] == argument[-1] == '"':
            argument = argument[1:-1]
        if command == "account":
            name, _, same = argument.partition(" : ")
            current = found[name] = dict(found[same]) if same else {}
        else:
            assert command not in current
            current[command] = argument
    return found


def account(connection: Connection | None = None, **sections: object) -> dict[str, str]:
    fleet = Fleet("default", 1, {"rh": effective(connection, **{"role": "standard", **sections})})
    (found,) = accounts(msmtp.render(fleet)).values()
    return found


def test_a_password_from_a_variable() -> None:
    assert account() == {
        "host": "smtp.empresa.com.br",
        "port": "587",
        "tls": "on",
        "tls_starttls": "on",
        "tls_trust_file": "system",
        "tls_priorities": f"{_STRICT}:+VERS-TLS1.2",
        "from": "rh@empresa.com.br",
        "allow_from_override": "off",
        "auth": "on",
        "user": "rh@empresa.com.br",
        "passwordeval": "printenv OPSMAIL_SECRET_RH",
    }


def test_implicit_tls_of_version_1_3_only() -> None:
    found = account(server={"port": 465, "encryption": "implicit-tls", "minimum_tls": "1.3"})
    assert (found["tls"], found["tls_starttls"], found["tls_priorities"]) == ("on", "off", _STRICT)


def test_a_relay_without_login_and_tls() -> None:
    none = {"type": "none", "username": None, "password": None}
    found = account(server={"port": 25, "encryption": "none"}, authentication=none)
    assert found == {
        "host": "smtp.empresa.com.br",
        "port": "25",
        "tls": "off",
        "from": "rh@empresa.com.br",
        "allow_from_override": "off",
        "auth": "off",
    }


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("file:///run/secrets/rh", 'passwordeval "cat /run/secrets/rh"'),
        ('file:///run/it\'s$(id)"x"', 'passwordeval "cat \'/run/it\'"\'"\'s$(id)"x"\'"'),
        ("vault://secret/rh#p", "# vault://secret/rh#p"),
    ],
)
def test_where_the_password_is_kept(reference: str, told: str) -> None:
    fleet = fleet_of({"rh": {"authentication": {"password": reference}}})
    assert told in msmtp.render(fleet).splitlines()


def test_modern_authentication_says_what_to_add() -> None:
    text = msmtp.render(fleet_of({"rh": {"authentication": MODERN}}))
    found = accounts(text)["rh"]
    assert (found["auth"], found["user"]) == ("xoauth2", "rh@empresa.com.br")
    assert "passwordeval" not in found
    assert "a command that prints an access token\n# of tenant empresa.onmicrosoft.com for application 1a2b.\n" in text
    assert "# Kept at: vault://secret/opsmail/rh#password" in text


def test_what_the_catalogue_added() -> None:
    found = account(Connection(address="[::1]:2587", ca="PEM"), server={"host": "SMTP.empresa.com.br."})
    assert (found["host"], found["port"], found["tls_host_override"]) == ("::1", "2587", "smtp.empresa.com.br")
    assert found["tls_trust_file"] == "/etc/opsmail/ca/smtp.empresa.com.br.pem"


def test_who_may_not_send_has_no_account() -> None:
    text = msmtp.render(fleet_of({"a": {"enabled": False, "role": "master"}, "b": {}}))
    assert list(accounts(text)) == ["b"]
    assert "# a is disabled and may not send." in text


def test_the_master_is_the_default() -> None:
    found = accounts(msmtp.render(fleet_of({"a": {"role": "master"}, "b": {}})))
    assert found["default"] == found["a"]


@pytest.mark.parametrize("address", ["*@x.test", "a?@x.test", "a%Ub@x.test"])
def test_what_msmtp_takes_for_a_pattern_is_refused(address: str) -> None:
    with pytest.raises(RefusedError, match="msmtp would take"):
        account(sender={"address": address})


@pytest.mark.parametrize("text", HOSTILE)
def test_values_are_taken_as_they_are(text: str) -> None:
    assert account(authentication={"username": text})["user"] == text


@pytest.mark.servers
def test_msmtp_reads_the_same(tmp_path: Path) -> None:
    program = shutil.which("msmtp")
    if program is None:
        skip_or_fail(UnavailableError("msmtp is not installed"), os.environ)
    fleet = fleet_of({f"op{number}": {"authentication": {"username": text}} for number, text in enumerate(HOSTILE)})
    text = msmtp.render(fleet)
    file = tmp_path / "msmtprc"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    for name, wanted in accounts(text).items():
        done = subprocess.run(
            [program, f"--file={file}", f"--account={name}", "--pretend", "x@y.test"],
            env={"OPSMAIL_SECRET_RH": "x", "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=30,
        )
        said = dict(re.findall(r"^(\w+) += (.*)$", done.stdout.decode(), re.MULTILINE))
        assert {key: said[key] for key in wanted} == wanted | {"auth": "choose", "allow_from_override": "off"}
        assert said["tls_certcheck"] == "on"
