"""What is known of mail providers: facts from `data/providers.yaml`, looked up by host.

The file is written by hand, with comments. What is loaded is made of it: `python -m opsmail.providers` writes
`data/providers.json`, because loading a YAML parser takes longer than checking many files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from opsmail.constraints import Length, Pattern, Range
from opsmail.messages import msg
from opsmail.shape import Decoder
from opsmail.values import dataclass

_SOURCE = Path(__file__).resolve().parent / "data" / "providers.yaml"
_LOADED = _SOURCE.with_suffix(".json")
_Text = Annotated[str, Length(1, 300)]
_Connection = Annotated[
    str, Pattern(r"[1-9][0-9]{0,4}/(starttls|implicit-tls|none)", msg("a port and an encryption"), "587/starttls")
]
_UserName = Annotated[
    str, Pattern(r"address|local-part|any|fixed:[A-Za-z0-9]+", msg("a form of user names"), "address")
]


_Domain = Annotated[
    str, Pattern(r"[a-z0-9-]+(\.[a-z0-9-]+)+", msg("a domain in lower case, as DNS knows it"), "gmail.com")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherHost:
    """A host of a provider that is not the one to send through.

    Args:
        host: its exact name.
        purpose: what it is for: `old-tls` (clients without TLS 1.2), `reading` (IMAP and POP).
    """

    host: _Domain
    purpose: Literal["old-tls", "reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A mail provider's submission service.

    Args:
        id: stable word for presets and reports.
        name: as people call it.
        family: who runs it, for rules that concern all its services.
        hosts: exact names; one `*` stands for one label.
        example_host: one of its hosts, where `hosts` has patterns only.
        connections: `port/encryption` pairs that it serves, the recommended one first.
        sender: what becomes of a sender that is not the account; `verified` where the provider has a list of its own.
        username: which form of user name it wants.
        app_password: whether basic authentication needs an app password.
        confidence: `vendor`, `ispdb` or `community`; what is known only from the last never gives an error.
        source: where the facts come from.
        verified_on: when they were looked up.
        basic_ends: the day from which user-and-password logins are switched off.
        basic_reversible: whether an administrator can switch them on again for a while.
        basic_ends_source: who said so.
        accounts: whose accounts it serves; `any` where both kinds may be right.
        mail_domains: domains of the addresses that the provider itself gives out, to anyone and for nothing.
        other_hosts: the provider's hosts that are for something else.
        cloud: which Microsoft cloud it belongs to.
        tenant_domains: what the first domains of that cloud's tenants end in.
        messages_per_minute: the most that it takes from one account.
        connections_at_once: the most that it keeps open for one client.
        app_password_source: how to make an app password.
    """

    id: Annotated[str, Pattern(r"[a-z0-9-]+", msg("a word"), "gmail")]
    name: _Text
    family: _Text
    hosts: tuple[_Text, ...]
    connections: tuple[_Connection, ...]
    sender: Literal["refused", "rewritten", "verified", "unknown"]
    username: _UserName
    app_password: bool
    confidence: Literal["vendor", "ispdb", "community"]
    source: _Text
    verified_on: date
    example_host: _Domain | None = None
    basic_ends: date | None = None
    basic_reversible: bool = False
    basic_ends_source: _Text | None = None
    accounts: Literal["personal", "organisation", "any"] = "any"
    mail_domains: tuple[_Domain, ...] = ()
    other_hosts: tuple[OtherHost, ...] = ()
    cloud: Literal["global", "us-gov", "us-dod", "china"] | None = None
    tenant_domains: tuple[_Domain, ...] = ()
    messages_per_minute: Annotated[int, Range(1, 1_000_000)] | None = None
    connections_at_once: Annotated[int, Range(1, 1_000)] | None = None
    app_password_source: _Text | None = None


@dataclass(frozen=True)
class Providers:
    """All known providers."""

    all: tuple[Provider, ...]

    @cached_property
    def _by_host(self) -> Mapping[str, Provider]:
        return {host: provider for provider in self.all for host in provider.hosts}

    def of_host(self, host: str) -> Provider | None:
        """Return the provider that serves `host`, None when it is no known one."""
        if host not in self._looked_up:
            self._looked_up[host] = self._look_up(host.lower().removesuffix("."))
        return self._looked_up[host]

    @cached_property
    def _looked_up(self) -> dict[str, Provider | None]:
        # A fleet has few hosts, and every rule asks.
        return {}

    def _look_up(self, name: str) -> Provider | None:
        labels = name.split(".")
        patterns = (".".join([*labels[:index], "*", *labels[index + 1 :]]) for index in range(len(labels)))
        return next((self._by_host[host] for host in (name, *patterns) if host in self._by_host), None)

    @cached_property
    def by_mail_domain(self) -> Mapping[str, Provider]:
        """The provider that gives out addresses in a domain to anyone."""
        return {domain: provider for provider in self.all for domain in provider.mail_domains}

    @cached_property
    def by_other_host(self) -> Mapping[str, tuple[Provider, OtherHost]]:
        """The provider of a host that is not for sending, and what it is for."""
        return {other.host: (provider, other) for provider in self.all for other in provider.other_hosts}

    @cached_property
    def clouds_of_tenants(self) -> Mapping[str, tuple[str, ...]]:
        """What the first domains of tenants end in, and the Microsoft clouds that have such tenants."""
        result: dict[str, tuple[str, ...]] = {}
        for provider in self.all:
            for domain in provider.tenant_domains:
                result[domain] = (*result.get(domain, ()), provider.cloud or "")
        return result


def load_providers() -> Providers:
    """Return the providers that come with opsmail."""
    return _decoded(json.loads(_LOADED.read_bytes()))


def parse_providers(content: bytes) -> Providers:
    """Return the providers that a data file describes.

    Raises:
        ValueError: the file does not have its shape.
    """
    return _decoded(_entries(content))


def compiled(content: bytes) -> bytes:
    """Return what is loaded in the place of a data file: the same entries, each on a line."""
    lines = (json.dumps(entry, ensure_ascii=False, default=str) for entry in _entries(content))
    return "[\n{}\n]\n".format(",\n".join(lines)).encode()


def _entries(content: bytes) -> Any:
    import yaml

    return yaml.load(content, Loader=yaml.CSafeLoader)


def _decoded(entries: Any) -> Providers:
    if not entries or not isinstance(entries, list):
        raise ValueError("providers are a list")
    decoder = Decoder(Provider)
    providers = []
    for entry in entries:
        provider, faults = decoder.decode(entry)
        if provider is None or faults:
            raise ValueError([str(fault.message) for fault in faults])
        providers.append(provider)
    return Providers(tuple(providers))


if __name__ == "__main__":
    _LOADED.write_bytes(compiled(_SOURCE.read_bytes()))
