"""A store, and a place for the snapshot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.fleets import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    folder = tmp_path / "shop"
    folder.mkdir()
    return Shop(folder)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "snapshot.json"
