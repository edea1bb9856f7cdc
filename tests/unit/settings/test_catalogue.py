"""The catalogue: what may be sent where."""

from __future__ import annotations

from typing import Any

import pytest

from opsmail.operator.model import Operator
from opsmail.settings.catalogue import Catalogue, environment_name, pattern_fault
from opsmail.shape import Decoder
from tests.builders import operator_data, settings_of
from tests.unit.operator.test_schema import MODERN

SETTINGS = """
    [gate]
    signing_key = "env://SIGNING"

    [[servers]]
    host = "smtp.empresa.com.br"
    connections = ["587/starttls", "465/implicit-tls"]
    authentication = ["basic", "modern"]
    secrets = ["env://OPSMAIL_SECRET_{OPERATOR}", "vault://mail/{operator}/*#password", "federated", "env://SIGNING"]
    tenants = ["empresa.onmicrosoft.com"]
    client_ids = ["11111111-2222-3333-4444-555555555555"]
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return settings_of(SETTINGS).catalogue


def operator(**sections: Any) -> Operator:
    value, problems = Decoder(Operator).decode(operator_data(**sections))
    assert value is not None, problems
    return value


def modern(**fields: Any) -> Operator:
    credential = fields.pop("credential", {"kind": "federated"})
    data = {**operator_data(), "authentication": {**MODERN, "credential": credential, **fields}}
    value, problems = Decoder(Operator).decode(data)
    assert value is not None, problems
    return value


def denied(catalogue: Catalogue, subject: Operator) -> list[tuple[str, str]]:
    return [(denial.rule, denial.path) for denial in catalogue.denials(subject)]


class TestServers:
    def test_what_is_approved(self, catalogue: Catalogue) -> None:
        assert denied(catalogue, operator()) == []
        assert denied(catalogue, modern()) == []

    @pytest.mark.parametrize("host", ["SMTP.empresa.com.br", "smtp.empresa.com.br."])
    def test_in_any_spelling(self, catalogue: Catalogue, host: str) -> None:
        assert denied(catalogue, operator(server={"host": host})) == []

    @pytest.mark.parametrize("host", ["evil.com", "a.smtp.empresa.com.br", "empresa.com.br", "smtp.empresa.com.br.."])
    def test_another_host(self, catalogue: Catalogue, host: str) -> None:
        """Only that: what else would be wrong there is of no interest."""
        subject = operator(server={"host": host, "port": 1}, authentication={"password": "env://OTHER"})
        assert denied(catalogue, subject) == [("OM209", "server.host")]

    @pytest.mark.parametrize(
        ("server", "path"),
        [
            ({"port": 25}, "server.port"),
            ({"port": 465}, "server.encryption"),
            ({"encryption": "none"}, "server.encryption"),
        ],
    )
    def test_another_connection(self, catalogue: Catalogue, server: dict[str, Any], path: str) -> None:
        (denial,) = catalogue.denials(operator(server=server))
        assert (denial.rule, denial.path) == ("OM209", path)
        assert str(denial.help) == "approved: `587/starttls`, `465/implicit-tls`"

    def test_another_login(self, catalogue: Catalogue) -> None:
        subject = operator(authentication={"type": "none", "username": None, "password": None})
        assert denied(catalogue, subject) == [("OM209", "authentication.type")]

    @pytest.mark.parametrize("field", ["tenant", "client_id"])
    def test_another_tenant_or_application(self, catalogue: Catalogue, field: str) -> None:
        assert denied(catalogue, modern(**{field: "other"})) == [("OM209", f"authentication.{field}")]

    def test_none_at_all(self) -> None:
        catalogue = settings_of("servers = []").catalogue
        (denial,) = catalogue.denials(operator())
        assert "no server is approved" in str(denial.help)

    def test_no_catalogue_denies_nothing(self) -> None:
        assert denied(settings_of("").catalogue, operator()) == []

    def test_many_are_not_all_named(self) -> None:
        entries = "".join(
            f'[[servers]]\nhost = "smtp{number}.com.br"\nconnections = []\nauthentication = []\n'
            for number in range(20)
        )
        (denial,) = settings_of(entries).catalogue.denials(operator())
        assert str(denial.help).count(".com.br") == 8
        assert ", …" in str(denial.help)

    def test_a_list_that_is_empty(self) -> None:
        text = '[[servers]]\nhost = "smtp.empresa.com.br"\nconnections = []\nauthentication = ["basic"]\n'
        denials = list(settings_of(text).catalogue.denials(operator()))
        assert [denial.rule for denial in denials] == ["OM209", "OM604"]
        assert str(denials[0].help) == "approved: –"


class TestCredentials:
    @pytest.mark.parametrize(
        ("reference", "allowed"),
        [
            ("env://OPSMAIL_SECRET_RH", True),
            ("env://OPSMAIL_SECRET_TI", False),
            ("env://OPSMAIL_SECRET_RH2", False),
            ("env://XOPSMAIL_SECRET_RH", False),
            ("vault://mail/rh/smtp#password", True),
            ("vault://mail/rh/#password", True),
            ("vault://mail/rh/a/b#password", False),
            ("vault://mail/rh/a#b#password", False),
            ("vault://mail/rh/smtp#other", False),
            ("vault://mail/ti/smtp#password", False),
            ("vault://mailx/rh/smtp#password", False),
            ("file:///etc/shadow", False),
        ],
    )
    def test_only_those_of_the_operator(self, catalogue: Catalogue, reference: str, allowed: bool) -> None:
        found = denied(catalogue, operator(authentication={"password": reference}))
        if "#b#" in reference:
            assert found == []  # no reference at all: OM601
        else:
            assert found == ([] if allowed else [("OM604", "authentication.password")])

    def test_the_settings_own_never(self, catalogue: Catalogue) -> None:
        """Not even where a pattern names it."""
        (denial,) = catalogue.denials(operator(authentication={"password": "env://SIGNING"}))
        assert (denial.rule, str(denial.message)) == ("OM604", "this is a secret of opsmail's own settings")

    def test_what_may_be_a_password_is_not_repeated(self, catalogue: Catalogue) -> None:
        (denial,) = catalogue.denials(operator(authentication={"password": "postgres://rh:S3cr3t@h/d"}))
        assert "S3cr3t" not in f"{denial}"
        assert str(denial.help) == (
            "approved for it: `env://OPSMAIL_SECRET_RH`, `vault://mail/rh/*#password`, `federated`, `env://SIGNING`"
        )

    def test_credentials_without_a_secret(self, catalogue: Catalogue) -> None:
        subject = modern(credential={"kind": "managed-identity"})
        assert denied(catalogue, subject) == [("OM604", "authentication.credential.kind")]

    def test_credentials_alone(self, catalogue: Catalogue) -> None:
        """Of a server that is not approved, or without a catalogue, they say nothing."""
        assert list(catalogue.credential_denials(operator(server={"host": "evil.com"}))) == []
        assert list(settings_of("").catalogue.credential_denials(operator())) == []

    @pytest.mark.parametrize(
        ("operator_id", "name"), [("rh", "RH"), ("rh-notificacoes", "RH_NOTIFICACOES"), ("a.b_c-1", "A_B_C_1")]
    )
    def test_ids_in_names_of_variables(self, operator_id: str, name: str) -> None:
        assert environment_name(operator_id) == name


class TestPatterns:
    @pytest.mark.parametrize(
        "pattern",
        ["env://A", "env://OPSMAIL_*", "env://OPSMAIL_{OPERATOR}", "vault://m/{operator}/*", "file:///run/secrets/*"]
        + ["federated", "managed-identity", "keyring://service/*"],
    )
    def test_good_ones(self, pattern: str) -> None:
        assert pattern_fault(pattern) is None

    @pytest.mark.parametrize(
        "pattern",
        [
            "",
            "hunter2",
            "*",
            "*://x",
            "{operator}://x",
            "vault://*/x",
            "vault://m*/x",
            "keyring://*",
            "env://{Operator}",
        ]
        + ["env://{}", "env://{OPERATOR", "anonymous"],
    )
    def test_those_that_choose_too_much(self, pattern: str) -> None:
        assert pattern_fault(pattern) is not None
