"""How much a server may be asked at once and a mailbox in a minute: the settings, the provider, the operator."""

from __future__ import annotations

from opsmail.operator.digest import EffectiveOperator
from opsmail.providers import Providers
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run keeps to.

    Args:
        per_host: conversations with one server at the same time.
        providers: whose own limits are known; the tighter one counts.
        sending: whether messages go out, which is what providers count.
    """

    per_host: int
    providers: Providers
    sending: bool = True

    def conversations(self, host: str) -> int:
        """Return how many conversations a server may be in at the same time."""
        provider = self.providers.of_host(host)
        if provider is None or provider.connections_at_once is None:
            return self.per_host
        return min(self.per_host, provider.connections_at_once)

    def rest(self, effective: EffectiveOperator) -> float:
        """Return how many seconds a mailbox rests after a message of this operator."""
        if not self.sending:
            return 0
        operator = effective.operator
        provider = self.providers.of_host(operator.server.host)
        rates = (
            None if provider is None else provider.messages_per_minute,
            None if operator.limits is None else operator.limits.messages_per_minute,
        )
        return max((60 / rate for rate in rates if rate is not None), default=0)
