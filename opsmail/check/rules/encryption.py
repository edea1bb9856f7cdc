"""OM3xx: encryption."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.interface import Context, Problem, operator_rule
from opsmail.check.rules.connections import usual_remedy
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.operator.model import Encryption, Operator


@operator_rule("OM301", "encryption-off", Severity.WARNING)
def encryption_off(operator: Operator, context: Context) -> Iterator[Problem]:
    """Messages travel in clear; with a login this is OM401 or OM402, an error."""
    if operator.server.encryption is not Encryption.NONE or operator.username is not None:
        return
    yield Problem(
        "server.encryption",
        msg("messages travel without encryption"),
        label=msg("off"),
        help=msg("use `starttls` or `implicit-tls` if the server can; a relay that cannot is for IT to accept"),
    )


@operator_rule("OM303", "microsoft-needs-tls12", Severity.ERROR, unwaivable=True)
def microsoft_needs_tls12(operator: Operator, context: Context) -> Iterator[Problem]:
    """Microsoft refuses connections without TLS 1.2 or newer."""
    provider = context.providers.of_host(operator.server.host)
    if provider is None or provider.family != "microsoft" or operator.server.encryption is not Encryption.NONE:
        return
    yield Problem(
        "server.encryption",
        msg("{provider} needs TLS 1.2 or newer, but encryption is off", provider=provider.name),
        label=msg("off"),
        help=usual_remedy(operator.server, context),
    )
