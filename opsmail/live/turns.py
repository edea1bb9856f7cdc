"""Who may talk when: one conversation per mailbox, a few per server, and nobody waits in a thread for either."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

from opsmail.operator.digest import EffectiveOperator, canonical_host


@dataclass(frozen=True, slots=True)
class _Mailbox:
    """An account on a server; several operators may share one."""

    host: str
    account: str

    @classmethod
    def of(cls, effective: EffectiveOperator) -> _Mailbox:
        operator = effective.operator
        return cls(canonical_host(operator.server.host), (operator.username or operator.sender.address).lower())


class Turns:
    """Hands out operators whose mailbox and server are free. For one thread.

    Args:
        operators: who wants to talk.
        per_host: conversations with one server at the same time.
    """

    def __init__(self, operators: Iterable[EffectiveOperator], per_host: int) -> None:
        self._per_host = per_host
        self._talking: Counter[str] = Counter()
        self._waiting: dict[_Mailbox, deque[EffectiveOperator]] = defaultdict(deque)
        # Of each server, the mailboxes that somebody waits for and nobody talks to.
        self._idle: dict[str, deque[_Mailbox]] = defaultdict(deque)
        for operator in operators:
            mailbox = _Mailbox.of(operator)
            if not self._waiting[mailbox]:
                self._idle[mailbox.host].append(mailbox)
            self._waiting[mailbox].append(operator)

    def take(self) -> EffectiveOperator | None:
        """Return an operator that may talk now, None when everyone left has to wait for a turn to end."""
        for host, idle in self._idle.items():
            if idle and self._talking[host] < self._per_host:
                self._talking[host] += 1
                return self._waiting[idle.popleft()].popleft()
        return None

    def end(self, operator: EffectiveOperator) -> None:
        """Take an operator's turn back."""
        mailbox = _Mailbox.of(operator)
        self._talking[mailbox.host] -= 1
        if self._waiting[mailbox]:
            self._idle[mailbox.host].append(mailbox)
