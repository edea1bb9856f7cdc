"""Who asks for tokens: what two operators have in common when one token serves both."""

from __future__ import annotations

from opsmail.mail.oauth.claims import ROLE, SCOPE
from opsmail.mail.oauth.provider import IdentityProvider
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import Credential, Delegated, ModernAuthentication
from opsmail.references import SecretReference
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """An application as it proves itself to an identity provider.

    The credential is part of it: where two operators name different secrets of one application, a token that the first
    secret earned says nothing about the second.

    Args:
        provider: who is asked, and for which tenant.
        client_id: the application.
        credential: what it proves itself with.
        audience: whom an outside identity token must be for.
        place: where that token is kept; None for the CI system's own.
        role: what an application's token must permit.
    """

    provider: IdentityProvider
    client_id: str
    credential: Credential
    audience: str
    place: SecretReference | None
    role: str = ROLE

    @classmethod
    def of(cls, effective: EffectiveOperator, role: str = ROLE) -> Client:
        """Return who asks for the tokens of an operator with modern authentication."""
        authentication, connection = effective.operator.authentication, effective.connection
        if not isinstance(authentication, ModernAuthentication):
            raise TypeError(authentication.type)
        provider = IdentityProvider.of(effective, authentication)
        place = connection.federated_token
        return cls(
            provider,
            authentication.client_id,
            authentication.credential,
            connection.federated_audience or provider.facts.federation,
            None if place is None else SecretReference.parse(place),
            role,
        )

    @property
    def permission(self) -> str:
        """What its tokens must permit."""
        return SCOPE if isinstance(self.credential, Delegated) else self.role
