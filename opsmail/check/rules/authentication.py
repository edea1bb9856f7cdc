"""OM401 to OM403 and OM410: whether the login is safe, and one that works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from opsmail.check.interface import Context, Mark, Problem, operator_rule
from opsmail.check.rules.connections import usual_remedy
from opsmail.findings import Severity
from opsmail.messages import Message, msg
from opsmail.operator.model import BasicAuthentication, Encryption, ModernAuthentication, NoAuthentication, Operator
from opsmail.providers import Provider
from opsmail.settings.model import AuthenticationType


@operator_rule("OM401", "modern-needs-tls", Severity.ERROR, unwaivable=True)
def modern_needs_tls(operator: Operator, context: Context) -> Iterator[Problem]:
    """A token in clear can be read and used by anyone on the way."""
    if operator.server.encryption is not Encryption.NONE or not isinstance(
        operator.authentication, ModernAuthentication
    ):
        return
    yield Problem(
        "server.encryption",
        msg("modern authentication needs TLS, but encryption is off"),
        label=msg("off"),
        help=usual_remedy(operator.server, context),
        marks=(Mark("authentication.type", msg("its token must not travel in clear")),),
    )


@operator_rule("OM402", "credentials-in-clear", Severity.ERROR, unwaivable=True)
def credentials_in_clear(operator: Operator, context: Context) -> Iterator[Problem]:
    """A password in clear can be read by anyone on the way; opsmail never sends one."""
    if operator.server.encryption is not Encryption.NONE or not isinstance(
        operator.authentication, BasicAuthentication
    ):
        return
    yield Problem(
        "server.encryption",
        msg("the password would travel without encryption"),
        label=msg("off"),
        help=usual_remedy(operator.server, context),
        marks=(Mark("authentication.type", msg("`basic` sends a password")),),
    )


@operator_rule("OM403", "microsoft-basic-retiring", Severity.WARNING)
def microsoft_basic_retiring(operator: Operator, context: Context) -> Iterator[Problem]:
    """Microsoft switches user-and-password logins off: a warning before the day in the data, an error from then on."""
    if not isinstance(operator.authentication, BasicAuthentication):
        return
    provider = context.providers.of_host(operator.server.host)
    if provider is None or provider.basic_ends is None:
        return
    notice = timedelta(days=context.settings.file.policy.deprecation_notice_days)
    if context.today < provider.basic_ends - notice:
        return
    ended = context.today >= provider.basic_ends
    yield Problem(
        "authentication.type",
        _retirement(provider, ended=ended),
        label=msg("switched off") if ended else msg("ends soon"),
        help=_retirement_remedy(provider),
        severity=Severity.ERROR if ended and provider.confidence != "community" else None,
    )


def _retirement(provider: Provider, *, ended: bool) -> Message:
    """Say what is true on this side of the date, the date included."""
    if not ended:
        return msg(
            "{provider} switches user-and-password logins off on {date}; from that day on this is an error",
            provider=provider.name,
            date=provider.basic_ends,
        )
    if provider.basic_reversible:
        return msg(
            "since {date}, {provider} has user-and-password logins switched off by default",
            provider=provider.name,
            date=provider.basic_ends,
        )
    return msg(
        "since {date}, {provider} refuses user-and-password logins", provider=provider.name, date=provider.basic_ends
    )


def _retirement_remedy(provider: Provider) -> Message:
    if provider.basic_reversible:
        return msg(
            "change to `modern` (OAuth 2.0); "
            "for a while, the tenant's administrator can switch such logins on again: {source}",
            source=provider.basic_ends_source,
        )
    return msg("change to `modern` (OAuth 2.0): {source}", source=provider.basic_ends_source)


@operator_rule("OM410", "none-not-approved", Severity.ERROR, unwaivable=True)
def none_not_approved(operator: Operator, context: Context) -> Iterator[Problem]:
    """Sending without a login is for the servers that IT has opened for it."""
    if not isinstance(operator.authentication, NoAuthentication):
        return
    entry = context.settings.catalogue.entry(operator.server.host)
    if entry is None or AuthenticationType.NONE in entry.authentication:
        return
    yield Problem(
        "authentication.type",
        msg("`{host}` is not approved for sending without a login", host=entry.host),
        label=msg("no login"),
        help=msg("log in, approved: {types}", types=", ".join(f"`{kind.value}`" for kind in entry.authentication)),
        marks=(Mark("server.host", msg("needs a login")),),
    )
