"""`opsmail new`: what it writes passes `check`; what would not is not written."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsmail.cli import new
from opsmail.cli.face import run
from opsmail.providers import Provider, load_providers
from opsmail.scaffold.questions import CREDENTIALS
from tests.unit.cli.checkout import HOST, Checkout

DAY = date(2026, 11, 24)
CATALOGUE = """
[[servers]]
host = "smtp.office365.com"
connections = ["587/starttls"]
authentication = ["modern"]
secrets = ["vault://secret/opsmail/*#password"]
tenants = ["empresa.onmicrosoft.com"]
client_ids = ["11111111-2222-3333-4444-555555555555"]

[[servers]]
host = "smtp.gmail.com"
connections = ["587/starttls"]
authentication = ["basic"]
secrets = ["env://MAIL_{OPERATOR}"]

[[servers]]
host = "relay.empresa.com.br"
connections = ["25/none", "2599/starttls"]
authentication = ["none"]
"""
#: Logins, as options.
LOGINS = (
    *("basic", "none"),
    *(f"modern --credential {credential} --tenant empresa.example --client-id 1a2b" for credential in CREDENTIALS),
)


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new, "today", lambda: DAY)


@pytest.fixture
def empty(checkout: Checkout) -> Checkout:
    """A repository without settings and operators."""
    return checkout


def written(checkout: Checkout, name: str = "rh") -> Any:
    return yaml.safe_load(checkout.read(f"operators/{name}.yaml"))


def make(checkout: Checkout, line: str, code: int = 0) -> str:
    """Run `opsmail new rh` with options, and return what it said on standard error."""
    said = checkout.run("new", "rh", *line.split(), code=code)
    assert said.out == ""
    assert (checkout.root / "operators/rh.yaml").exists() == (code == 0)
    return said.err


def check(checkout: Checkout) -> None:
    checkout.run("check", "--at", DAY.isoformat(), "--fail-on", "error")


# --- every provider, every login


def options(provider: Provider, login: str = "") -> str:
    """Options that a person would give for a provider: an address that it serves, and a host where it has patterns."""
    domain = provider.mail_domains[0] if provider.accounts == "personal" else "empresa.com.br"
    line = f"--provider {provider.id} --address rh@{domain}"
    if provider.username == "any" and login != "none":
        line += " --username AKIA0123"
    if all("*" in host for host in provider.hosts):
        line += f" --host {provider.hosts[0].replace('*', 'sa-east-1')}"
    return line


def refusal(provider: Provider, login: str) -> str | None:
    """The rule that refuses such an operator, whatever else is right."""
    kind = login.partition(" ")[0]
    if kind == "modern" and provider.family != "microsoft":
        return "OM404"
    if kind == "basic" and provider.basic_ends is not None and provider.basic_ends <= DAY:
        return "OM403"
    return None


@pytest.mark.parametrize("provider", load_providers().all, ids=lambda provider: provider.id)
def test_every_provider_and_login_passes_the_check_or_is_refused_with_the_reason(
    empty: Checkout, provider: Provider
) -> None:
    for login in LOGINS:
        reason = refusal(provider, login)
        said = make(empty, f"{options(provider, login)} --authentication {login}", code=0 if reason is None else 1)
        if reason is not None:
            assert f"error[{reason}]" in said
            assert "operators/rh.yaml is not written, because `opsmail check` would refuse it" in said
            continue
        check(empty)
        data = written(empty)
        assert f"{data['server']['port']}/{data['server']['encryption']}" in provider.connections
        assert data["authentication"]["type"] == login.partition(" ")[0]
        if "tenant" in data["authentication"]:
            assert data["authentication"].get("cloud", "global") == provider.cloud
        (empty.root / "operators/rh.yaml").unlink()


@pytest.mark.parametrize("provider", load_providers().all, ids=lambda provider: provider.id)
def test_without_a_login_it_is_the_one_that_the_provider_wants(empty: Checkout, provider: Provider) -> None:
    microsoft = provider.family == "microsoft"
    more = " --client-id x" if microsoft else ""
    if provider.accounts == "organisation":
        more += " --tenant empresa.example" if microsoft else ""
    make(empty, options(provider) + more)
    check(empty)
    assert written(empty)["authentication"]["type"] == ("modern" if microsoft else "basic")


# --- what a file says


def test_the_file_explains_itself(empty: Checkout) -> None:
    said = make(empty, "--provider gmail --address rh@empresa.com.br")
    lines = empty.read("operators/rh.yaml").splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../schemas/operator.schema.json"
    assert lines[1].startswith("# Change what does not fit, then open a pull request. `opsmail check` ")
    assert all(" # " in line for line in lines if line.startswith(("role:", "server:", "  encryption:", "  type:")))
    assert any("the app password is kept, never the password itself: https://support.google" in line for line in lines)
    assert written(empty) == {
        "version": 1,
        "operator": "rh",
        "role": "master",
        "sender": {"address": "rh@empresa.com.br"},
        "server": {"host": "smtp.gmail.com", "port": 465, "encryption": "implicit-tls"},
        "authentication": {
            "type": "basic",
            "username": "rh@empresa.com.br",
            "password": "env://OPSMAIL_SECRET_RH",
        },
    }
    assert "wrote operators/rh.yaml" in said
    assert "there is no opsmail.toml" in said
    assert "`opsmail schema operator --write schemas`" in said


def test_everything_that_can_be_said(empty: Checkout) -> None:
    empty.write("schemas/operator.schema.json", "{}")
    empty.write("opsmail.toml", 'operators = ["operators"]\n')
    said = make(
        empty,
        "--host outlook-dod.office365.us --port 587 --encryption starttls --address a@b.example --username c@b.example "
        "--send-as --reply-to d@b.example --display-name RH --name Recursos --role standard --authentication modern "
        "--credential certificate --tenant b.example --client-id x --secret file:///run/pfx --passphrase env://PHRASE",
    )
    assert written(empty) == {
        "version": 1,
        "operator": "rh",
        "name": "Recursos",
        "role": "standard",
        "sender": {"address": "a@b.example", "display_name": "RH", "reply_to": "d@b.example", "send_as": True},
        "server": {"host": "outlook-dod.office365.us", "port": 587, "encryption": "starttls"},
        "authentication": {
            "type": "modern",
            "username": "c@b.example",
            "tenant": "b.example",
            "client_id": "x",
            "cloud": "us-dod",
            "credential": {"kind": "certificate", "pfx": "file:///run/pfx", "passphrase": "env://PHRASE"},
        },
    }
    assert "there is no opsmail.toml" not in said
    assert "opsmail schema" not in said


def test_a_server_of_ones_own(empty: Checkout) -> None:
    make(empty, "--host smtp.empresa.com.br --address rh@empresa.com.br")
    check(empty)
    assert written(empty)["server"] == {"host": "smtp.empresa.com.br", "port": 587, "encryption": "starttls"}
    assert "server: # to be agreed with IT" in empty.read("operators/rh.yaml")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("--port 465", (465, "implicit-tls")),
        ("--encryption implicit-tls", (465, "implicit-tls")),
        ("--port 2525", (2525, "starttls")),  # what the port is known for
        ("--port 2599 --encryption starttls", (2599, "starttls")),
    ],
)
def test_port_and_encryption_follow_from_each_other(empty: Checkout, given: str, expected: tuple[int, str]) -> None:
    make(empty, f"--host smtp.empresa.com.br --address rh@empresa.com.br {given}")
    server = written(empty)["server"]
    assert (server["port"], server["encryption"]) == expected


def test_the_first_one_is_the_master_and_the_others_are_not(empty: Checkout) -> None:
    for name in ("a", "b"):
        empty.run("new", name, "--provider", "gmail", "--address", f"{name}@empresa.com.br")
    assert [written(empty, name)["role"] for name in ("a", "b")] == ["master", "standard"]
    said = empty.run(
        "new", "c", "--provider", "gmail", "--address", "c@empresa.com.br", "--role", "master", code=1
    ).err  # fmt: skip
    assert "error[OM702]" in said
    check(empty)


def test_a_folder_below_the_operators_folder(empty: Checkout) -> None:
    empty.run("new", "rh", "--provider", "gmail", "--address", "rh@e.com.br", "--folder", "operators/sp/rh")
    text = empty.read("operators/sp/rh/rh.yaml")
    assert text.startswith("# yaml-language-server: $schema=../../../schemas/operator.schema.json\n")
    check(empty)


# --- the catalogue


@pytest.fixture
def approved(empty: Checkout) -> Checkout:
    empty.write("opsmail.toml", CATALOGUE)
    return empty


def test_what_it_approved_is_the_default(approved: Checkout) -> None:
    make(approved, "--provider gmail --address rh@empresa.com.br")
    data = written(approved)
    assert data["server"] == {"host": "smtp.gmail.com", "port": 587, "encryption": "starttls"}
    assert data["authentication"]["password"] == "env://MAIL_RH"


def test_tenant_application_and_the_star_of_a_pattern(approved: Checkout) -> None:
    make(approved, "--provider microsoft-365 --address rh@empresa.com.br")
    assert written(approved)["authentication"] == {
        "type": "modern",
        "username": "rh@empresa.com.br",
        "tenant": "empresa.onmicrosoft.com",
        "client_id": "11111111-2222-3333-4444-555555555555",
        "credential": {"kind": "client-secret", "secret": "vault://secret/opsmail/rh#password"},
    }


@pytest.mark.parametrize("credential", ["federated", "managed-identity"])
def test_a_credential_without_a_secret_comes_first(approved: Checkout, credential: str) -> None:
    approved.edit("opsmail.toml", '["vault://', f'["{credential}", "vault://')
    make(approved, "--provider microsoft-365 --address rh@empresa.com.br")
    assert written(approved)["authentication"]["credential"] == {"kind": credential}


def test_a_refresh_token_goes_where_it_can_be_written(approved: Checkout) -> None:
    approved.edit("opsmail.toml", '["vault://', '["env://X", "file:///var/lib/opsmail/{operator}", "vault://')
    make(approved, "--provider microsoft-365 --address rh@empresa.com.br --credential delegated")
    assert written(approved)["authentication"]["credential"]["token_cache"] == "file:///var/lib/opsmail/rh"


def test_a_secret_of_the_settings_own_is_nobodys_default(approved: Checkout) -> None:
    approved.edit("opsmail.toml", '["env://MAIL_{OPERATOR}"]', '["env://OPSMAIL_SIGNING_KEY", "env://MAIL_{OPERATOR}"]')
    make(approved, "--provider gmail --address rh@empresa.com.br")
    assert written(approved)["authentication"]["password"] == "env://MAIL_RH"


def test_an_encrypted_connection_comes_before_one_in_clear(approved: Checkout) -> None:
    make(approved, "--host relay.empresa.com.br --address rh@empresa.com.br")
    data = written(approved)
    assert data["server"] == {"host": "relay.empresa.com.br", "port": 2599, "encryption": "starttls"}
    assert data["authentication"] == {"type": "none"}


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("--provider yahoo --address rh@yahoo.com.br", "OM209"),
        ("--provider gmail --address rh@empresa.com.br --port 465", "OM209"),
        ("--provider gmail --address rh@empresa.com.br --secret env://OTHER", "OM604"),
        ("--provider gmail --address rh@empresa.com.br --authentication none", "OM410"),
        ("--provider microsoft-365 --address rh@empresa.com.br --tenant x.onmicrosoft.com", "OM209"),
    ],
)
def test_what_is_not_approved_is_not_written_and_it_is_told_what_to_ask_for(
    approved: Checkout, line: str, rule: str
) -> None:
    said = make(approved, line, code=1)
    assert f"error[{rule}]" in said
    _, _, rest = said.partition("ask IT to approve this in opsmail.toml:\n")
    asked, found, _ = rest.partition("operators/rh.yaml is not written")
    assert found
    (entry,) = tomllib.loads(asked)["servers"]
    # With what is asked for instead of what there was, it is written.
    kept = [part for part in CATALOGUE.split("[[servers]]")[1:] if f'"{entry["host"]}"' not in part]
    approved.write("opsmail.toml", "".join(f"[[servers]]{part}" for part in kept) + asked)
    make(approved, line)
    check(approved)


# --- what is refused before anything is looked at

WRONG = {
    "": "not given: --host, --address\n",
    "--provider gmail": "not given: --address\n",
    "--provider amazon-ses --address a@b.example": "not given: --host, --username",
    "--provider microsoft-365 --address a@b.example": "not given: --tenant, --client-id",
    "--host smtp.b.example --address a@b.example --port 2599": "not given: --encryption",
    "--provider gmial --address a@b.example": "--provider: `gmial` is none of them; did you mean `gmail`?",
    "--provider zzz --address a@b.example": "--provider: it is one of `microsoft-365`",
    "--provider gmail --host smtp.b.example --address a@b.example": "`smtp.b.example` is not a server of Gmail",
    "--provider gmail --address nobody": "--address: ",
    "--provider gmail --address a@b.example --reply-to nobody": "--reply-to: ",
    "--provider gmail --address a@b.example --port 0587": "--port: a port is a number from 1 to 65535",
    "--provider gmail --address a@b.example --port 65536": "--port: a port is a number from 1 to 65535",
    "--provider gmail --address a@b.example --tenant x": "--tenant says nothing for authentication `basic`",
    "--provider gmail --address a@b.example --secret hunter22": "--secret: this is no reference to a secret",
    "--provider gmail --address a@b.example --folder elsewhere": "operators are not looked for in elsewhere",
    "--provider gmail --address a@b.example --folder operators/No": "operators are not looked for in operators/No",
    "--provider gmail --address a@b.example --display-name " + "x" * 65: "--display-name: ",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_or_missing_answer_is_told_by_its_option(empty: Checkout, line: str) -> None:
    said = make(empty, line, code=2)
    assert said.startswith("error: ")
    assert WRONG[line] in said
    assert "hint: " in said
    assert "hunter22" not in said


def test_all_that_is_wrong_is_told_at_once(empty: Checkout) -> None:
    said = make(empty, f"--provider gmail --address a@b.example --name {'x' * 201} --display-name {'x' * 65}", code=2)
    assert said.count("error: ") == 2
    assert "error: --name: " in said
    assert "error: --display-name: " in said


@pytest.mark.parametrize("name", ["../rh", "a/b", "", "RH", "a" * 64, "rh\n", "ção"])
def test_a_name_that_is_none(empty: Checkout, name: str) -> None:
    said = empty.run("new", "--provider", "gmail", "--address", "a@b.example", "--", name, code=2)
    assert "is not an operator id: 1 to 63 of a-z" in said.err
    assert not (empty.root / "operators").exists()


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_exists_is_not_touched(empty: Checkout, what: str) -> None:
    empty.write("operators/x", "mine")
    place = empty.root / "operators/rh.yaml"
    if what == "file":
        place.write_text("mine")
    else:
        place.symlink_to("nowhere")
    said = empty.run("new", "rh", "--provider", "gmail", "--address", "a@b.example", code=3).err
    assert "operators/rh.yaml exists and is not overwritten" in said
    assert what == "link" or place.read_text() == "mine"


def test_a_name_that_another_folder_has(empty: Checkout) -> None:
    make(empty, "--provider gmail --address rh@empresa.com.br")
    said = empty.run(
        "new", "rh", "--provider", "gmail", "--address", "a@b.example", "--folder", "operators/other", code=1
    ).err  # fmt: skip
    assert "error[OM704]" in said
    assert not (empty.root / "operators/other").exists()


# --- whatever is typed

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(lambda text: text[0] != "-")


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(display_name=_TEXTS, name=_TEXTS, username=_TEXTS)
def test_whatever_is_typed_reads_back_or_is_refused(
    empty: Checkout, display_name: str, name: str, username: str
) -> None:
    typed = ("--display-name", display_name, "--name", name, "--username", username, "--send-as")
    code = run(["new", "rh", "--host", HOST, "--address", "rh@empresa.test", *typed])
    place: Path = empty.root / "operators/rh.yaml"
    assert code in (0, 1, 2)
    assert place.exists() == (code == 0)
    if code == 0:
        data = written(empty)
        place.unlink()
        assert data["sender"] == {"address": "rh@empresa.test", "display_name": display_name, "send_as": True}
        assert (data["name"], data["authentication"]["username"]) == (name, username)
        assert set(data) == {"version", "operator", "name", "role", "sender", "server", "authentication"}
