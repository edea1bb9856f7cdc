"""`opsmail ask-it`: a message that IT can answer, from the operator's file and what the check says of it."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest

from opsmail.cli import ask_it
from tests.unit.cli.checkout import HOST, Checkout

MODERN = """\
  type: modern
  username: rh@empresa.test
  tenant: empresa.test
  client_id: x
  credential: {kind: federated}
"""


@pytest.fixture
def fleet(checkout: Checkout) -> Checkout:
    checkout.settings()
    checkout.operator("chefe", role="master")
    checkout.operator("rh")
    return checkout


def message(checkout: Checkout, name: str = "rh") -> str:
    said = checkout.run("ask-it", name)
    assert said.err == ""
    return said.out


def paragraph(text: str, beginning: str) -> str:
    (found,) = [part for part in text.split("\n\n") if part.startswith(beginning)]
    return found


def test_the_four_items_and_why(fleet: Checkout) -> None:
    text = message(fleet)
    assert text.startswith(
        "Subject: E-mail settings of `rh`: please confirm server, port, authentication and encryption\n\nHello,\n\n"
    )
    assert "as rh@empresa.test." in text
    numbered = [line for line in text.splitlines() if line[:2] in ("1.", "2.", "3.", "4.")]
    assert numbered == [
        f"1. Server: {HOST}",
        "2. Port: 587",
        "3. Authentication: user and password (basic), user rh@empresa.test",
        "4. Encryption: STARTTLS, with TLS 1.2 or newer",
    ]
    assert text.count("   Why: ") == 4
    assert "opsmail.toml approves this already, but does not say who agreed." in text
    assert text.endswith(
        "Please send no password: it is stored where only the servers read it, and stands in no file and no mail.\n"
    )


@pytest.mark.parametrize(
    ("login", "told"),
    [
        (
            MODERN,
            "Microsoft OAuth 2.0 (modern), no password is sent, mailbox rh@empresa.test, tenant empresa.test",
        ),
        ("  type: none\n", "no login"),
    ],
)
def test_other_logins(fleet: Checkout, login: str, told: str) -> None:
    fleet.operator("rh", authentication=login)
    assert f"\n3. Authentication: {told}" in message(fleet)


def test_what_the_check_says_stands_with_the_item_it_is_about(fleet: Checkout) -> None:
    fleet.edit("operators/rh.yaml", "port: 587", "port: 465")
    fleet.edit("operators/rh.yaml", "address: rh@", "address: outro@")
    text = message(fleet)
    assert "   The check says: port 465 expects implicit TLS" in paragraph(text, "2. Port: 465\n")
    assert "(OM502)" in paragraph(text, "The check says besides:\n")
    assert "No approval would make this right: please write what it has to be." in text
    assert "[[servers]]" not in text


def test_what_is_not_approved_is_what_would_approve_it(fleet: Checkout) -> None:
    fleet.edit("operators/rh.yaml", f"host: {HOST}", "host: smtp.outra.com.br")
    text = message(fleet)
    assert "the server `smtp.outra.com.br` is not approved (OM209)" in paragraph(text, "1. Server: ")
    (entry,) = tomllib.loads("\n".join(line for line in text.splitlines() if line.startswith("    ")))["servers"]
    assert (entry["host"], entry["connections"]) == ("smtp.outra.com.br", ["587/starttls"])


def test_without_a_catalogue_there_is_one_to_begin_with(fleet: Checkout) -> None:
    (fleet.root / "opsmail.toml").unlink()
    assert f'    host = "{HOST}"\n' in message(fleet)


def test_the_agreement_that_there_is(fleet: Checkout) -> None:
    agreed = 'approved_by = "ti@empresa.test"\nticket = "4711"\nreview_by = 2099-06-30\n'
    fleet.edit("opsmail.toml", 'client_ids = ["x"]\n', f'client_ids = ["x"]\n{agreed}')
    assert paragraph(message(fleet), "opsmail.toml approves").splitlines() == [
        "opsmail.toml approves this already: ti@empresa.test.",
        "The agreement on this server is in ticket 4711.",
        "It has to be looked at again by 2099-06-30.",
    ]


def test_json_says_the_same(fleet: Checkout) -> None:
    document: Any = fleet.run("ask-it", "rh", "--format", "json").json()
    assert document["schema"] == "opsmail/enquiry/v1"
    assert [(item["name"], item["value"]) for item in document["items"]][:2] == [("Server", HOST), ("Port", "587")]
    body = "".join(f"{line}\n" for line in document["body"])
    assert message(fleet) == f"Subject: {document['subject']}\n\n{body}"
    assert (document["operator"], document["request"], document["others"]) == ("rh", None, [])


def test_a_file_that_is_no_operator_has_to_be_corrected_first(fleet: Checkout) -> None:
    fleet.edit("operators/rh.yaml", "port: 587", "port: many")
    said = fleet.run("ask-it", "rh", code=1)
    assert said.out == ""
    assert "error[OM103]" in said.err
    assert "operators/rh.yaml cannot be taken as an operator" in said.err


def test_nobody_of_that_name(fleet: Checkout) -> None:
    assert "did you mean `chefe`?" in fleet.run("ask-it", "chef", code=2).err


def test_what_is_waived_is_not_asked_again(fleet: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_it, "today", lambda: date(2026, 6, 1))
    fleet.edit("operators/rh.yaml", "address: rh@", "address: outro@")
    assert "(OM502)" in message(fleet)
    fleet.write(
        "waivers.yaml",
        "- operator: rh\n  rule: OM502\n  reason: chamado 1\n  approved_by: ti@empresa.test\n  expires: 2026-12-31\n",
    )
    assert "(OM502)" not in message(fleet)
