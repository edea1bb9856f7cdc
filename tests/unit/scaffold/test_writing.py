"""New files are written all together or not at all, and nothing that is there is touched."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from opsmail.errors import RefusedError, UnavailableError
from opsmail.scaffold.writing import write_new, write_over
from opsmail.source.worktree import WorkTree

FILES = {"a.txt": "a\n", "b/c/d.txt": "á\n", "b/e.txt": "e\n"}


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}


def test_all_are_written_with_the_folders_they_need(tmp_path: Path) -> None:
    write_new(tmp_path / "x" / "y", FILES)
    assert contents(tmp_path / "x" / "y") == FILES


def test_a_new_file_has_the_mode_that_the_user_gives_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_new(tmp_path, {"a": "a"})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_what_exists_is_named_and_stays(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/e.txt").write_text("mine")
    with pytest.raises(RefusedError, match=r"^b/e\.txt exists and is not overwritten$"):
        write_new(tmp_path, FILES)
    assert contents(tmp_path) == {"b/e.txt": "mine"}
    (tmp_path / "a.txt").symlink_to("nowhere")
    with pytest.raises(RefusedError, match=r"^a\.txt, b/e\.txt exist and are not overwritten$"):
        write_new(tmp_path, FILES)


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "b").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match="b is a link"):
        write_new(root, FILES)
    assert contents(tmp_path) == {}


def test_a_root_that_is_a_link_is_how_the_machine_is_set_up(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_new(tmp_path / "link", FILES)
    assert contents(tmp_path / "real") == FILES


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    with pytest.raises(UnavailableError, match=r"Not a directory|File exists"):
        write_new(tmp_path, {"a.txt": "a", "b/c": "c"})
    assert contents(tmp_path) == {"b": "mine"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("after", range(3))
def test_what_was_made_is_taken_away_when_it_ends_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: int
) -> None:
    synced = 0
    real = os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal synced
        if synced == after:
            raise error
        synced += 1
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    expected: Any = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else UnavailableError
    with pytest.raises(expected):
        write_new(tmp_path / "new", FILES)
    assert list(tmp_path.iterdir()) == []


def test_whoever_is_faster_keeps_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lexists(path: Path) -> bool:
        (tmp_path / "b").mkdir(exist_ok=True)
        (tmp_path / "b/e.txt").write_text("theirs")
        return False

    monkeypatch.setattr(os.path, "lexists", lexists)
    with pytest.raises(RefusedError, match=r"b/e\.txt exists and is not overwritten"):
        write_new(tmp_path, FILES)
    assert contents(tmp_path) == {"b/e.txt": "theirs"}


# --- in the place of files that are there


def test_some_are_new_and_some_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    (tmp_path / "a.txt").chmod(0o640)
    write_over(WorkTree(tmp_path), FILES)
    assert contents(tmp_path) == FILES
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("failing", FILES)
def test_what_was_replaced_comes_back_when_one_cannot_be_written(
    tmp_path: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "b/e.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    real, place = os.fsync, Path(failing)

    def full(descriptor: int) -> None:
        written = Path(f"/proc/self/fd/{descriptor}").readlink()
        if place.name in written.name and written.read_bytes() == FILES[failing].encode():
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError, match="No space left on device"):
        write_over(WorkTree(tmp_path), FILES)
    assert contents(tmp_path) == {"a.txt": "mine", "b/e.txt": "mine"}


def test_neither_are_links_written_over(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "a.txt").symlink_to("elsewhere")
    with pytest.raises(UnavailableError, match=r"a\.txt"):
        write_over(WorkTree(tmp_path), {"a.txt": "a"})
    assert (tmp_path / "elsewhere").read_text() == "mine"
