"""A configuration of msmtp, an account for each operator; TLS is as strict as in opsmail, and the sender is fixed.

msmtp takes an argument as the rest of its line, less one pair of quotes around it, and knows no escapes; a `from` may
hold patterns. Source: https://marlam.de/msmtp/msmtp.html (1.8).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from opsmail.errors import RefusedError
from opsmail.expressions import expression
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator, canonical_host
from opsmail.operator.model import BasicAuthentication, Encryption, ModernAuthentication, Role, TlsVersion
from opsmail.output.escape import for_terminal
from opsmail.output.exports.lines import leaves, require_line
from opsmail.references import SecretReference
from opsmail.transfer.published import Fleet

#: GnuTLS's words, https://gnutls.org/manual/html_node/Priority-Strings.html
_PRIORITIES = {
    TlsVersion.TLS_1_2: "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
    TlsVersion.TLS_1_3: "NORMAL:-VERS-ALL:+VERS-TLS1.3",
}
#: What msmtp would fill in, or take for a pattern.
_PATTERN = expression(r"[?*\[]|%[UHCM]")
_AUTHORITIES = "/etc/opsmail/ca"


def render(fleet: Fleet) -> str:
    """Return the configuration of a fleet; who may not send has no account.

    Raises:
        RefusedError: a value is none that msmtp would take as it is.
    """
    lines = [f"# Generation {fleet.generation} of environment {for_terminal(fleet.environment)}, by `opsmail export`."]
    for name, effective in fleet.operators.items():
        operator = effective.operator
        lines.append("")
        if not operator.enabled:
            lines.append(f"# {name} is disabled and may not send.")
            continue
        for path, value in leaves(effective.document()["operator"]):
            require_line(value, name, path)
        lines += _account(effective)
    masters = (item.operator for item in fleet.operators.values())
    master = next((item.operator for item in masters if item.role is Role.MASTER and item.enabled), None)
    if master is not None:
        lines += ["", f"account default : {master}"]
    return "".join(f"{line}\n" for line in lines)


def _account(effective: EffectiveOperator) -> Iterator[str]:
    operator = effective.operator
    address = operator.sender.address
    if _PATTERN.search(address):
        raise RefusedError(
            msg("{operator}: msmtp would take `{address}` for a pattern", operator=operator.operator, address=address),
            hint=msg("export as JSON, or send as another address"),
        )
    yield f"account {operator.operator}"
    yield from _server(effective)
    yield f'from "{address}"'
    yield "allow_from_override off"
    yield from _login(effective)


def _server(effective: EffectiveOperator) -> Iterator[str]:
    server, connection = effective.operator.server, effective.connection
    host = canonical_host(server.host)
    place, port = host, str(server.port)
    if connection.address is not None:
        place, _, port = connection.address.rpartition(":")
    yield f"host {place.strip('[]')}"
    yield f"port {port}"
    if server.encryption is Encryption.NONE:
        yield "tls off"
        return
    yield "tls on"
    yield f"tls_starttls {'on' if server.encryption is Encryption.STARTTLS else 'off'}"
    if place != host:
        yield f"tls_host_override {host}"
    if connection.ca is None:
        yield "tls_trust_file system"
    else:
        yield f"# Put the CA certificates that opsmail.toml names for {host} into this file:"
        yield f"tls_trust_file {_AUTHORITIES}/{host}.pem"
    yield f"tls_priorities {_PRIORITIES[server.minimum_tls]}"


def _login(effective: EffectiveOperator) -> Iterator[str]:
    authentication = effective.operator.authentication
    if isinstance(authentication, BasicAuthentication):
        yield "auth on"
        yield f'user "{authentication.username}"'
        yield from _password(authentication.password)
    elif isinstance(authentication, ModernAuthentication):
        yield "auth xoauth2"
        yield f'user "{authentication.username}"'
        yield "# msmtp does not sign in at Microsoft: add a `passwordeval` with a command that prints an access token"
        yield f"# of tenant {authentication.tenant} for application {authentication.client_id}."
        yield from (f"# Kept at: {reference}" for _, reference in effective.operator.references())
    else:
        yield "auth off"


def _password(reference: SecretReference) -> Iterator[str]:
    """Yield how msmtp gets a password that is kept there."""
    match reference.scheme:
        case "env":
            yield f'passwordeval "printenv {reference.locator}"'
        case "file":
            yield f'passwordeval "cat {shlex.quote(reference.locator)}"'
        case _:
            yield "# Add a `passwordeval` with a command that prints the password, which is kept at:"
            yield f"# {reference}"
