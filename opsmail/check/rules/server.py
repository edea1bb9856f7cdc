"""OM2xx: server and port."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from opsmail.addresses import AddressError, parse_domain
from opsmail.check.interface import Context, Mark, Problem, ProposedFix, operator_rule, server_rule
from opsmail.check.rules.connections import approved_connections, known_connections, usual_remedy
from opsmail.check.rules.lookalike import undecodable
from opsmail.findings import FixSafety, Replacement, Severity
from opsmail.messages import Message, msg
from opsmail.operator.model import Encryption, Operator, Server
from opsmail.operator.ports import PORT_ENCRYPTIONS
from opsmail.settings.catalogue import Denial
from opsmail.settings.notation import ApprovedConnection
from opsmail.shape import nearest

_IMPLICIT, _NONE = Encryption.IMPLICIT_TLS, Encryption.NONE


@server_rule("OM201", "port-encryption-mismatch", Severity.ERROR)
def port_encryption_mismatch(server: Server, context: Context) -> Iterator[Problem]:
    """The port speaks one kind of encryption, the file asks for another."""
    expected = PORT_ENCRYPTIONS.get(server.port)
    if expected is None or server.encryption in expected:
        return
    right = expected[0]
    approved = approved_connections(server, context) or ()
    if server.encryption is _NONE and _is_approved(server, approved):
        return  # that it is off is all there is to say, and others say it
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
        help=_mismatch_remedy(server, right, context),
        marks=(Mark("server.encryption", _other_half(server.encryption)),),
        fix=_mismatch_fix(server, approved),
        severity=Severity.WARNING if _is_approved(server, approved) else None,
    )


def _port_for(encryption: Encryption) -> int:
    return 465 if encryption is _IMPLICIT else 587


def _other_half(encryption: Encryption) -> Message:
    if encryption is _NONE:
        return msg("here it is off")
    return msg("`{encryption}` belongs to {port}", encryption=encryption.value, port=_port_for(encryption))


def _is_approved(server: Server, approved: tuple[ApprovedConnection, ...]) -> bool:
    return ApprovedConnection(server.port, server.encryption) in approved


def _mismatch_remedy(server: Server, right: Encryption, context: Context) -> Message:
    """Offer to change either value, unless only other pairs are possible for this host."""
    known = known_connections(server, context)
    ways = [ApprovedConnection(server.port, right)]
    if server.encryption is not _NONE:
        ways.append(ApprovedConnection(_port_for(server.encryption), server.encryption))
    if known is not None and not all(str(way) in known for way in ways):
        return usual_remedy(server, context)
    if server.encryption is _NONE:
        return msg("use encryption `{right}`", right=right.value)
    return msg("use port {port}, or encryption `{right}`", port=ways[1].port, right=right.value)


def _mismatch_fix(server: Server, approved: tuple[ApprovedConnection, ...]) -> ProposedFix | None:
    """The one pair that the catalogue leaves for this host is a safe fix; a guess from the port alone is not offered.

    Nor is one that would switch encryption off.
    """
    if len(approved) != 1 or _is_approved(server, approved) or approved[0].encryption is _NONE:
        return None
    right = approved[0]
    replacements = []
    if right.port != server.port:
        replacements.append(Replacement("server.port", right.port))
    if right.encryption is not server.encryption:
        replacements.append(Replacement("server.encryption", right.encryption.value))
    description = msg("write {connection}, the only pair approved for this server", connection=str(right))
    return ProposedFix(FixSafety.SAFE, description, tuple(replacements))


@server_rule("OM202", "nonstandard-port", Severity.WARNING)
def nonstandard_port(server: Server, context: Context) -> Iterator[Problem]:
    """A port that no mail provider uses and IT has not approved."""
    approved = approved_connections(server, context) or ()
    if server.port in PORT_ENCRYPTIONS or any(pair.port == server.port for pair in approved):
        return
    yield Problem(
        "server.port",
        msg("port {port} is unusual for sending mail", port=server.port),
        label=msg("587 or 465 was probably meant"),
        help=msg("use 587 with `starttls`, or 465 with `implicit-tls`; a port that IT wants, IT adds to the catalogue"),
    )


@server_rule("OM203", "cleartext-port", Severity.WARNING)
def cleartext_port(server: Server, context: Context) -> Iterator[Problem]:
    """Port 25 is for mail between servers; networks block it, and nothing on it asks for encryption."""
    if server.port != 25:
        return
    yield Problem(
        "server.port",
        msg("port 25 is not recommended for sending"),
        label=msg("meant for mail between servers"),
        help=usual_remedy(server, context),
    )


@server_rule("OM204", "host-is-not-a-name", Severity.ERROR)
def host_is_not_a_name(server: Server, context: Context) -> Iterator[Problem]:
    """The server is a DNS name and nothing more."""
    host = server.host
    try:
        label = undecodable(parse_domain(host))
        if label is not None:
            yield Problem(
                "server.host",
                msg("`{label}` stands for no letters, so nobody can have registered the name", label=label),
                label=msg("not a name"),
                help=_name_remedy(None, certain=False),
            )
    except AddressError as fault:
        meant, named_port = _name_within(host)
        certain = meant is not None and named_port in (None, str(server.port))
        yield Problem(
            "server.host",
            _what_it_is(host, fault),
            label=msg("not a name"),
            help=_name_remedy(meant, certain=certain),
            fix=_write_host(meant) if meant is not None and certain else None,
        )


def _what_it_is(host: str, fault: AddressError) -> Message:
    text = host.strip()
    seen = (
        ("://" in text, msg("the server's name contains a scheme, such as `smtp://`")),
        (_is_ip_address(text), msg("the server is an IP address, but TLS certificates are made out to names")),
        (re.fullmatch(r"[^:]+:[0-9]+", text), msg("the server's name contains a port")),
        ("/" in text, msg("the server's name contains a path")),
        (" " in host, msg("the server's name contains spaces")),
        (text.endswith("."), msg("the server's name ends in a dot")),
    )
    otherwise = msg("the server is not a DNS name: {reason}", reason=fault.message)
    return next((message for holds, message in seen if holds), otherwise)


def _is_ip_address(text: str) -> bool:
    address = re.sub(r"^\[(.*)\](:[0-9]+)?$", r"\1", text)
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return re.fullmatch(r"[0-9.]+(:[0-9]+)?", address) is not None
    return True


def _name_within(text: str) -> tuple[str | None, str | None]:
    """Return the name, and the port, in a text that adds a scheme, a port, a path, a final dot or spaces around it."""
    rest = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://", "", text.strip())
    rest = re.split(r"[/?#]", rest, maxsplit=1)[0]
    name, _, port = rest.partition(":")
    try:
        return parse_domain(name.removesuffix(".")), port or None
    except AddressError:
        return None, None


def _name_remedy(meant: str | None, *, certain: bool) -> Message:
    if meant is None:
        return msg("write the name that IT or the provider gave, for example `smtp.empresa.com.br`")
    if certain:
        return msg("write `{name}`", name=meant)
    return msg("write `{name}` here, and the port that it shall be in `port`", name=meant)


def _write_host(name: str) -> ProposedFix:
    return ProposedFix(FixSafety.SAFE, msg("write `{name}`", name=name), (Replacement("server.host", name),))


@operator_rule("OM209", "server-not-approved", Severity.ERROR, unwaivable=True)
def server_not_approved(operator: Operator, context: Context) -> Iterator[Problem]:
    """Host, connection, authentication, tenant and application are those that IT approved."""
    for denial in context.settings.catalogue.server_denials(operator):
        remedy = _host_remedy(denial, operator.server.host, context)
        yield Problem(denial.path, denial.message, label=msg("not approved"), help=remedy)


def _host_remedy(denial: Denial, host: str, context: Context) -> Message:
    if denial.path != "server.host":
        return denial.help
    approved = [entry.host for entry in context.settings.catalogue.servers or ()]
    guess = nearest(host, approved)
    if guess is None:
        return denial.help
    return msg("did you mean `{guess}`? {otherwise}", guess=guess, otherwise=denial.help)
