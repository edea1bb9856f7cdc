"""Pins: nothing is asked of DNS, and no secret is read, for a destination that the trusted catalogue does not allow."""

from __future__ import annotations

from opsmail.errors import RefusedError
from opsmail.messages import msg
from opsmail.operator.model import Operator
from opsmail.settings.load import Settings


class NotPinnedError(RefusedError):
    """The trusted catalogue does not allow what an operator asks for."""


def require_pins(operator: Operator, trusted: Settings) -> None:
    """Return when the catalogue allows this operator's server, connection, authentication and credential.

    Args:
        operator: who wants to send.
        trusted: the settings whose catalogue counts, which need not be those of the change.

    Raises:
        NotPinnedError: with the first thing that is not allowed.
    """
    if trusted.catalogue.servers is None:
        raise NotPinnedError(
            msg("`{operator}` is not tested: there is no catalogue of approved servers", operator=operator.operator),
            hint=msg("let IT list the servers under `[[servers]]` in opsmail.toml"),
        )
    for denial in trusted.catalogue.denials(operator):
        raise NotPinnedError(
            msg("`{operator}` is not tested: {reason}", operator=operator.operator, reason=denial.message),
            hint=denial.help,
        )
