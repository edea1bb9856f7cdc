"""The working tree: what is read of it, and what never is."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsmail.source.tree import MAX_BYTES, NoFolderError, SourceError, SourceFile
from opsmail.source.worktree import WorkTree
from tests.builders import write_files

FOLDERS = ("operators",)


@pytest.fixture
def deep_folder(tmp_path: Path) -> Iterator[Path]:
    """A repository with 2,500 folders inside each other, more than a path can name."""
    operators = tmp_path / "operators"
    operators.mkdir()
    for _ in range(2500):  # from the inside out
        (tmp_path / "d").mkdir()
        (operators / "d").rename(tmp_path / "d/d") if (operators / "d").exists() else None
        (tmp_path / "d").rename(operators / "d")
    yield tmp_path
    while (operators / "d/d").exists():  # neither pytest nor `rmtree` could
        (operators / "d/d").rename(tmp_path / "d")
        (operators / "d").rmdir()
        (tmp_path / "d").rename(operators / "d")


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="opsmail-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
        for path in sorted(Path(name).rglob("*")):
            path.chmod(0o700)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's rights for a while, which reach everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def told(files: Iterable[SourceFile]) -> dict[str, bytes | str]:
    """Return each file's content, or the message of what is wrong with it."""
    return {file.path: file.content if file.problem is None else str(file.problem.message) for file in files}


class TestOperatorFiles:
    def test_all_below_the_folder_in_the_order_of_their_paths(self, tmp_path: Path) -> None:
        names = ["b.yaml", "a/x.yaml", "a.yaml", "a/b/c/d.yaml", "a-b/x.yaml"]
        write_files(tmp_path, {f"operators/{name}": name for name in names})
        files = list(WorkTree(tmp_path).operator_files(FOLDERS))
        assert [file.path for file in files] == sorted(f"operators/{name}" for name in names)
        assert [file.content.decode() for file in files] == [file.path.removeprefix("operators/") for file in files]

    def test_several_folders_give_each_file_once(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"b/x.yaml": "x", "a/y.yaml": "y", "c.yaml": "no"})
        assert list(told(WorkTree(tmp_path).operator_files(("b", "a", "b")))) == ["a/y.yaml", "b/x.yaml"]

    def test_what_is_no_operator_file_is_told(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"operators/README.md": "x", "operators/Team/x.yaml": "x", "operators/.gitkeep": ""})
        assert told(WorkTree(tmp_path).operator_files(FOLDERS)) == {
            "operators/README.md": "not an operator file: its name does not end in `.yaml`",
            "operators/Team": "the folder's name has other characters than a-z, 0-9, `.`, `_`, `-`",
        }

    def test_nothing_hides_in_a_folder_with_an_ignored_name(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"operators/.gitkeep/x.yaml": "x", "operators/x/.gitkeep": ""})
        assert list(told(WorkTree(tmp_path).operator_files(FOLDERS))) == ["operators/.gitkeep"]
        assert list(WorkTree(tmp_path).files(("operators/x/.gitkeep",), FOLDERS)) == []

    def test_a_missing_folder_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(NoFolderError, match="there is no folder `operators`"):
            list(WorkTree(tmp_path).operator_files(FOLDERS))

    def test_a_file_in_its_place_too(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"operators": "x"})
        with pytest.raises(NoFolderError):
            list(WorkTree(tmp_path).operator_files(FOLDERS))

    def test_and_a_link(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"elsewhere/x.yaml": "x"})
        (tmp_path / "operators").symlink_to("elsewhere")
        with pytest.raises(NoFolderError):
            list(WorkTree(tmp_path).operator_files(FOLDERS))

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"operators/x.yaml": "x", "secret.yaml": "SECRET"})
        (tmp_path / "operators/file.yaml").symlink_to("../secret.yaml")
        (tmp_path / "operators/loop").symlink_to("..")
        (tmp_path / "operators/nowhere.yaml").symlink_to("nowhere")
        link = "this is a link, not a plain file"
        assert told(WorkTree(tmp_path).operator_files(FOLDERS)) == {
            "operators/file.yaml": link,
            "operators/loop": link,
            "operators/nowhere.yaml": link,
            "operators/x.yaml": b"x",
        }

    def test_special_files_are_not_opened(self, tmp_path: Path) -> None:
        (tmp_path / "operators").mkdir()
        os.mkfifo(tmp_path / "operators/pipe.yaml")
        with socket.socket(socket.AF_UNIX) as listening:
            folder = os.open(tmp_path / "operators", os.O_RDONLY)
            try:
                listening.bind(f"/proc/self/fd/{folder}/socket.yaml")  # the path of a socket is short
            finally:
                os.close(folder)
        assert told(WorkTree(tmp_path).operator_files(FOLDERS)) == {
            "operators/pipe.yaml": "this is a named pipe, not a plain file",
            "operators/socket.yaml": "this is a socket, not a plain file",
        }

    def test_a_file_over_the_limit_is_not_read(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"operators/full.yaml": b"x" * MAX_BYTES})
        with (tmp_path / "operators/huge.yaml").open("wb") as file:
            file.truncate(10 * 2**30)  # sparse
        files = {file.path: file for file in WorkTree(tmp_path).operator_files(FOLDERS)}
        assert len(files["operators/full.yaml"].content) == MAX_BYTES
        problem = files["operators/huge.yaml"].problem
        assert problem is not None
        assert problem.rule == "OM007"

    def test_more_folders_inside_each_other_than_calls_can_be(self, deep_folder: Path) -> None:
        (message,) = told(WorkTree(deep_folder).operator_files(FOLDERS)).values()
        assert message == "the file cannot be read: File name too long"

    def test_what_may_not_be_read_is_told(self, nobodys_folder: Path) -> None:
        write_files(nobodys_folder, {"operators/a.yaml": "a", "operators/closed/b.yaml": "b"})
        (nobodys_folder / "operators/a.yaml").chmod(0)
        (nobodys_folder / "operators/closed").chmod(0)
        with as_nobody():
            assert told(WorkTree(nobodys_folder).operator_files(FOLDERS)) == {
                "operators/a.yaml": "the file cannot be read: Permission denied",
                "operators/closed": "the file cannot be read: Permission denied",
            }


class TestNamedFiles:
    def files(self, root: Path, *paths: str) -> dict[str, bytes | str]:
        return told(WorkTree(root).files(paths, FOLDERS))

    def test_each_once_in_the_order_of_their_paths(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"operators/b.yaml": "b", "operators/a/x.yaml": "x", "operators/c.yaml": "c"})
        named = self.files(tmp_path, "operators/b.yaml", "operators/a", "operators/b.yaml", "operators/a/x.yaml")
        assert named == {"operators/a/x.yaml": b"x", "operators/b.yaml": b"b"}
        assert list(named) == sorted(named)

    @pytest.mark.parametrize("path", ["operators", ".", "..", "../.."])
    def test_a_folder_around_the_operators_stands_for_them_alone(self, tmp_path: Path, path: str) -> None:
        root = write_files(tmp_path / "a/b", {"operators/x.yaml": "x", "other/y.yaml": "y", "opsmail.toml": ""})
        assert self.files(root, path) == {"operators/x.yaml": b"x"}

    def test_another_folder_is_looked_through(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"operators/x.yaml": "x", "other/y.yaml": "y", "other/z.txt": "z"})
        assert self.files(tmp_path, "other") == {
            "other/y.yaml": b"y",
            "other/z.txt": "not an operator file: its name does not end in `.yaml`",
        }

    def test_a_file_outside_the_repository(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"repository/operators/x.yaml": "x", "Elsewhere/y.yaml": "y"})
        assert self.files(tmp_path / "repository", "../Elsewhere/y.yaml") == {"../Elsewhere/y.yaml": b"y"}

    @pytest.mark.parametrize("path", ["operators/none.yaml", "none", "NONE.txt", "a\0b.yaml"])
    def test_what_is_not_there_is_told(self, tmp_path: Path, path: str) -> None:
        write_files(tmp_path, {"operators/x.yaml": "x"})
        (message,) = self.files(tmp_path, path).values()
        assert isinstance(message, str)
        assert message.startswith("the file cannot be read: ")

    def test_a_link_to_a_folder_is_not_followed(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"operators/x.yaml": "x", "elsewhere/y.yaml": "SECRET"})
        (tmp_path / "operators/link").symlink_to("../elsewhere")
        assert self.files(tmp_path, "operators/link") == {"operators/link": "this is a link, not a plain file"}
        assert self.files(tmp_path, "operators/link/y.yaml") == {
            "operators/link/y.yaml": "this is a link, not a plain file"
        }

    def test_the_way_to_a_file_outside_may_have_links(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"repository/operators/x.yaml": "x", "real/y.yaml": "y"})
        (tmp_path / "way").symlink_to("real")
        assert self.files(tmp_path / "repository", "../way/y.yaml") == {"../way/y.yaml": b"y"}

    def test_around_operators_that_are_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(NoFolderError):
            self.files(tmp_path, ".")


class TestOtherFiles:
    def test_content(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"opsmail.toml": "x"})
        assert WorkTree(tmp_path).read("opsmail.toml") == b"x"

    def test_none_where_there_is_none(self, tmp_path: Path) -> None:
        assert WorkTree(tmp_path).read("opsmail.toml") is None
        assert WorkTree(tmp_path).read("a/b.pem") is None

    def test_a_folder_a_link_and_a_path_that_cannot_be(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"folder/x": "x", "outside/ca.pem": "SECRET"})
        (tmp_path / "link").symlink_to("folder/x")
        (tmp_path / "ca").symlink_to("outside")
        tree = WorkTree(tmp_path)
        for path, reason in (
            ("folder", "this is a folder, not a plain file"),
            ("link", "this is a link, not a plain file"),
            ("ca/ca.pem", "this is a link, not a plain file"),
            ("a\0b", "embedded null"),
        ):
            with pytest.raises(SourceError) as caught:
                tree.read(path)
            assert reason in str(caught.value)
            assert caught.value.hint is not None

    @pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux has files that tell no size there")
    def test_what_is_larger_than_it_says(self) -> None:
        """As a file is that grows while it is read."""
        with pytest.raises(SourceError, match="the file is larger than 0 KiB"):
            WorkTree(Path("/proc/self")).read("status", most=10)
        assert WorkTree(Path("/proc/self")).read("status")

    def test_a_path_longer_than_paths_can_be(self, tmp_path: Path) -> None:
        write_files(tmp_path, {"operators/a.yaml": "a"})
        (message,) = told(WorkTree(tmp_path).files(("x" * 5000,), FOLDERS)).values()
        assert message == "the file cannot be read: File name too long"

    def test_what_is_too_large(self, tmp_path: Path) -> None:
        with (tmp_path / "opsmail.toml").open("wb") as file:
            file.truncate(2**40)
        with pytest.raises(SourceError, match="cannot be read: the file is larger than 1024 KiB"):
            WorkTree(tmp_path).read("opsmail.toml")
