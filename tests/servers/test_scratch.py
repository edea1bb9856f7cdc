"""Where tests write."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import scratch
from tests.scratch import DISK, IN_MEMORY, is_usable


def test_memory_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setattr(scratch, "ROOM", 1)
    monkeypatch.setenv(IN_MEMORY, "1")
    assert scratch.scratch() == tmp_path
    monkeypatch.delenv(IN_MEMORY)
    assert scratch.scratch() == DISK


def test_a_folder_that_is_too_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scratch, "ROOM", 1 << 60)
    assert not is_usable(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert not is_usable(tmp_path / "memory")


def test_a_folder_in_which_nothing_may_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stood for by what the system would say of it: there is none everywhere."""
    said = SimpleNamespace(f_bavail=scratch.ROOM, f_frsize=1, f_flag=0)
    monkeypatch.setattr(os, "statvfs", lambda _: said)
    assert is_usable(tmp_path)
    said.f_flag = os.ST_NOEXEC
    assert not is_usable(tmp_path)
