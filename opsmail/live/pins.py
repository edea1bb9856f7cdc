"""Pins: a credential goes only where the catalogue allows it, asked before DNS and again of the open connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from opsmail.errors import RefusedError
from opsmail.mail.destination import SocketAddress, given_address, judge
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Failure
from opsmail.messages import Message, msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import Operator
from opsmail.settings.catalogue import Catalogue
from opsmail.settings.load import Settings
from opsmail.settings.probe import NAME as PROBE


class NotPinnedError(RefusedError):
    """The catalogue does not allow what an operator asks for."""


def require_pins(operators: Iterable[Operator], settings: Settings) -> None:
    """Return when the catalogue allows the server, connection, authentication and credential of every operator.

    Args:
        operators: who wants to send.
        settings: whose catalogue counts, which need not be that of the change.

    Raises:
        NotPinnedError: with everything that is not allowed.
    """
    _refuse_if_any(error for operator in operators for error in _denials(operator, settings.catalogue))


def _refuse_if_any(denials: Iterable[NotPinnedError]) -> None:
    denied = tuple(denials)
    if denied:
        first, *further = denied
        first.further = tuple(further)
        raise first


class Connected(Protocol):
    """A conversation: with whom it was to be, and what address answered."""

    @property
    def endpoint(self) -> Endpoint:
        """The server as it was named."""
        ...

    @property
    def peer(self) -> SocketAddress | None:
        """The address that answered; None before."""
        ...


def require_pinned_peer(submission: Connected, operator: Operator, settings: Settings) -> None:
    """Return when a submission is connected to where the catalogue lets the operator's credential go.

    Everything is judged anew, from what the connection is and not from what it was to be.

    Args:
        submission: connected, and secured where the endpoint is.
        operator: whose credential is about to be read.
        settings: whose catalogue counts.

    Raises:
        NotPinnedError: it is connected to something else.
    """
    require_pins([operator], settings)
    _require_peer(submission, settings.effective(operator))


def require_probe_pins(account: EffectiveOperator, settings: Settings) -> None:
    """Return when the catalogue allows the server, login and secret of a probe mailbox.

    Args:
        account: the mailbox in the form of an operator.
        settings: whose catalogue counts.

    Raises:
        NotPinnedError: with everything that is not allowed.
    """
    # What operators may not have, because the settings use it, is the probe's own.
    _refuse_if_any(_denials(account.operator, replace(settings.catalogue, reserved=frozenset())))


def require_probe_peer(session: Connected, account: EffectiveOperator, settings: Settings) -> None:
    """Return when a session is connected to where the catalogue lets the probe's secret go, judged anew.

    Raises:
        NotPinnedError: it is connected to something else.
    """
    require_probe_pins(account, settings)
    _require_peer(session, account)


def _require_peer(connected: Connected, effective: EffectiveOperator) -> None:
    allowed = Endpoint.of(effective)
    if connected.endpoint != allowed or not _is_at(connected.peer, allowed):
        message = msg("it is connected to {peer}, which is not approved", peer=connected.peer)
        raise _not_pinned(effective.operator, message)


def _is_at(peer: SocketAddress | None, endpoint: Endpoint) -> bool:
    if peer is None:
        return False
    if endpoint.address is not None:
        return peer == given_address(endpoint.address)
    try:
        judge(endpoint.host, [peer.ip], private=endpoint.private)
    except Failure:
        return False
    return peer.port == endpoint.port


def _denials(operator: Operator, catalogue: Catalogue) -> Iterator[NotPinnedError]:
    if catalogue.servers is None:
        yield _not_pinned(
            operator,
            msg("there is no catalogue of approved servers"),
            msg("let IT list the servers under `[[servers]]` in opsmail.toml"),
        )
    for denial in catalogue.denials(operator):
        yield _not_pinned(operator, denial.message, denial.help)
    for path, reference in operator.references():
        if reference.is_literal:
            yield _not_pinned(operator, msg("`{path}` holds no secret reference", path=path))


def _not_pinned(operator: Operator, reason: Message, hint: Message | None = None) -> NotPinnedError:
    if operator.operator == PROBE:
        message = msg("the mailbox of `[live.probe]` is not read: {reason}", reason=reason)
    else:
        message = msg("`{operator}` is not tested: {reason}", operator=operator.operator, reason=reason)
    return NotPinnedError(message, hint=hint)
