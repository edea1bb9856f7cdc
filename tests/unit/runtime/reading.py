"""Readers of a store that can be away, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opsmail.messages import msg
from opsmail.runtime import Operators
from opsmail.store.backends import open_store
from opsmail.store.interface import Store, StoreUnavailable
from tests.unit.fleets import ENVIRONMENT, Shop, operator

MASTER = operator("chefe", role="master")
RH = operator("rh")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Opens the store, which can be away, and notes what it is asked."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.away = False
        self.calls: list[str] = []
        self.opened = self.closed = 0
        #: What happens once before an act.
        self.before: dict[str, Callable[[], None]] = {}

    def __call__(self) -> Any:
        self.ask("open")
        self.opened += 1
        return Watched(open_store(self.shop.url, read_only=True), self)

    def ask(self, name: str) -> None:
        if self.away:
            raise StoreUnavailable(msg("the store is away"))
        self.calls.append(name)
        self.before.pop(name, lambda: None)()


class Watched:
    def __init__(self, store: Store, source: Source) -> None:
        self._store = store
        self._source = source

    def __getattr__(self, name: str) -> Any:
        self._source.ask(name)
        return getattr(self._store, name)

    @property
    def location(self) -> str:
        return self._store.location

    def close(self) -> None:
        self._source.closed += 1
        self._store.close()


def reader(shop: Shop, source: Callable[[], Any] | None = None, **more: Any) -> Operators:
    return Operators(source or Source(shop), ENVIRONMENT, [shop.trusted], **more)


def opened(shop: Shop, **more: Any) -> Operators:
    return Operators.open(shop.url, environment=ENVIRONMENT, keys=[shop.public_key], **more)
