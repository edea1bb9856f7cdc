"""A file is replaced whole, or stays as it is."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsmail.errors import RefusedError
from opsmail.source.replacing import replace_file
from opsmail.source.tree import SourceError
from opsmail.source.worktree import WorkTree

BEFORE, AFTER = b"a: 1\r\n", "a: ção\r\n".encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "operators" / "rh.yaml"
    path.parent.mkdir()
    path.write_bytes(BEFORE)
    return path


def write(file: Path) -> None:
    replace_file(WorkTree(file.parent.parent), "operators/rh.yaml", BEFORE, AFTER)


def test_content_changes_and_mode_stays(file: Path) -> None:
    file.chmod(0o640)
    write(file)
    assert file.read_bytes() == AFTER
    assert file.stat().st_mode & 0o7777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["rh.yaml"]


def test_the_owner_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another owner's file: the same system calls, with the answers that a second user would get."""
    real = os.fstat
    asked: list[tuple[int, int]] = []

    def fstat(descriptor: int) -> Any:
        facts = real(descriptor)
        return os.stat_result((*facts[:4], facts.st_uid + 1, *facts[5:]))

    monkeypatch.setattr(os, "fstat", fstat)
    monkeypatch.setattr(os, "fchown", lambda descriptor, user, group: asked.append((user, group)))
    write(file)
    facts = file.stat()
    assert asked == [(facts.st_uid, facts.st_gid)]
    assert file.read_bytes() == AFTER


def test_it_is_on_the_disk_before_it_takes_the_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            steps.append(name)
            return real(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", noted("fsync", os.fsync))
    monkeypatch.setattr(WorkTree, "read", noted("read", WorkTree.read))
    monkeypatch.setattr(Path, "replace", noted("replace", Path.replace))
    write(file)
    assert steps == ["fsync", "read", "replace"]


def unchanged(file: Path, content: bytes = BEFORE) -> None:
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == ["rh.yaml"]


class TestRefusals:
    def test_changed_meanwhile(self, file: Path) -> None:
        file.write_bytes(b"a: 2\n")
        with pytest.raises(RefusedError, match=r"operators/rh\.yaml has changed"):
            write(file)
        unchanged(file, b"a: 2\n")

    def test_gone_meanwhile(self, file: Path) -> None:
        file.unlink()
        with pytest.raises(SourceError, match=r"operators/rh\.yaml cannot be written: No such file"):
            write(file)

    def test_a_link_in_its_place(self, file: Path) -> None:
        elsewhere = file.parent.parent / "elsewhere"
        elsewhere.write_bytes(BEFORE)
        file.unlink()
        file.symlink_to(elsewhere)
        with pytest.raises(SourceError, match="link"):
            write(file)
        assert file.is_symlink()
        assert elsewhere.read_bytes() == BEFORE

    def test_a_link_on_the_way(self, file: Path) -> None:
        file.parent.rename(file.parent.parent / "real")
        file.parent.symlink_to("real")
        with pytest.raises(SourceError, match="link"):
            write(file)
        unchanged(file)

    def test_read_only(self, file: Path) -> None:
        file.chmod(0o444)
        with pytest.raises(SourceError, match=r"operators/rh\.yaml cannot be written: it is read-only"):
            write(file)
        unchanged(file)

    def test_not_writable_for_whoever_runs_it(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        with pytest.raises(SourceError, match="it is read-only"):
            write(file)
        unchanged(file)

    @pytest.mark.parametrize("step", ["fsync", "fchmod", "replace"])
    def test_a_failure_at_any_step(self, file: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*arguments: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Path if step == "replace" else os, step, fail)
        with pytest.raises(SourceError, match="No space left"):
            write(file)
        unchanged(file)

    def test_an_interruption(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(descriptor: int) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write(file)
        unchanged(file)
