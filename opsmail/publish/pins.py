"""What is published and the settings of today would refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from opsmail.constraints import AnyLength, Doc
from opsmail.messages import Message, msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.settings.load import Settings
from opsmail.values import dataclass

_Text = Annotated[str, AnyLength()]


@dataclass(frozen=True, slots=True)
class Revoked:
    """A published operator that today's settings do not allow.

    Args:
        operator: its id.
        reason: what is not allowed.
    """

    operator: Annotated[_Text, Doc("Operator", "Its id.", ("rh-notificacoes",))]
    reason: Annotated[_Text, Doc("Reason", "What is not allowed.", ("the server `smtp.x.test` is not approved",))]


def denials(document: bytes, settings: Settings) -> Iterator[Message]:
    """Yield what the settings do not allow of a published document; nothing where there is no catalogue to judge by.

    Args:
        document: canonical.
        settings: of today.
    """
    if settings.catalogue.servers is None:
        return
    effective = EffectiveOperator.parse(document)
    denied = list(settings.catalogue.denials(effective.operator))
    yield from (denial.message for denial in denied)
    if not denied and settings.connection(effective.operator) != effective.connection:
        yield msg(
            "the catalogue says another address, certificate or identity provider for `{host}` now",
            host=effective.operator.server.host,
        )


def revoked(documents: Mapping[str, bytes], settings: Settings) -> Iterator[Revoked]:
    """Yield which of these published operators the settings do not allow, once each, in the order of names."""
    for operator, document in sorted(documents.items()):
        reason = next(denials(document, settings), None)
        if reason is not None:
            yield Revoked(operator, str(reason))
