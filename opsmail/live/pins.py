"""Pins: a credential goes only where the catalogue allows it, asked before DNS and again of the open connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opsmail.errors import RefusedError
from opsmail.mail.destination import SocketAddress, given_address, judge
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Failure
from opsmail.mail.submission import Submission
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.settings.load import Settings


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
    denied = [error for operator in operators for error in _denials(operator, settings)]
    if denied:
        first, *further = denied
        first.further = tuple(further)
        raise first


def require_pinned_peer(submission: Submission, operator: Operator, settings: Settings) -> None:
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
    allowed = Endpoint.of(settings.effective(operator))
    if submission.endpoint != allowed or not _is_at(submission.peer, allowed):
        raise _not_pinned(operator, msg("it is connected to {peer}, which is not approved", peer=submission.peer))


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


def _denials(operator: Operator, settings: Settings) -> Iterator[NotPinnedError]:
    if settings.catalogue.servers is None:
        yield _not_pinned(
            operator,
            msg("there is no catalogue of approved servers"),
            msg("let IT list the servers under `[[servers]]` in opsmail.toml"),
        )
    for denial in settings.catalogue.denials(operator):
        yield _not_pinned(operator, denial.message, denial.help)
    for path, reference in operator.references():
        if reference.is_literal:
            yield _not_pinned(operator, msg("`{path}` holds no secret reference", path=path))


def _not_pinned(operator: Operator, reason: Message, hint: Message | None = None) -> NotPinnedError:
    message = msg("`{operator}` is not tested: {reason}", operator=operator.operator, reason=reason)
    return NotPinnedError(message, hint=hint)
