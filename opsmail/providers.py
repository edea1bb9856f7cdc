"""What is known of mail providers: facts from `data/providers.yaml`, looked up by host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Literal

import yaml

from opsmail.constraints import Length, Pattern
from opsmail.messages import msg
from opsmail.shape import Decoder

_Text = Annotated[str, Length(1, 300)]
_Connection = Annotated[
    str, Pattern(r"[1-9][0-9]{0,4}/(starttls|implicit-tls|none)", msg("a port and an encryption"), "587/starttls")
]
_UserName = Annotated[
    str, Pattern(r"address|local-part|any|fixed:[A-Za-z0-9]+", msg("a form of user names"), "address")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A mail provider's submission service.

    Args:
        id: stable word for presets and reports.
        name: as people call it.
        family: who runs it, for rules that concern all its services.
        hosts: exact names; one `*` stands for one label.
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
    basic_ends: date | None = None
    basic_reversible: bool = False
    basic_ends_source: _Text | None = None


@dataclass(frozen=True)
class Providers:
    """All known providers."""

    all: tuple[Provider, ...]

    @cached_property
    def _by_host(self) -> Mapping[str, Provider]:
        return {host: provider for provider in self.all for host in provider.hosts}

    def of_host(self, host: str) -> Provider | None:
        """Return the provider that serves `host`, None when it is no known one."""
        name = host.lower().removesuffix(".")
        exact = self._by_host.get(name)
        if exact is not None:
            return exact
        labels = name.split(".")
        for index in range(len(labels)):
            pattern = ".".join([*labels[:index], "*", *labels[index + 1 :]])
            if pattern in self._by_host:
                return self._by_host[pattern]
        return None


def load_providers() -> Providers:
    """Return the providers that come with opsmail."""
    return parse_providers((files("opsmail") / "data" / "providers.yaml").read_bytes())


def parse_providers(content: bytes) -> Providers:
    """Return the providers that a data file describes.

    Raises:
        ValueError: the file does not have its shape.
    """
    entries = yaml.load(content, Loader=yaml.CSafeLoader)
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
