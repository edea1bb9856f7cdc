"""OM304 and OM305: what the system that sends cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Annotated

from opsmail.check.interface import Context, Problem, server_rule
from opsmail.constraints import Length, Pattern
from opsmail.findings import Severity
from opsmail.messages import Message, msg
from opsmail.operator.model import Encryption, Server
from opsmail.settings.model import Platform
from opsmail.shape import Decoder
from opsmail.values import dataclass

_Version = Annotated[str, Pattern(r"[0-9]+(\.[0-9]+)*", msg("a version"), "4.7")]
_Text = Annotated[str, Length(1, 300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeFacts:
    """What one platform can do.

    Args:
        platform: as the settings name it.
        name: as people call it.
        tls12_from: the first version with TLS 1.2; None where all have it.
        tls12_default_from: the first version that uses it without being told to.
        starttls_only: its own mail client, where that knows no TLS from the first byte.
        source: where that is written.
        verified_on: when it was looked up.
    """

    platform: Platform
    name: _Text
    tls12_from: _Version | None = None
    tls12_default_from: _Version | None = None
    starttls_only: _Text | None = None
    source: _Text
    verified_on: date


@cache
def runtime_facts() -> Mapping[Platform, RuntimeFacts]:
    """Return what is known of platforms."""
    from importlib.resources import files  # loads more than a check needs elsewhere

    return parse_runtimes((files("opsmail") / "data" / "deprecations.yaml").read_bytes())


def parse_runtimes(content: bytes) -> Mapping[Platform, RuntimeFacts]:
    """Return the platforms that a data file describes.

    Raises:
        ValueError: the file does not have its shape.
    """
    import yaml  # a check needs no parser elsewhere

    decoder = Decoder(RuntimeFacts)
    result = {}
    for entry in yaml.load(content, Loader=yaml.CSafeLoader)["runtimes"]:
        facts, faults = decoder.decode(entry)
        if facts is None or faults:
            raise ValueError([str(fault.message) for fault in faults])
        result[facts.platform] = facts
    return result


def _facts(context: Context) -> RuntimeFacts | None:
    platform = context.settings.file.runtime.platform
    return None if platform is Platform.OTHER else runtime_facts().get(platform)


@server_rule("OM304", "runtime-cannot-tls12", Severity.ERROR)
def runtime_cannot_tls12(server: Server, context: Context) -> Iterator[Problem]:
    """The system that sends is older than TLS 1.2, or does not use it by itself."""
    facts = _facts(context)
    version = context.settings.file.runtime.version
    if facts is None or version is None or server.encryption is Encryption.NONE:
        return
    cannot = _is_older(version, facts.tls12_from)
    if not cannot and not _is_older(version, facts.tls12_default_from):
        return
    yield Problem(
        "server.encryption",
        msg("{platform} {version} cannot do TLS 1.2", platform=facts.name, version=version)
        if cannot
        else msg(
            "{platform} {version} does TLS 1.2 only where it is switched on", platform=facts.name, version=version
        ),
        label=msg("needs TLS 1.2"),
        help=_tls12_remedy(facts, cannot=cannot),
        severity=None if cannot else Severity.WARNING,
    )


def _tls12_remedy(facts: RuntimeFacts, *, cannot: bool) -> Message:
    if cannot:
        return msg(
            "update it to {version} or newer and write that under `[runtime]`: {source}",
            version=facts.tls12_default_from or facts.tls12_from,
            source=facts.source,
        )
    return msg(
        "update it to {version} or newer, or switch TLS 1.2 on and have this waived: {source}",
        version=facts.tls12_default_from,
        source=facts.source,
    )


def _is_older(version: str, first: str | None) -> bool:
    return first is not None and _numbers(version) < _numbers(first)


def _numbers(version: str) -> tuple[int, ...]:
    """Return what orders versions; Java's `1.8` is 8."""
    numbers = tuple(int(number) for number in version.split("."))
    return numbers[1:] if numbers[0] == 1 and len(numbers) > 1 else numbers


@server_rule("OM305", "runtime-cannot-implicit-tls", Severity.WARNING)
def runtime_cannot_implicit_tls(server: Server, context: Context) -> Iterator[Problem]:
    """TLS from the first byte, and a mail client that knows only STARTTLS."""
    if server.encryption is not Encryption.IMPLICIT_TLS:
        return
    facts = _facts(context)
    if facts is None or facts.starttls_only is None:
        return
    yield Problem(
        "server.encryption",
        msg("{client} of {platform} knows no implicit TLS", client=facts.starttls_only, platform=facts.name),
        label=msg("not with this client"),
        help=msg("use port 587 with `starttls`; where another mail library sends, have this waived"),
    )
