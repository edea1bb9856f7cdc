"""OM4xx: authentication."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.interface import Context, Mark, Problem, operator_rule
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.operator.model import BasicAuthentication, Encryption, ModernAuthentication, Operator


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
        help=msg("use port 587 with `starttls`"),
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
        help=msg("use `starttls` or `implicit-tls`; opsmail never sends a password in clear"),
        marks=(Mark("authentication.type", msg("`basic` sends a password")),),
    )


@operator_rule("OM403", "microsoft-basic-retiring", Severity.WARNING)
def microsoft_basic_retiring(operator: Operator, context: Context) -> Iterator[Problem]:
    """Microsoft ends user-and-password logins; from the date in the data on, this is an error."""
    if not isinstance(operator.authentication, BasicAuthentication):
        return
    provider = context.providers.of_host(operator.server.host)
    if provider is None or provider.basic_ends is None:
        return
    ended = context.today >= provider.basic_ends
    yield Problem(
        "authentication.type",
        msg("{provider} ended user-and-password logins on {date}", provider=provider.name, date=provider.basic_ends)
        if ended
        else msg("{provider} ends user-and-password logins on {date}", provider=provider.name, date=provider.basic_ends),
        label=msg("no longer accepted") if ended else msg("ends soon"),
        help=msg("change to `modern` (OAuth 2.0); see {source}", source=provider.basic_ends_source),
        severity=Severity.ERROR if ended else None,
    )
