from pathlib import Path

import pytest

from tests.conformance.publishing import Place
from tests.conformance.relational import RelationalConformance
from tests.conformance.store import StoreConformance


class TestSqliteStore(RelationalConformance, StoreConformance):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Place(f"sqlite:///{tmp_path}/store.db")
