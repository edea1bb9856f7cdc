"""One mistake is one finding, and silencing one rule never hides another."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.checking import told

CATALOGUE = """
[[servers]]
host = "smtp.empresa.com.br"
connections = ["587/starttls", "465/implicit-tls"]
authentication = ["basic", "none"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]

[[servers]]
host = "smtp.office365.com"
connections = ["587/starttls"]
authentication = ["modern", "none"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]
tenants = ["empresa.onmicrosoft.com"]
client_ids = ["11111111-2222-3333-4444-555555555555"]

[policy]
sender_domains = ["empresa.com.br"]
"""
BASIC = """\
authentication:
  type: basic
  username: rh@empresa.com.br
  password: env://OPSMAIL_SECRET_RH
"""
MODERN = """\
authentication:
  type: modern
  username: rh@empresa.com.br
  tenant: empresa.onmicrosoft.com
  client_id: 11111111-2222-3333-4444-555555555555
  credential: {kind: client-secret, secret: "env://OPSMAIL_SECRET_RH"}
"""
NONE = "authentication: {type: none}\n"


def rh(
    connection: str,
    authentication: str = BASIC,
    *,
    host: str = "smtp.empresa.com.br",
    sender: str = "rh@empresa.com.br",
) -> str:
    port, _, encryption = connection.partition("/")
    head = f"version: 1\noperator: rh\nrole: master\nsender: {{address: '{sender}'}}\n"
    return f"{head}server: {{host: '{host}', port: {port}, encryption: {encryption}}}\n{authentication}"


def rules(text: str, settings: str | None = CATALOGUE, waivers: str | None = None, name: str = "rh") -> list[str]:
    found = told({name: text}, settings, waivers=waivers)
    return [f"{item.rule.id} {item.severity.label}{' waived' if item.waived else ''}" for item in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rh("465/starttls"), ["OM201 error"]),
        (rh("25/implicit-tls"), ["OM201 error"]),
        (rh("587/none"), ["OM402 error"]),
        (rh("25/none"), ["OM402 error"]),
        (rh("2599/none"), ["OM402 error"]),
        (rh("587/none", NONE), ["OM201 error"]),
        (rh("25/none", NONE), ["OM209 error"]),
        (rh("578/starttls"), ["OM209 error"]),
        (rh("25/starttls"), ["OM209 error"]),
        (rh("587/none", MODERN, host="smtp.office365.com"), ["OM401 error"]),
        (rh("587/none", NONE, host="smtp.office365.com"), ["OM303 error"]),
        (rh("587/starttls", host="smtp://smtp.empresa.com.br"), ["OM204 error"]),
        (rh("587/starttls", sender="rh"), ["OM503 error"]),
        (rh("587/starttls", BASIC.replace("env:", "envv:")), ["OM602 error"]),
    ],
)
def test_one_mistake_is_one_finding(text: str, expected: list[str]) -> None:
    assert rules(text) == expected


def test_two_mistakes_are_two_findings() -> None:
    assert rules(rh("465/starttls", MODERN, host="smtp.office365.com", sender="rh@outra.com.br")) == [
        "OM501 error",
        "OM504 error",
        "OM201 error",
    ]


def test_without_a_catalogue_the_rest_is_told_once_too() -> None:
    assert rules(rh("587/none", NONE), None) == ["OM201 error"]
    assert rules(rh("25/none", NONE), None) == ["OM203 warning", "OM301 warning"]
    assert rules(rh("25/none"), None) == ["OM203 warning", "OM402 error"]
    assert rules(rh("2599/none"), None) == ["OM202 warning", "OM402 error"]


def test_another_version_is_told_alone() -> None:
    text = rh("587/starttls").replace("version: 1", "version: 2") + "transport: smtp\n"
    assert rules(text.replace("port: 587", 'port: "587"')) == ["OM106 error"]


def test_a_copied_file_is_told_where_the_copy_is() -> None:
    found = told({"financeiro": rh("587/starttls"), "rh": rh("587/starttls").replace("role: master", "role: standard")})
    assert [(item.rule.id, item.file) for item in found] == [
        ("OM105", "operators/financeiro.yaml"),
        ("OM704", "operators/rh.yaml"),
    ]
    found = told({"rh": rh("587/starttls").replace("role: master", "role: standard"), "vendas": rh("587/starttls")})
    assert [(item.rule.id, item.file) for item in found] == [("OM105", "operators/vendas.yaml")]


WAIVER = textwrap.dedent(
    """
    - operator: rh
      rule: {rule}
      reason: chamado 4711
      approved_by: ti@empresa.com.br
      expires: 2026-12-31
    """
)


def test_ignoring_a_rule_brings_out_what_it_spoke_for() -> None:
    assert rules(rh("465/starttls"), CATALOGUE + 'ignore = ["OM201"]') == ["OM209 error"]


def test_lowering_a_rule_does_not_lower_what_it_spoke_for() -> None:
    settings = CATALOGUE + 'severity = {OM201 = "warning"}'
    assert rules(rh("465/starttls"), settings) == ["OM201 warning", "OM209 error"]


def test_a_waiver_never_hides_what_cannot_be_waived() -> None:
    found = rules(rh("465/starttls"), waivers=WAIVER.format(rule="OM201"))
    assert found == ["OM201 error waived", "OM209 error"]


def test_what_the_organisation_made_unwaivable_is_not_hidden_either() -> None:
    text = rh("587/none", NONE)
    waivers = WAIVER.format(rule="OM201")
    assert rules(text, None, waivers) == ["OM201 error waived"]
    assert rules(text, '[policy]\nunwaivable = ["OM301"]', waivers) == ["OM201 error waived", "OM301 warning"]
