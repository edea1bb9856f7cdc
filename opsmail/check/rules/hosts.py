"""OM206, OM207, OM208 and OM210: names of servers that are probably not what somebody meant."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.addresses import AddressError, parse_domain
from opsmail.check.interface import Context, Problem, ProposedFix, server_rule
from opsmail.check.rules.lookalike import alike, ascii_form, mixed_scripts, readable
from opsmail.check.rules.suffixes import is_below_public_suffix
from opsmail.findings import FixSafety, Replacement, Severity
from opsmail.messages import Message, msg
from opsmail.operator.digest import canonical_host
from opsmail.operator.model import Server
from opsmail.providers import Provider, Providers

#: Names that mean this machine (RFC 6761 section 6.3, and what systems add in their hosts files).
_LOOPBACK = (".localhost", ".localdomain")
#: Names that only a local network knows: RFC 6762 (`local`, and those of appendix G), RFC 8375 (`home.arpa`), ICANN's
#: resolution of 29 July 2024 (`internal`).
_LOCAL = (".local", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".home.arpa")


@server_rule("OM206", "misspelt-provider", Severity.WARNING)
def misspelt_provider(server: Server, context: Context) -> Iterator[Problem]:
    """One slip of the finger away from a provider's server."""
    host = canonical_host(server.host)
    if _is_known(host, context) or host in context.providers.by_other_host:
        return
    found = _meant(host, context.providers)
    if found is None:
        return
    provider, right = found
    yield Problem(
        "server.host",
        msg("this is almost `{right}`, the server of {provider}", right=right, provider=provider.name),
        label=msg("misspelt?"),
        help=msg("write `{right}`; a server that is really called so, IT adds to the catalogue", right=right),
        fix=ProposedFix(FixSafety.UNSAFE, msg("write `{name}`", name=right), (Replacement("server.host", right),)),
    )


def _is_known(host: str, context: Context) -> bool:
    return context.settings.catalogue.entry(host) is not None or context.providers.of_host(host) is not None


def _meant(host: str, providers: Providers) -> tuple[Provider, str] | None:
    """Return the provider and its host that is one edit away, or that `host` goes on from: `smtp.gmail.com.br`."""
    for provider in providers.all:
        for pattern in provider.hosts:
            name = _filled(pattern, host)
            if name is not None and (is_one_edit(host, name) or host.startswith(f"{name}.")):
                return provider, name
    return None


def _filled(pattern: str, host: str) -> str | None:
    """Return the pattern with its `*` as it stands in `host`, None where the two cannot be compared."""
    labels, wanted = host.split("."), pattern.split(".")
    if "*" not in wanted:
        return pattern
    return pattern.replace("*", labels[wanted.index("*")]) if len(labels) == len(wanted) else None


def is_one_edit(one: str, other: str) -> bool:
    """Whether one character was added, left out, replaced, or exchanged with its neighbour."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[start:], other[start:]
    if len(rest) != len(other_rest):
        return rest[1:] == other_rest or rest == other_rest[1:]
    return rest[1:] == other_rest[1:] or (rest[1::-1] == other_rest[:2] and rest[2:] == other_rest[2:])


@server_rule("OM207", "local-host", Severity.WARNING)
def local_host(server: Server, context: Context) -> Iterator[Problem]:
    """A name that means something else on each machine, or nothing."""
    host = canonical_host(server.host)
    message = _locality(host)
    if message is None:
        return
    entry = context.settings.catalogue.entry(host)
    if entry is not None and (entry.private or entry.address is not None):
        return
    yield Problem(
        "server.host",
        message,
        label=msg("local"),
        help=msg("write the server's full name; for an internal one, IT writes `private = true` in the catalogue"),
    )


def _locality(host: str) -> Message | None:
    if host == "localhost" or host.endswith(_LOOPBACK):
        return msg("`{host}` is whichever machine sends", host=host)
    if host.endswith(_LOCAL):
        return msg("`{host}` is known in one local network only", host=host)
    if "." not in host:
        return msg("`{host}` is a short name, which each machine completes in its own way", host=host)
    return None


@server_rule("OM208", "lookalike-host", Severity.ERROR, unwaivable=True)
def lookalike_host(server: Server, context: Context) -> Iterator[Problem]:
    """A name that a person takes for another one."""
    host = server.host
    if _is_known(host, context):
        return
    shown = readable(host)
    scripts = () if shown.isascii() else mixed_scripts(shown)
    if scripts:
        listed = ", ".join(script.title() for script in scripts)
        yield _imitation(
            msg("the name `{host}` mixes letters of several scripts: {scripts}", host=ascii_form(host), scripts=listed),
            msg("write the name that IT or the provider gave; names like this are made to be mistaken for others"),
        )
        return
    names = [entry.host for entry in context.settings.catalogue.servers or ()]
    patterns = (pattern for provider in context.providers.all for pattern in provider.hosts)
    names += [name for pattern in patterns if (name := _filled(pattern, shown)) is not None]
    original = alike(shown, names)
    if original is not None:
        yield _imitation(
            msg("`{host}` only looks like `{original}`", host=ascii_form(host), original=original),
            msg("write `{original}`; names like this one are made to collect passwords", original=original),
        )


def _imitation(message: Message, remedy: Message) -> Problem:
    return Problem("server.host", message, label=msg("not what it looks like"), help=remedy)


@server_rule("OM210", "unknown-host-suffix", Severity.NOTE)
def unknown_host_suffix(server: Server, context: Context) -> Iterator[Problem]:
    """A name that nobody can have registered."""
    try:
        host = parse_domain(canonical_host(server.host))
    except AddressError:
        return  # OM204 says so
    if is_below_public_suffix(host) or _is_known(host, context):
        return
    yield Problem(
        "server.host",
        msg("`{host}` ends in nothing that domains are registered under", host=host),
        label=msg("unknown ending"),
        help=msg("correct the ending; a name of your own network, IT adds to the catalogue"),
    )
