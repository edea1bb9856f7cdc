"""Operators, circumstances and whole checks in a few words, for tests of single rules."""

from __future__ import annotations

import textwrap
from datetime import date
from functools import cache
from typing import Any

from opsmail.check.engine import check
from opsmail.check.interface import Context, OperatorRule, Problem
from opsmail.findings import Finding
from opsmail.operator.model import Operator
from opsmail.providers import Provider, Providers, load_providers
from opsmail.settings.load import load_settings
from opsmail.shape import Decoder
from opsmail.source.tree import SourceFile

DAY = date(2026, 6, 1)
BASIC = {"type": "basic", "username": "rh@empresa.com.br", "password": "env://OPSMAIL_SECRET_RH"}
MODERN = {
    "type": "modern",
    "username": "rh@empresa.com.br",
    "tenant": "empresa.onmicrosoft.com",
    "client_id": "11111111-2222-3333-4444-555555555555",
    "credential": {"kind": "client-secret", "secret": "env://OPSMAIL_SECRET_RH"},
}
NONE = {"type": "none"}


class Repository:
    """Files by name, as settings are read from."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)


@cache
def _decoder() -> Decoder[Operator]:
    return Decoder(Operator)


@cache
def _providers() -> Providers:
    return load_providers()


def operator(
    *,
    sender: dict[str, Any] | None = None,
    server: dict[str, Any] | None = None,
    authentication: dict[str, Any] = BASIC,
    name: str = "rh",
) -> Operator:
    """Return a correct operator with some values of its own."""
    data = {
        "version": 1,
        "operator": name,
        "sender": {"address": "rh@empresa.com.br", **(sender or {})},
        "server": {"host": "smtp.empresa.com.br", "port": 587, "encryption": "starttls", **(server or {})},
        "authentication": authentication,
    }
    value, problems = _decoder().decode(data)
    assert value is not None, problems
    return value


def context(settings: str | None = None, *, day: date = DAY, providers: Providers | None = None) -> Context:
    """Return the circumstances of a check: the text of `opsmail.toml`, the day, what is known of providers."""
    files = {} if settings is None else {"opsmail.toml": textwrap.dedent(settings).encode()}
    return Context(load_settings(Repository(files)), providers or _providers(), day, frozenset({"env", "file"}))


def problems(rule: OperatorRule, subject: Operator, circumstances: Context | None = None) -> list[Problem]:
    """Return what one rule says of one operator."""
    return list(rule.check(subject, circumstances or context()))


def only(rule: OperatorRule, subject: Operator, circumstances: Context | None = None) -> Problem:
    """Return the one problem that a rule finds."""
    (problem,) = problems(rule, subject, circumstances)
    return problem


def told(
    files: dict[str, str],
    settings: str | None = None,
    *,
    waivers: str | None = None,
    whole: bool = False,
    day: date = DAY,
) -> list[Finding]:
    """Return the findings of a whole check.

    Args:
        files: id of each operator to its file's text.
        settings: the text of `opsmail.toml`.
        waivers: the text of `waivers.yaml`.
        whole: whether these are all operators there are.
        day: the day of the check.
    """
    named = {"opsmail.toml": settings, "waivers.yaml": waivers}
    contents = {path: textwrap.dedent(text).encode() for path, text in named.items() if text is not None}
    circumstances = Context(load_settings(Repository(contents)), _providers(), day, frozenset({"env", "file"}))
    sources = [SourceFile(f"operators/{name}.yaml", textwrap.dedent(text).encode()) for name, text in files.items()]
    return list(check(sources, circumstances, whole=whole).findings)


def made_up_provider(**changes: Any) -> Providers:
    """Return one provider at `mail.provedor.com.br`, with some facts of its own."""
    data = {
        "id": "provedor",
        "name": "Provedor",
        "family": "provedor",
        "hosts": ["mail.provedor.com.br"],
        "connections": ["587/starttls"],
        "sender": "refused",
        "username": "address",
        "app_password": False,
        "confidence": "vendor",
        "source": "made up",
        "verified_on": "2026-06-01",
        **changes,
    }
    value, faults = Decoder(Provider).decode(data)
    assert value is not None, faults
    return Providers((value,))
