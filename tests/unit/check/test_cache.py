"""The cache on disk: believed only when it is whole, one's own and of the same circumstances."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.check import cache as module
from opsmail.check.cache import Cache, cache_folder, code_stamp, digest

VALUE = ("x", 1, None, True, (b"\0", ["é"], {"a": 2}))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "below" / "opsmail")


class TestKeeping:
    def test_what_was_kept_is_found(self, cache: Cache) -> None:
        assert cache.load("a") is None
        cache.store("a", VALUE)
        cache.store("a", VALUE)
        assert cache.load("a") == VALUE
        assert cache.load("b") is None

    def test_nobody_else_may_read_it(self, cache: Cache) -> None:
        cache.store("a", VALUE)
        assert [path.name for path in cache.folder.iterdir()] == ["a"]
        assert (cache.folder / "a").stat().st_mode & 0o777 == 0o600
        assert cache.folder.stat().st_mode & 0o777 == 0o700

    def test_old_ones_go(self, cache: Cache) -> None:
        for number in range(20):
            cache.store(str(number), number)
            os.utime(cache.folder / str(number), (number, number))
        cache.store("new", VALUE)
        assert {path.name for path in cache.folder.iterdir()} == {"new", *map(str, range(5, 20))}

    def test_too_large_a_value_is_not_kept(self, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_MOST_BYTES", 100)
        cache.store("a", bytes(101))
        assert not cache.folder.exists()


class TestBelieving:
    @given(st.data())
    def test_a_changed_file_is_not(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        cache = Cache(tmp_path_factory.mktemp("changed"))
        cache.store("a", VALUE)
        content = (cache.folder / "a").read_bytes()
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, len(content)))
        changed = content[:start] + data.draw(st.binary(max_size=5)) + content[end:]
        (cache.folder / "a").write_bytes(changed)
        assert cache.load("a") == (VALUE if changed == content else None)

    def test_nor_one_under_another_name(self, cache: Cache) -> None:
        cache.store("a", VALUE)
        (cache.folder / "a").rename(cache.folder / "b")
        assert cache.load("b") is None

    def test_nor_a_whole_one_with_something_else_in_it(self, cache: Cache) -> None:
        cache.store("a", VALUE)
        content = module._MAGIC + digest(b"a", b"?") + b"?"
        (cache.folder / "a").write_bytes(content)
        assert cache.load("a") is None

    @pytest.mark.parametrize("mode", [0o620, 0o602])
    def test_nor_one_that_others_may_write(self, cache: Cache, mode: int) -> None:
        cache.store("a", VALUE)
        (cache.folder / "a").chmod(mode)
        assert cache.load("a") is None

    def test_nor_one_in_a_folder_that_others_may_write(self, cache: Cache) -> None:
        cache.store("a", VALUE)
        cache.folder.chmod(0o777)
        assert cache.load("a") is None
        (cache.folder / "a").unlink()
        cache.store("a", VALUE)
        assert not (cache.folder / "a").exists()

    def test_nor_one_of_another_user(self, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
        cache.store("a", VALUE)
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        assert cache.load("a") is None
        monkeypatch.delattr(os, "geteuid")  # where there are no such users
        assert cache.load("a") == VALUE

    def test_nor_a_link_or_a_pipe(self, cache: Cache) -> None:
        cache.store("a", VALUE)
        (cache.folder / "b").symlink_to("a")
        os.mkfifo(cache.folder / "c", 0o600)
        assert cache.load("b") is None
        assert cache.load("c") is None


class TestRefusals:
    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        Cache(tmp_path / "file" / "x").store("a", VALUE)
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    def test_a_linked_folder(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "opsmail").symlink_to("elsewhere")
        Cache(tmp_path / "opsmail").store("a", VALUE)
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_a_full_disk_leaves_nothing(self, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: Any) -> None:
            raise OSError(28, "no space")

        monkeypatch.setattr(Path, "replace", full)
        cache.store("a", VALUE)
        assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/opsmail"),
        ({"XDG_CACHE_HOME": "x", "HOME": "/h"}, "/h/.cache/opsmail"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/opsmail"),
        ({"HOME": "h"}, None),
        ({}, None),
    ],
)
def test_the_folder_is_the_users(environment: dict[str, str], folder: str | None) -> None:
    assert cache_folder(environment) == (None if folder is None else Path(folder))


class TestStamp:
    def test_it_stays(self) -> None:
        assert code_stamp() == code_stamp()

    def test_another_python_is_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = code_stamp()
        monkeypatch.setattr(sys, "version", "3.99")
        assert code_stamp() != before

    def test_a_changed_module_and_an_installed_package_are_others(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "opsmail" / "check" / "__pycache__").mkdir(parents=True)
        (tmp_path / "site").mkdir()
        file = tmp_path / "opsmail" / "check" / "cache.py"
        file.write_text("x")
        monkeypatch.setattr(module, "__file__", str(file))
        monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), str(tmp_path / "gone")])
        stamps = [code_stamp()]
        (file.parent / "__pycache__" / "cache.pyc").touch()
        assert code_stamp() == stamps[0]
        file.write_text("y y")
        stamps.append(code_stamp())
        (tmp_path / "site" / "new").mkdir()
        os.utime(tmp_path / "site", (5, 5))
        stamps.append(code_stamp())
        assert len(set(stamps)) == 3


def test_a_digest_tells_where_parts_end() -> None:
    assert digest(b"ab", b"c") != digest(b"a", b"bc") != digest(b"abc")


def test_a_home_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    home = tmp_path / "nobody"
    folder = cache_folder({"HOME": str(home)})
    assert folder is not None
    Cache(folder).store("a", 1)
    assert Cache(folder).load("a") is None
    assert not home.exists()
    home.mkdir()
    Cache(folder).store("a", 1)
    assert Cache(folder).load("a") == 1
