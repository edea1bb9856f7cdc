"""OM2xx: server and port."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsmail.addresses import AddressError, parse_domain
from opsmail.check.interface import Context, Mark, Problem, ProposedFix, Replacement, operator_rule
from opsmail.findings import FixSafety, Severity
from opsmail.messages import msg
from opsmail.operator.model import Encryption, Operator, Server
from opsmail.settings.model import ApprovedConnection

_STARTTLS, _IMPLICIT, _NONE = Encryption.STARTTLS, Encryption.IMPLICIT_TLS, Encryption.NONE
#: What each well-known submission port speaks: RFC 8314 §3.3 (465), RFC 6409 (587), the rest by the providers' custom.
PORT_ENCRYPTIONS = {
    25: (_STARTTLS, _NONE),
    465: (_IMPLICIT,),
    587: (_STARTTLS,),
    2465: (_IMPLICIT,),
    2525: (_STARTTLS,),
    2587: (_STARTTLS,),
}


@operator_rule("OM201", "port-encryption-mismatch", Severity.ERROR)
def port_encryption_mismatch(operator: Operator, context: Context) -> Iterator[Problem]:
    """The port speaks one kind of encryption, the file asks for another."""
    server = operator.server
    expected = PORT_ENCRYPTIONS.get(server.port)
    if expected is None or server.encryption in expected:
        return
    right = expected[0]
    port = _port_for(server.encryption)
    approved = _approved(server, context)
    mark = Mark("server.encryption", msg("`{encryption}` belongs to {port}", encryption=server.encryption.value, port=port))
    if server.encryption is _NONE:
        mark = Mark("server.encryption", msg("here it is off"))
    yield Problem(
        "server.port",
        msg(
            "port {port} expects {expected}, but encryption is `{encryption}`",
            port=server.port,
            expected=msg("implicit TLS") if right is _IMPLICIT else msg("STARTTLS"),
            encryption=server.encryption.value,
        ),
        label=msg("{port} is the implicit-TLS port", port=server.port)
        if right is _IMPLICIT
        else msg("{port} is a STARTTLS port", port=server.port),
        help=msg("use encryption `{right}`", right=right.value)
        if server.encryption is _NONE
        else msg("use port {port}, or encryption `{right}`", port=port, right=right.value),
        marks=(mark,),
        fix=_fix(server, approved),
        severity=Severity.WARNING if _is_approved(server, approved) else None,
    )


def _port_for(encryption: Encryption) -> int:
    return 465 if encryption is _IMPLICIT else 25 if encryption is _NONE else 587


def _approved(server: Server, context: Context) -> tuple[ApprovedConnection, ...]:
    entry = context.settings.catalogue.entry(server.host)
    return () if entry is None else entry.connections


def _is_approved(server: Server, approved: tuple[ApprovedConnection, ...]) -> bool:
    return ApprovedConnection(server.port, server.encryption) in approved


def _fix(server: Server, approved: tuple[ApprovedConnection, ...]) -> ProposedFix | None:
    """The one pair that the catalogue leaves for this host is a safe fix; a guess from the port alone is not offered."""
    if len(approved) != 1 or _is_approved(server, approved):
        return None
    right = approved[0]
    replacements = []
    if right.port != server.port:
        replacements.append(Replacement("server.port", str(right.port)))
    if right.encryption is not server.encryption:
        replacements.append(Replacement("server.encryption", right.encryption.value))
    description = msg("write {connection}, the only pair approved for this server", connection=str(right))
    return ProposedFix(FixSafety.SAFE, description, tuple(replacements))


@operator_rule("OM202", "nonstandard-port", Severity.WARNING)
def nonstandard_port(operator: Operator, context: Context) -> Iterator[Problem]:
    """A port that no mail provider uses and IT has not approved."""
    server = operator.server
    if server.port in PORT_ENCRYPTIONS or any(pair.port == server.port for pair in _approved(server, context)):
        return
    yield Problem(
        "server.port",
        msg("port {port} is unusual for sending mail", port=server.port),
        label=msg("587 or 465 was probably meant"),
        help=msg("use 587 with `starttls` or 465 with `implicit-tls`; if IT says otherwise, let IT add it to the catalogue"),
    )


@operator_rule("OM203", "cleartext-port", Severity.WARNING)
def cleartext_port(operator: Operator, context: Context) -> Iterator[Problem]:
    """Port 25 is for mail between servers; networks block it, and nothing on it asks for encryption."""
    if operator.server.port != 25:
        return
    yield Problem(
        "server.port",
        msg("port 25 is not recommended for sending"),
        label=msg("meant for mail between servers"),
        help=msg("ask IT for port 587 with `starttls`, or 465 with `implicit-tls`"),
    )


@operator_rule("OM204", "host-is-not-a-name", Severity.ERROR)
def host_is_not_a_name(operator: Operator, context: Context) -> Iterator[Problem]:
    """The server is a DNS name and nothing more."""
    host = operator.server.host
    try:
        parse_domain(host)
    except AddressError as fault:
        meant = _name_within(host, operator.server.port)
        yield Problem(
            "server.host",
            msg("the server is not a DNS name: {reason}", reason=fault.message),
            label=msg("not a name"),
            help=msg("write the name that IT or the provider gave, for example `smtp.empresa.com.br`")
            if meant is None
            else msg("write `{name}`", name=meant),
            fix=None
            if meant is None
            else ProposedFix(FixSafety.SAFE, msg("write `{name}`", name=meant), (Replacement("server.host", meant),)),
        )


def _name_within(text: str, port: int) -> str | None:
    """Return the name in a text that adds a scheme, a path, a final dot, spaces, or the very port that the file names anyway."""
    rest = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://", "", text.strip())
    rest = re.split(r"[/?#]", rest, maxsplit=1)[0]
    try:
        return parse_domain(rest.removesuffix(f":{port}").removesuffix("."))
    except AddressError:
        return None


@operator_rule("OM209", "server-not-approved", Severity.ERROR, unwaivable=True)
def server_not_approved(operator: Operator, context: Context) -> Iterator[Problem]:
    """Host, connection, authentication, tenant and application are those that IT approved."""
    for denial in context.settings.catalogue.denials(operator):
        if denial.rule == "OM209":
            yield Problem(denial.path, denial.message, label=msg("not approved"), help=denial.help)
