"""What something else did to a store, where the store has no table for SQL."""

from __future__ import annotations

from typing import Any

from opsmail.publish.foreign import changed_rows
from opsmail.store.generation import Published
from opsmail.store.interface import Head, Identity
from tests.unit.fleets import ENVIRONMENT


def test_a_store_without_a_table_has_no_rows_to_compare() -> None:
    store: Any = object()
    published = Published(Head(Identity("5a" * 16, 1), ENVIRONMENT, 1), None, None, {"a": "0" * 64})
    assert list(changed_rows(store, published, {})) == []
