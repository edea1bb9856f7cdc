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


MICROSOFT = "smtp.office365.com"
TERRA = CATALOGUE.replace("smtp.empresa.com.br", "smtp.terra.com.br").replace(', "465/implicit-tls"', "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rh("465/implicit-tls", MODERN, host=MICROSOFT), ["OM205 error"]),
        (rh("25/implicit-tls", MODERN, host=MICROSOFT), ["OM201 error"]),
        (rh("587/starttls", MODERN, host="smtp-legacy.office365.com"), ["OM205 error"]),
        (rh("587/starttls", MODERN, host="imap.gmail.com"), ["OM205 error"]),
        (rh("587/starttls", MODERN, host="smtp.ofice365.com"), ["OM209 error"]),
        (rh("587/starttls", MODERN, host="smtp.0ffice365.com"), ["OM208 error"]),
        (rh("587/starttls", host="smtp.empres\u0430.com.br"), ["OM208 error"]),
        (rh("587/starttls", host="smtp.empres\u00e1.com.br"), ["OM208 error"]),
        (rh("587/starttls", host="smtp.xn--0.com"), ["OM204 error"]),
        (rh("587/starttls", host="localhost"), ["OM209 error"]),
        (rh("587/starttls", host="smtp.empresa.con"), ["OM209 error"]),
        (rh("587/starttls", host="10.0.0.1"), ["OM204 error"]),
        (rh("587/ssl"), ["OM302 error"]),
        (rh("587/starttls", MODERN), ["OM404 error"]),
        (rh("587/starttls", MODERN.replace("empresa.onmicrosoft.com", "common"), host=MICROSOFT), ["OM406 error"]),
        (rh("587/starttls", MODERN.replace("soft.com", "soft.us"), host=MICROSOFT), ["OM405 error"]),
        (rh("587/starttls", sender="rh@gmail.com"), ["OM504 error"]),
    ],
)
def test_one_mistake_with_names_providers_and_clouds_is_one_finding(text: str, expected: list[str]) -> None:
    assert rules(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rh("465/implicit-tls", host=MICROSOFT), ["OM205 error"]),
        (rh("2599/starttls", host=MICROSOFT), ["OM205 error"]),
        (rh("25/starttls", host="smtp.gmail.com"), ["OM205 error", "OM408 note"]),
        (rh("587/starttls", host="smtp.ofice365.com"), ["OM206 warning"]),
        (rh("587/starttls", host="smtp.gmail.com.rede"), ["OM206 warning"]),
        (rh("587/starttls", host="correio"), ["OM207 warning"]),
        (rh("587/starttls", host="correio.local"), ["OM207 warning"]),
        (rh("587/starttls", host="smtp.empresa.con"), ["OM210 note"]),
        (rh("587/starttls", host="smtp-mail.outlook.com"), ["OM205 warning", "OM403 error"]),
        (rh("587/starttls", sender="rh@gmail.com"), ["OM505 warning"]),
    ],
)
def test_without_a_catalogue_names_and_providers_are_told_once(text: str, expected: list[str]) -> None:
    assert sorted(rules(text, None)) == expected


def test_what_rests_on_weak_sources_never_hides_that_it_is_not_approved() -> None:
    def connection(settings: str | None) -> list[str]:
        found = rules(rh("465/implicit-tls", host="smtp.terra.com.br"), settings)
        return [rule for rule in found if rule.startswith("OM2")]

    assert connection(TERRA) == ["OM209 error"]
    assert connection(TERRA.replace('"587/starttls"]', '"587/starttls", "465/implicit-tls"]')) == ["OM205 warning"]
    assert connection(None) == ["OM205 warning"]


def test_a_login_is_missing_is_told_once() -> None:
    settings = CATALOGUE.replace('["basic", "none"]', '["basic"]')
    assert rules(rh("587/starttls", NONE), settings) == ["OM410 error"]


def test_the_runtime_speaks_where_nothing_else_is_wrong() -> None:
    runtime = '[runtime]\nplatform = "dotnet"\n'
    assert rules(rh("465/implicit-tls"), CATALOGUE + runtime) == ["OM305 warning"]
    assert rules(rh("465/implicit-tls", MODERN, host=MICROSOFT), CATALOGUE + runtime) == ["OM205 error"]
    assert rules(rh("2599/implicit-tls"), CATALOGUE + runtime) == ["OM209 error"]


def test_the_secret_of_another_operator_is_told_once() -> None:
    other = rh("587/starttls").replace("operator: rh", "operator: rh2").replace("role: master", "role: standard")
    files = {"rh": rh("587/starttls"), "rh2": other.replace("username: rh@", "username: folha@")}
    found = told(files, CATALOGUE)
    assert [(item.rule.id, item.file) for item in found if item.rule.id.startswith("OM6")] == [
        ("OM604", "operators/rh2.yaml")
    ]


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
