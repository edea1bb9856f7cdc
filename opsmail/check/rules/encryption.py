"""OM301 to OM303: encryption."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.detection import OLD_ENCRYPTION_NAME
from opsmail.check.interface import Context, Problem, ProposedFix, operator_rule, server_rule
from opsmail.check.rules.connections import usual_remedy
from opsmail.findings import FixSafety, Replacement, Severity
from opsmail.messages import msg
from opsmail.operator.model import Encryption, Operator, Server
from opsmail.operator.ports import PORT_ENCRYPTIONS


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


def obsolete_name(value: object, port: object) -> Problem | None:
    """Return the problem (OM302) of an encryption called `ssl` or `tls`; None for any other value.

    Which of the two is meant follows from the port, because no other pair works.

    Args:
        value: the encryption as the file has it.
        port: the port as the file has it.
    """
    if not isinstance(value, str) or OLD_ENCRYPTION_NAME.fullmatch(value) is None:
        return None
    expected = PORT_ENCRYPTIONS.get(port) if type(port) is int else None
    if expected is None:
        remedy = msg("write `implicit-tls` if the server speaks TLS from the first byte, else `starttls`")
        fix = None
    else:
        name = expected[0].value
        remedy = msg("on port {port} it is `{name}`", port=port, name=name)
        replacements = (Replacement("server.encryption", name),)
        fix = ProposedFix(FixSafety.SAFE, msg("write `{name}`", name=name), replacements)
    return Problem(
        "server.encryption",
        msg("`{value}` does not say how the encryption starts", value=value),
        label=msg("an old name"),
        help=remedy,
        fix=fix,
    )


@server_rule("OM303", "microsoft-needs-tls12", Severity.ERROR, unwaivable=True)
def microsoft_needs_tls12(server: Server, context: Context) -> Iterator[Problem]:
    """Microsoft refuses connections without TLS 1.2 or newer."""
    if server.encryption is not Encryption.NONE:
        return
    provider = context.providers.of_host(server.host)
    if provider is None or provider.family != "microsoft":
        return
    yield Problem(
        "server.encryption",
        msg("{provider} needs TLS 1.2 or newer, but encryption is off", provider=provider.name),
        label=msg("off"),
        help=usual_remedy(server, context),
    )
