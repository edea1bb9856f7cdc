"""The catalogue of approved servers: what may be sent where, the same for `check`, live tests and publish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from opsmail.messages import Message, msg
from opsmail.operator.digest import canonical_host
from opsmail.operator.model import Federated, ManagedIdentity, ModernAuthentication, Operator
from opsmail.references import SecretReference
from opsmail.settings.model import ServerEntry
from opsmail.values import dataclass


class Denial(NamedTuple):
    """Something that the catalogue does not allow.

    Args:
        rule: `OM209` (server, connection, authentication, tenant, application) or `OM604` (credential).
        path: the field that asks for it.
        message: what is not allowed.
        help: what would be.
    """

    rule: str
    path: str
    message: Message
    help: Message


@dataclass(frozen=True)
class Catalogue:
    """The approved servers.

    Args:
        servers: the entries; None when the settings name none at all, so that there is nothing to judge by.
        reserved: references that the settings use themselves; they never resolve for an operator.
    """

    servers: tuple[ServerEntry, ...] | None
    reserved: frozenset[str] = frozenset()

    @cached_property
    def _by_host(self) -> dict[str, ServerEntry]:
        return {canonical_host(entry.host): entry for entry in self.servers or ()}

    def entry(self, host: str) -> ServerEntry | None:
        """Return the entry for exactly this host, None when it is not approved."""
        return self._by_host.get(canonical_host(host))

    def denials(self, operator: Operator) -> Iterator[Denial]:
        """Yield everything of `operator` that is not approved; nothing when there is no catalogue."""
        yield from self.server_denials(operator)
        yield from self.credential_denials(operator)

    def server_denials(self, operator: Operator) -> Iterator[Denial]:
        """Yield what is not approved of the server, the connection and the login (`OM209`)."""
        if self.servers is None:
            return
        entry = self.entry(operator.server.host)
        if entry is None:
            yield Denial(
                "OM209",
                "server.host",
                msg("the server `{host}` is not approved", host=operator.server.host),
                self._approved_hosts(),
            )
            return
        yield from _connection(operator, entry)

    def _approved_hosts(self) -> Message:
        hosts = sorted(self._by_host)
        if not hosts:
            return msg("no server is approved; ask IT to add it to `[[servers]]` in opsmail.toml")
        return msg(
            "approved: {hosts}; ask IT to add others to `[[servers]]` in opsmail.toml",
            hosts=", ".join(f"`{host}`" for host in hosts[:8]) + (", …" if len(hosts) > 8 else ""),
        )

    def credential_denials(self, operator: Operator) -> Iterator[Denial]:
        """Yield which credentials must not be sent to the server (`OM604`); nothing where there is no entry for it.

        References are not repeated: what looks like one may be a password with `://` in it.
        """
        entry = self.entry(operator.server.host)
        if self.servers is None or entry is None:
            return
        for path, reference in operator.references():
            if reference.is_literal:
                continue  # OM601 says so
            written = str(reference)
            if written in self.reserved:
                yield Denial(
                    "OM604",
                    path,
                    msg("this is a secret of opsmail's own settings"),
                    msg("give the operator a secret of its own"),
                )
            elif not any(_allows(pattern, operator.operator, written) for pattern in entry.secrets):
                yield Denial(
                    "OM604",
                    path,
                    msg(
                        "this secret may not be sent to `{host}` by operator `{operator}`",
                        host=operator.server.host,
                        operator=operator.operator,
                    ),
                    _allowed_secrets(entry, operator.operator),
                )
        if isinstance(operator.authentication, ModernAuthentication):
            credential = operator.authentication.credential
            if isinstance(credential, Federated | ManagedIdentity) and credential.kind not in entry.secrets:
                yield Denial(
                    "OM604",
                    "authentication.credential.kind",
                    msg("the credential `{kind}` is not approved for `{host}`", kind=credential.kind, host=entry.host),
                    _allowed_secrets(entry, operator.operator),
                )


def _connection(operator: Operator, entry: ServerEntry) -> Iterator[Denial]:
    server, authentication = operator.server, operator.authentication
    if not any(pair.port == server.port and pair.encryption is server.encryption for pair in entry.connections):
        ports = {connection.port for connection in entry.connections}
        yield Denial(
            "OM209",
            "server.port" if server.port not in ports else "server.encryption",
            msg(
                "port {port} with `{encryption}` is not approved for `{host}`",
                port=server.port,
                encryption=server.encryption.value,
                host=entry.host,
            ),
            msg("approved: {connections}", connections=_listed([str(pair) for pair in entry.connections])),
        )
    if authentication.type not in entry.authentication:  # texts compare with the names of an enumeration
        # `none` where a login is needed has a rule of its own, OM410.
        yield Denial(
            "OM209",
            "authentication.type",
            msg("authentication `{type}` is not approved for `{host}`", type=authentication.type, host=entry.host),
            msg("approved: {types}", types=_listed([kind.value for kind in entry.authentication])),
        )
    if isinstance(authentication, ModernAuthentication):
        if authentication.tenant not in entry.tenants:
            yield Denial(
                "OM209",
                "authentication.tenant",
                msg(
                    "the tenant `{tenant}` is not approved for `{host}`", tenant=authentication.tenant, host=entry.host
                ),
                msg("approved: {tenants}", tenants=_listed(entry.tenants)),
            )
        if authentication.client_id not in entry.client_ids:
            yield Denial(
                "OM209",
                "authentication.client_id",
                msg(
                    "the application `{id}` is not approved for `{host}`", id=authentication.client_id, host=entry.host
                ),
                msg("approved: {ids}", ids=_listed(entry.client_ids)),
            )


def _listed(values: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{value}`" for value in values) or "–"


def _allowed_secrets(entry: ServerEntry, operator: str) -> Message:
    return msg(
        "approved for it: {patterns}", patterns=_listed([_filled(pattern, operator) for pattern in entry.secrets])
    )


def environment_name(operator: str) -> str:
    """Return an operator's id as it stands in the names of environment variables."""
    return operator.upper().replace("-", "_").replace(".", "_")


def usable_references(entry: ServerEntry, operator: str) -> tuple[SecretReference, ...]:
    """Return a reference that each pattern of an entry allows for an operator, the operator's name where `*` stands.

    Args:
        entry: what is approved.
        operator: its id.
    """
    references = (reference_of(pattern, operator) for pattern in entry.secrets)
    return tuple(reference for reference in references if not reference.is_literal)


def reference_of(pattern: str, operator: str) -> SecretReference:
    """Return the reference that a pattern gives for an operator, its name where `*` stands; else a literal."""
    name = environment_name(operator) if pattern.startswith("env://") else operator
    return SecretReference.parse(_filled(pattern, operator).replace("*", name))


def _filled(pattern: str, operator: str) -> str:
    return pattern.replace("{operator}", operator).replace("{OPERATOR}", environment_name(operator))


def _allows(pattern: str, operator: str, reference: str) -> bool:
    """Whether `pattern` covers `reference`; `*` stands for anything within one segment."""
    filled = _filled(pattern, operator)  # ids hold no `*`
    if "*" not in filled:
        return filled == reference
    return re.fullmatch("[^/#]*".join(re.escape(part) for part in filled.split("*")), reference) is not None


def pattern_fault(pattern: str) -> Message | None:
    """Return what is wrong with a secret pattern of the catalogue.

    A `*` must not choose the scheme, nor the vault, mount or project that the first segment names.
    """
    if pattern in ("federated", "managed-identity"):
        return None
    scheme, separator, rest = pattern.partition("://")
    if not separator or "*" in scheme or "{" in scheme:
        return msg("`{pattern}` is not a pattern of secret references", pattern=pattern)
    first, slash, _ = rest.partition("/")
    if "*" in first and (slash or scheme != "env"):
        return msg("`{pattern}` has a `*` where the vault, mount or service stands", pattern=pattern)
    if re.search(r"\{(?!operator\}|OPERATOR\})", rest):
        return msg("`{pattern}` has an unknown placeholder; known are {{operator}} and {{OPERATOR}}", pattern=pattern)
    return None
