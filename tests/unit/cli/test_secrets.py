"""`opsmail secrets`: every reference, who needs it, whether it resolves here, and never the value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsmail.secrets.interface import SecretStoreUnreachable
from opsmail.secrets.schemes import Secrets
from tests.unit.cli.checkout import HOST, Checkout

SIGNING_KEY = "env://OPSMAIL_SIGNING_KEY"


@pytest.fixture
def fleet(checkout: Checkout) -> Checkout:
    checkout.settings()
    checkout.operator("chefe", role="master")
    checkout.operator("rh")
    return checkout


def listed(checkout: Checkout, *arguments: str) -> dict[str, Any]:
    document = checkout.run("secrets", *arguments, "--format", "json").json()
    assert document["schema"] == "opsmail/secrets/v1"
    return {secret["reference"]: secret for secret in document["secrets"]}


def test_who_needs_each_and_whether_it_resolves(fleet: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPSMAIL_SECRET_RH")
    found = listed(fleet)
    assert list(found) == ["env://OPSMAIL_SECRET_CHEFE", "env://OPSMAIL_SECRET_RH", SIGNING_KEY]
    assert {reference: secret["state"] for reference, secret in found.items()} == {
        "env://OPSMAIL_SECRET_CHEFE": "resolves",
        "env://OPSMAIL_SECRET_RH": "missing",
        SIGNING_KEY: "resolves",
    }
    rh = found["env://OPSMAIL_SECRET_RH"]
    assert rh["operators"] == [{"operator": "rh", "path": "authentication.password"}]
    assert "`OPSMAIL_SECRET_RH` is not set" in rh["reason"]
    assert found[SIGNING_KEY]["settings"] == ["gate.signing_key"]
    assert found[SIGNING_KEY]["operators"] == []
    assert found["env://OPSMAIL_SECRET_CHEFE"]["reason"] is None


def test_one_operator(fleet: Checkout) -> None:
    assert list(listed(fleet, "rh")) == ["env://OPSMAIL_SECRET_RH"]
    assert "did you mean `chefe`?" in fleet.run("secrets", "chef", code=2).err


def test_text_says_the_same(fleet: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPSMAIL_SECRET_RH")
    out = fleet.run("secrets", "--ci", "github").out
    paragraphs = out.split("\n\n")
    assert [paragraph.partition("\n")[0] for paragraph in paragraphs] == [
        "env://OPSMAIL_SECRET_CHEFE  resolves here",
        "env://OPSMAIL_SECRET_RH  does not resolve here",
        f"{SIGNING_KEY}  resolves here",
    ]
    assert "  needed by: rh (authentication.password)\n" in paragraphs[1]
    assert "  GitHub: a secret of the environment `production`; it asks for the value\n" in paragraphs[1]
    assert "    gh secret set OPSMAIL_SECRET_RH --env production\n" in paragraphs[1]
    assert "  needed by: opsmail.toml (gate.signing_key)\n" in paragraphs[2]


def test_a_step_without_a_command_is_told_too(fleet: Checkout) -> None:
    fleet.edit("operators/rh.yaml", "env://OPSMAIL_SECRET_RH", "file:///run/secrets/rh")
    lines = fleet.run("secrets", "rh", "--ci", "github").out.splitlines()
    told = "  GitHub: the job writes the same file before `opsmail test`, from a secret of its own"
    assert lines[lines.index(told) + 1].startswith("  servers: the same file")


@pytest.mark.parametrize(
    ("files", "arguments", "expected"),
    [
        ((), (), {"github", "gitlab", "azure"}),
        ((".gitlab-ci.yml",), (), {"gitlab"}),
        ((".github/workflows/deploy.yml", "azure-pipelines.yml"), (), {"github", "azure"}),
        ((".gitlab-ci.yml",), ("--ci", "azure"), {"azure"}),
    ],
)
def test_steps_are_told_for_the_ci_that_is_there(
    fleet: Checkout, files: tuple[str, ...], arguments: tuple[str, ...], expected: set[str]
) -> None:
    for file in files:
        fleet.write(file, "")
    places = {step["place"] for step in listed(fleet, "rh", *arguments)["env://OPSMAIL_SECRET_RH"]["steps"]}
    assert places - {"here", "servers"} == expected


def test_a_secret_that_two_operators_share(fleet: Checkout) -> None:
    fleet.edit("opsmail.toml", '"env://OPSMAIL_SECRET_{OPERATOR}"', '"env://OPSMAIL_SECRET_{OPERATOR}", "env://SHARED"')
    for name in ("chefe", "rh"):
        fleet.edit(f"operators/{name}.yaml", f"env://OPSMAIL_SECRET_{name.upper()}", "env://SHARED")
    shared = listed(fleet)["env://SHARED"]
    assert [user["operator"] for user in shared["operators"]] == ["chefe", "rh"]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("env://PATH", "the catalogue does not approve it for the server"),
        ("pass://rh", "nothing here resolves `pass://`"),
    ],
)
def test_what_is_not_approved_or_not_known_is_not_tried(fleet: Checkout, reference: str, reason: str) -> None:
    fleet.edit("operators/rh.yaml", "env://OPSMAIL_SECRET_RH", reference)
    secret = listed(fleet)[reference]
    assert (secret["state"], secret["reason"]) == ("not-tried", reason)


def test_a_manager_that_cannot_be_asked(fleet: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(secrets: Secrets, reference: object) -> None:
        from opsmail.messages import msg

        raise SecretStoreUnreachable(msg("nobody answers"))

    monkeypatch.setattr(Secrets, "resolve", resolve)
    secret = listed(fleet, "rh")["env://OPSMAIL_SECRET_RH"]
    assert (secret["state"], secret["reason"]) == ("unreachable", "nobody answers")


def test_a_password_in_a_file_is_told_and_not_shown(fleet: Checkout) -> None:
    fleet.edit("operators/rh.yaml", "env://OPSMAIL_SECRET_RH", "hunter22hunter22")
    said = fleet.run("secrets")
    assert "rh: authentication.password holds a value where a reference belongs: change that secret now" in said.err
    assert "hunter22" not in said.out + said.err


def test_files_that_are_no_operators_are_told(fleet: Checkout) -> None:
    fleet.write("operators/x.yaml", "version: 1\n")
    assert "1 file cannot be taken as an operator: `opsmail check` tells why" in fleet.run("secrets").err


def test_a_signing_key_that_an_operator_names_is_not_tried_for_it(fleet: Checkout) -> None:
    fleet.edit("operators/rh.yaml", "env://OPSMAIL_SECRET_RH", SIGNING_KEY)
    assert listed(fleet, "rh")[SIGNING_KEY]["state"] == "not-tried"
    everything = listed(fleet)[SIGNING_KEY]
    assert (everything["state"], everything["settings"]) == ("resolves", ["gate.signing_key"])


def test_what_else_the_settings_use(fleet: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMAIL_STORE_PASSWORD", "abc")
    fleet.edit("opsmail.toml", 'client_ids = ["x"]\n', 'client_ids = ["x"]\nfederated_token = "file:///run/token"\n')
    fleet.write("opsmail.toml", fleet.read("opsmail.toml") + '\n[store]\npassword = "env://OPSMAIL_STORE_PASSWORD"\n')
    found = listed(fleet)
    store, token = found["env://OPSMAIL_STORE_PASSWORD"], found["file:///run/token"]
    assert (store["settings"], store["state"]) == (["store.password"], "missing")  # three characters are no password
    assert {"github", "servers"} <= {step["place"] for step in store["steps"]}
    assert (token["settings"], token["state"], token["steps"]) == (["servers.0.federated_token"], "missing", [])


def test_the_probes_mailbox_is_the_tests_alone(fleet: Checkout) -> None:
    probe = f'[live.probe]\nhost = "{HOST}"\nusername = "a@b.example"\nsecret = "env://OPSMAIL_PROBE"\n'
    fleet.edit("opsmail.toml", "[gate]\n", f"{probe}\n[gate]\n")
    secret = listed(fleet, "--ci", "gitlab")["env://OPSMAIL_PROBE"]
    assert (secret["settings"], secret["state"]) == (["live.probe.secret"], "missing")
    assert {step["place"] for step in secret["steps"]} == {"here", "gitlab"}


def test_without_secrets_there_is_nothing_to_show(checkout: Checkout, tmp_path: Path) -> None:
    checkout.settings()
    checkout.operator("rh", role="master", authentication="  type: none\n")
    said = checkout.run("secrets", "rh", "--format", f"json:{tmp_path / 'secrets.json'}", "--format", "text")
    assert said.out == ""
    assert (tmp_path / "secrets.json").read_text() == '{\n "schema": "opsmail/secrets/v1",\n "secrets": []\n}\n'
