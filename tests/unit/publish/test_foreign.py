"""What something else did to a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsmail.publish.foreign import changed_rows, unlogged
from opsmail.store.generation import Published
from opsmail.store.interface import Head, Identity
from tests.unit.fleets import ENVIRONMENT, Shop, operator


def test_a_store_without_a_table_has_no_rows_to_compare() -> None:
    store: Any = object()
    published = Published(Head(Identity("5a" * 16, 1), ENVIRONMENT, 1), None, None, {"a": "0" * 64})
    assert list(changed_rows(store, published, {})) == []


def test_the_log_is_looked_through_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsmail.publish.events.PAGE", 2)
    shop = Shop(tmp_path)
    shop.publish(operator("chefe", role="master"))
    published = shop.published()
    with shop.store() as store:
        store.append_events(published.head, [b"{}"] * 5)
        later = shop.published()
        assert list(unlogged(store, later)) == []
        assert later.head.events == 6
