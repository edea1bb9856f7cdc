"""Which pairs of port and encryption fit together, and which of them to name as the remedy."""

from __future__ import annotations

from opsmail.check.interface import Context
from opsmail.messages import Message, msg
from opsmail.operator.model import Encryption, Server
from opsmail.settings.notation import ApprovedConnection


def approved_connections(server: Server, context: Context) -> tuple[ApprovedConnection, ...] | None:
    """Return the pairs that the catalogue approves for this host, None when it says nothing about the host."""
    entry = context.settings.catalogue.entry(server.host)
    return None if entry is None else entry.connections


def usual_remedy(server: Server, context: Context) -> Message:
    """Name the encrypted connections that the catalogue approves for this host, else the provider's, else usual ones.

    Port 25 is left out: it is never what to change to.
    """
    approved = approved_connections(server, context)
    if approved is not None:
        names = _encrypted([str(pair) for pair in approved])
        if not names:
            return msg("ask IT to approve an encrypted connection to `{host}`", host=server.host)
        return msg("approved for `{host}`: {connections}", host=server.host, connections=_listed(names))
    provider = context.providers.of_host(server.host)
    names = [] if provider is None else _encrypted(list(provider.connections))
    if provider is None or not names:
        return msg("use port 587 with `starttls`, or port 465 with `implicit-tls`")
    return msg("{provider} is reached on {connections}", provider=provider.name, connections=_listed(names))


def known_connections(server: Server, context: Context) -> frozenset[str] | None:
    """Return the pairs that the catalogue, or else the provider, leaves for this host; None when any may do."""
    approved = approved_connections(server, context)
    if approved is not None:
        return frozenset(str(pair) for pair in approved)
    provider = context.providers.of_host(server.host)
    return None if provider is None else frozenset(provider.connections)


def _encrypted(pairs: list[str]) -> list[str]:
    return [pair for pair in pairs if not pair.endswith(f"/{Encryption.NONE.value}") and not pair.startswith("25/")]


def _listed(pairs: list[str]) -> Message:
    """Return the first pair in words, or all of them as the catalogue writes them."""
    if len(pairs) == 1:
        port, _, encryption = pairs[0].partition("/")
        return msg("port {port} with `{encryption}`", port=port, encryption=encryption)
    return msg("{pairs}", pairs=", ".join(f"`{pair}`" for pair in pairs))
