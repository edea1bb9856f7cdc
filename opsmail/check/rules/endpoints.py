"""OM205: what is known of a provider, and what the operator asks of it."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.interface import Context, Mark, Problem, ProposedFix, operator_rule
from opsmail.check.rules.connections import approved_connections, usual_remedy
from opsmail.findings import FixSafety, Replacement, Severity
from opsmail.messages import Message, msg
from opsmail.operator.digest import canonical_host
from opsmail.operator.model import Encryption, Operator, Server
from opsmail.providers import OtherHost, Provider
from opsmail.settings.notation import ApprovedConnection


@operator_rule("OM205", "provider-endpoint", Severity.ERROR)
def provider_endpoint(operator: Operator, context: Context) -> Iterator[Problem]:
    """A provider that is known, but not at this host, on this port or for this account."""
    server = operator.server
    provider = context.providers.of_host(server.host)
    if provider is None:
        other = context.providers.by_other_host.get(canonical_host(server.host))
        if other is not None:
            yield _other_host(*other, server, context)
        return
    # Where encryption is off, that is all there is to say, and others say it.
    if f"{server.port}/{server.encryption.value}" not in provider.connections and server.encryption != Encryption.NONE:
        yield _not_served(provider, server, context)
    if provider.accounts != "any":
        yield from _wrong_accounts(provider, operator, context)


def _other_host(provider: Provider, other: OtherHost, server: Server, context: Context) -> Problem:
    if other.purpose == "reading":
        message = msg("`{host}` is where {provider}'s mail is read", host=other.host, provider=provider.name)
        label = msg("not for sending")
    else:
        message = msg("`{host}` is for clients that cannot do TLS 1.2", host=other.host)
        label = msg("an outdated server")
    approved = context.settings.catalogue.entry(server.host) is not None
    return Problem(
        "server.host",
        message,
        label=label,
        help=msg("{provider} is sent through `{host}`", provider=provider.name, host=provider.hosts[0]),
        fix=_write_host(provider.hosts[0]),
        severity=_severity(provider, approved=approved),
    )


def _not_served(provider: Provider, server: Server, context: Context) -> Problem:
    approved = approved_connections(server, context)
    pair = ApprovedConnection(server.port, server.encryption)
    is_approved = approved is not None and pair in approved
    return Problem(
        "server.port",
        msg(
            "{provider} is not reached on port {port} with `{encryption}`",
            provider=provider.name,
            port=server.port,
            encryption=server.encryption.value,
        ),
        label=msg("not served"),
        help=_endpoint_remedy(provider, server, context, is_approved=is_approved),
        fix=None if is_approved else _connection_fix(provider, server, approved),
        severity=_severity(provider, approved=is_approved),
    )


def _endpoint_remedy(provider: Provider, server: Server, context: Context, *, is_approved: bool) -> Message:
    if is_approved:
        return msg("the catalogue approves it; let IT look at {source}", source=provider.source)
    return usual_remedy(server, context)


def _severity(provider: Provider, *, approved: bool) -> Severity | None:
    """An error only where the provider itself says so, and IT does not say otherwise."""
    return Severity.WARNING if approved or provider.confidence != "vendor" else None


def _connection_fix(
    provider: Provider, server: Server, approved: tuple[ApprovedConnection, ...] | None
) -> ProposedFix | None:
    """Write the connection that the provider recommends, or that of those approved which it serves."""
    served = [ApprovedConnection.parse(text) for text in provider.connections]
    possible = served if approved is None else [pair for pair in served if pair in approved]
    if not possible:
        return None
    right = possible[0]
    replacements = [Replacement("server.port", right.port)] if right.port != server.port else []
    if right.encryption is not server.encryption:
        replacements.append(Replacement("server.encryption", right.encryption.value))
    return ProposedFix(FixSafety.UNSAFE, msg("write {connection}", connection=str(right)), tuple(replacements))


def _wrong_accounts(provider: Provider, operator: Operator, context: Context) -> Iterator[Problem]:
    """A provider with one host for people and one for organisations, and an account of the other kind."""
    domain = (operator.username or "").rpartition("@")[2].lower()
    if "@" not in (operator.username or ""):
        return
    own = context.providers.by_mail_domain.get(domain)
    kind = "personal" if own is not None and own.family == provider.family else "organisation"
    if kind == provider.accounts:
        return
    right = own if kind == "personal" else _organisation_service(provider, context)
    if right is None:
        return
    personal = kind == "personal"
    yield Problem(
        "server.host",
        msg("{provider} is not for personal accounts", provider=provider.name)
        if personal
        else msg("{provider} is for personal accounts", provider=provider.name),
        label=msg("for organisations") if personal else msg("for personal accounts"),
        help=msg("accounts in `{domain}` send through `{host}`", domain=domain, host=right.hosts[0])
        if personal
        else msg("accounts of an organisation send through `{host}`", host=right.hosts[0]),
        marks=(
            Mark(
                "authentication.username", msg("a personal account") if personal else msg("an organisation's account")
            ),
        ),
        fix=_write_host(right.hosts[0]),
        # Either host may let the other's accounts in; the provider only says which one is meant.
        severity=Severity.WARNING,
    )


def _organisation_service(provider: Provider, context: Context) -> Provider | None:
    family = (other for other in context.providers.all if other.family == provider.family)
    return next((other for other in family if other.accounts == "organisation"), None)


def _write_host(host: str) -> ProposedFix:
    return ProposedFix(FixSafety.UNSAFE, msg("write `{name}`", name=host), (Replacement("server.host", host),))
