"""OM304 and OM305 beyond the examples of their pages, and the data on runtimes."""

from __future__ import annotations

import re
from datetime import date

import pytest

from opsmail.check.interface import Context
from opsmail.check.rules.runtimes import (
    RuntimeFacts,
    parse_runtimes,
    runtime_cannot_implicit_tls,
    runtime_cannot_tls12,
    runtime_facts,
)
from opsmail.findings import Severity
from opsmail.settings.load import load_settings
from tests.rules.checking import NONE, Repository, context, only, operator, problems

IMPLICIT = {"port": 465, "encryption": "implicit-tls"}


def on(platform: str, version: str | None = None) -> Context:
    line = "" if version is None else f'version = "{version}"'
    return context(f'[runtime]\nplatform = "{platform}"\n{line}\n')


@pytest.mark.parametrize(
    ("platform", "version", "severity"),
    [
        ("dotnet-framework", "3.5", "error"),
        ("dotnet-framework", "4", "error"),
        ("dotnet-framework", "4.5.2", "error"),
        ("dotnet-framework", "4.6", "warning"),
        ("dotnet-framework", "4.6.2", "warning"),
        ("dotnet-framework", "4.7", None),
        ("dotnet-framework", "4.8.1", None),
        ("java", "1.6", "error"),
        ("java", "1.7", "warning"),
        ("java", "7", "warning"),
        ("java", "1.8", None),
        ("java", "21", None),
        ("dotnet", "8.0", None),
        ("python", "3.11", None),
        ("other", "1.0", None),
        ("dotnet-framework", None, None),
    ],
)
def test_om304_by_platform_and_version(platform: str, version: str | None, severity: str | None) -> None:
    found = problems(runtime_cannot_tls12, operator(), on(platform, version))
    usual = runtime_cannot_tls12.meta.severity
    assert [(problem.severity or usual).label for problem in found] == ([severity] if severity else [])


def test_om304_says_what_to_install() -> None:
    problem = only(runtime_cannot_tls12, operator(), on("dotnet-framework", "4.5"))
    assert str(problem.message) == ".NET Framework 4.5 cannot do TLS 1.2"
    assert str(problem.help).startswith("update it to 4.7 or newer")
    problem = only(runtime_cannot_tls12, operator(), on("dotnet-framework", "4.6.1"))
    assert problem.severity is Severity.WARNING
    assert "only where it is switched on" in str(problem.message)


def test_om304_concerns_only_encrypted_connections_and_settings_that_name_a_runtime() -> None:
    clear = operator(server={"port": 25, "encryption": "none"}, authentication=NONE)
    assert not problems(runtime_cannot_tls12, clear, on("dotnet-framework", "4.0"))
    assert not problems(runtime_cannot_tls12, operator())


@pytest.mark.parametrize("platform", ["dotnet-framework", "dotnet"])
def test_om305_knows_the_clients_of_dotnet(platform: str) -> None:
    problem = only(runtime_cannot_implicit_tls, operator(server=IMPLICIT), on(platform))
    assert "System.Net.Mail.SmtpClient" in str(problem.message)
    assert not problems(runtime_cannot_implicit_tls, operator(), on(platform))


@pytest.mark.parametrize("platform", ["java", "python", "other"])
def test_om305_leaves_other_platforms_alone(platform: str) -> None:
    assert not problems(runtime_cannot_implicit_tls, operator(server=IMPLICIT), on(platform))


@pytest.mark.parametrize("facts", runtime_facts().values(), ids=lambda facts: facts.platform.value)
def test_each_runtime_says_where_that_comes_from(facts: RuntimeFacts) -> None:
    assert re.match(r"https://", facts.source)
    assert date(2026, 1, 1) < facts.verified_on
    assert facts.tls12_from is not None or facts.starttls_only is not None
    assert (facts.tls12_from is None) == (facts.tls12_default_from is None)


def test_a_damaged_data_file_is_an_error_that_says_why() -> None:
    with pytest.raises(ValueError, match="the field `name` is missing"):
        parse_runtimes(b"runtimes: [{platform: java}]")


def test_the_runtime_counts_for_the_settings_digest() -> None:
    digests = {
        load_settings(Repository({"opsmail.toml": text.encode()})).digest
        for text in ("", '[runtime]\nplatform = "java"\n', '[runtime]\nplatform = "java"\nversion = "8"\n')
    }
    assert len(digests) == 3
