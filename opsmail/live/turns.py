"""Who may talk when: one conversation per mailbox, a few per server, and nobody waits in a thread for either."""

from __future__ import annotations

import heapq
import time
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable
from itertools import count

from opsmail.live.limits import Limits
from opsmail.mail.transport import Clock
from opsmail.operator.digest import EffectiveOperator, canonical_host
from opsmail.values import dataclass


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
        limits: how many may at once, and how long a mailbox rests.
        clock: monotonic, in seconds.
    """

    def __init__(self, operators: Iterable[EffectiveOperator], limits: Limits, clock: Clock = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._talking: Counter[str] = Counter()
        self._waiting: dict[_Mailbox, deque[EffectiveOperator]] = defaultdict(deque)
        # Of each server, the mailboxes that somebody waits for and that may be used.
        self._idle: dict[str, deque[_Mailbox]] = defaultdict(deque)
        # Servers in line, which have such a mailbox and room for a conversation: a large one keeps no other waiting.
        self._line: OrderedDict[str, None] = OrderedDict()
        # Mailboxes that somebody waits for, by when they may be used again; the number decides between equals.
        self._resting: list[tuple[float, int, _Mailbox]] = []
        self._numbers = count()
        for operator in operators:
            mailbox = _Mailbox.of(operator)
            if not self._waiting[mailbox]:
                self._free(mailbox)
            self._waiting[mailbox].append(operator)

    def take(self) -> EffectiveOperator | None:
        """Return an operator that may talk now, None when everyone left has to wait for a turn or a rest to end."""
        while self._resting and self._resting[0][0] <= self._clock():
            _, _, rested = heapq.heappop(self._resting)
            self._free(rested)
        if not self._line:
            return None
        host, _ = self._line.popitem(last=False)
        self._talking[host] += 1
        operator = self._waiting[self._idle[host].popleft()].popleft()
        self._line_up(host)
        return operator

    def end(self, operator: EffectiveOperator) -> None:
        """Take an operator's turn back; its mailbox rests."""
        mailbox = _Mailbox.of(operator)
        self._talking[mailbox.host] -= 1
        self._line_up(mailbox.host)
        if self._waiting[mailbox]:
            until = self._clock() + self._limits.rest(operator)
            heapq.heappush(self._resting, (until, next(self._numbers), mailbox))

    def withdraw(self, refused: EffectiveOperator) -> list[EffectiveOperator]:
        """Take out, and return, who waits to try the very login that a server has just refused.

        Args:
            refused: an operator whose turn has not ended yet.
        """
        waiting = self._waiting[_Mailbox.of(refused)]
        same = [item for item in waiting if _login(item) == _login(refused)]
        for item in same:
            waiting.remove(item)
        return same

    def give_up(self) -> list[EffectiveOperator]:
        """Take out, and return, everybody who waits."""
        waiting = [item for queue in self._waiting.values() for item in queue]
        for known in (self._waiting, self._idle, self._line, self._resting):
            known.clear()
        return waiting

    def rest(self) -> float | None:
        """Return the seconds until the next mailbox has rested, None when none that anybody waits for does."""
        return max(0.0, self._resting[0][0] - self._clock()) if self._resting else None

    def _free(self, mailbox: _Mailbox) -> None:
        """Have a mailbox ready for whoever waits for it."""
        self._idle[mailbox.host].append(mailbox)
        self._line_up(mailbox.host)

    def _line_up(self, host: str) -> None:
        """Put a server at the end of the line, unless it is in it, or nobody could talk to it."""
        if self._idle[host] and self._talking[host] < self._limits.conversations(host):
            self._line.setdefault(host)


def _login(effective: EffectiveOperator) -> object:
    return effective.operator.authentication
