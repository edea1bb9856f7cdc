"""Names and kinds of files that lead somewhere else."""

from __future__ import annotations

import os
import resource
import sys
import threading
from pathlib import Path

import pytest

from opsmail.source.worktree import WorkTree
from tests.builders import SETTINGS, operator_text, write_files
from tests.hostile.catalogue import case
from tests.hostile.files.command import opsmail
from tests.hostile.files.contents import CANARY

FILES = {"opsmail.toml": SETTINGS, "operators/rh.yaml": operator_text()}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A correct repository, beside a file with a secret."""
    write_files(tmp_path, {"outside/secret.yaml": operator_text(name=CANARY), "outside/secret": CANARY})
    return write_files(tmp_path / "repository", FILES)


def told(repository: Path, *arguments: str, code: int = 1) -> str:
    ended = opsmail("check", *arguments, folder=repository)
    assert ended.code == code, ended
    assert CANARY.encode() not in ended.out + ended.err
    return ended.out.decode("utf-8")


class TestLinks:
    @pytest.mark.parametrize(
        ("name", "target"),
        [
            case("P-01 to a file of the system", "evil.yaml", "/etc/passwd"),
            case("P-01 to a good file outside", "evil.yaml", "../../outside/secret.yaml"),
            case("P-03 to git's configuration", "evil.yaml", "../.git/config"),
            case("P-02 a loop", "loop", ".."),
            case("P-02 a link to itself", "self", "self"),
            case("P-02 a folder outside", "folder", "../../outside"),
            case("Y-41 to an endless device", "device.yaml", "/dev/zero"),
        ],
    )
    def test_are_refused_and_not_followed(self, repository: Path, name: str, target: str) -> None:
        (repository / "operators" / name).symlink_to(target)
        out = told(repository)
        assert "error[OM008]: this is a link, not a plain file" in out
        assert "root:" not in out
        assert "error[OM008]" in told(repository, f"operators/{name}")

    def test_of_the_settings_lead_nowhere(self, repository: Path) -> None:
        (repository / "opsmail.toml").unlink()
        (repository / "opsmail.toml").symlink_to("../outside/secret")
        ended = opsmail("check", folder=repository)
        assert ended.code == 4
        assert b"this is a link" in ended.err
        assert CANARY.encode() not in ended.err

    def test_of_the_waivers_neither(self, repository: Path) -> None:
        (repository / "waivers.yaml").symlink_to("../outside/secret")
        assert opsmail("check", folder=repository).code == 4

    def test_of_certificates_neither(self, repository: Path) -> None:
        (repository / "ca.pem").symlink_to("../outside/secret")
        with (repository / "opsmail.toml").open("a", encoding="utf-8") as file:
            file.write('ca = "ca.pem"\n')
        ended = opsmail("check", folder=repository)
        assert ended.code == 4
        assert CANARY.encode() not in ended.err

    @pytest.mark.case("P-16")
    def test_a_hard_link_is_a_file(self, repository: Path) -> None:
        """Nothing tells it from one; what is published comes from commits."""
        os.link(repository / "operators/rh.yaml", repository / "operators/ti.yaml")
        assert "OM105" in told(repository)

    def test_a_file_that_output_goes_to(self, repository: Path) -> None:
        (repository / "findings.json").symlink_to("../outside/secret")
        ended = opsmail("check", "--format", "json:findings.json", folder=repository)
        assert ended.code == 4
        assert (repository / "../outside/secret").read_text("utf-8") == CANARY


class TestSpecialFiles:
    def test_a_pipe_does_not_wait(self, repository: Path) -> None:
        os.mkfifo(repository / "operators/pipe.yaml")
        assert "this is a named pipe, not a plain file" in told(repository)

    @pytest.mark.case("Y-41")
    def test_a_file_larger_than_memory(self, repository: Path) -> None:
        """Refused by its size, in little memory."""
        with (repository / "operators/huge.yaml").open("wb") as file:
            file.truncate(10 * 2**30)

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (256 * 2**20, 256 * 2**20))

        ended = opsmail("check", folder=repository, prepare=limit)
        assert ended.code == 1
        assert b"the file is larger than 256 KiB" in ended.out


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            case("P-06 a line end", "a\nb.yaml"),
            case("P-06 an escape sequence", "a\x1b[31mb.yaml"),
            case("P-06 a workflow command", "::error::x.yaml"),
            case("P-06 a backtick", "a`b.yaml"),
            case("P-06 a quote", 'a"b.yaml'),
            case("P-06 a space", "a b.yaml"),
            case("P-06 turned around", "\u202eab.yaml"),
            case("P-06 no UTF-8", os.fsdecode(b"a\xff.yaml")),
            case("P-04 an encoded slash", "..%2f.yaml"),
            case("P-04 a backslash", "a\\b.yaml"),
            case("P-04 a drive", "c:x.yaml"),
            case("P-07 an option", "-rf.yaml"),
            case("P-07 a long option", "--help.yaml"),
        ],
    )
    def test_are_refused_and_shown_harmless(self, repository: Path, name: str) -> None:
        write_files(repository, {f"operators/{name}": operator_text()})
        out = told(repository)
        assert "error[OM008]" in out
        assert all(char == "\n" or char.isprintable() for char in out)
        assert not any(line.startswith("::") for line in out.splitlines())

    @pytest.mark.parametrize("folder", ["a\nb", "::error::", ".git", "A"])
    def test_of_folders_too(self, repository: Path, folder: str) -> None:
        write_files(repository, {f"operators/{folder}/x.yaml": operator_text()})
        assert "error[OM008]: the folder's name" in told(repository)

    @pytest.mark.case("P-04")
    @pytest.mark.parametrize("path", ["../outside/secret", "/etc/passwd", "operators/../../outside/secret"])
    def test_of_other_files_are_not_shown(self, repository: Path, path: str) -> None:
        """Naming a file is allowed, and shows nothing of it."""
        out = told(repository, path)
        assert "error[OM008]" in out
        assert "root:" not in out

    @pytest.mark.case("P-05")
    @pytest.mark.parametrize("id_", ["../../x", "..%2f..%2fx", "/etc/passwd", "a/b", "..", "a\\\\b"])
    def test_that_operators_call_themselves(self, repository: Path, id_: str) -> None:
        """An id is no path."""
        write_files(repository, {"operators/rh.yaml": operator_text(operator=id_)})
        assert "error[OM104]" in told(repository)


@pytest.mark.case("P-05")
def test_nothing_outside_is_opened(repository: Path) -> None:
    """Of all paths that a check opens, those below the repository's parent are in the repository."""
    (repository / "operators/evil.yaml").symlink_to("../../outside/secret.yaml")
    write_files(repository, {"operators/a/b/ti.yaml": operator_text(operator="../../../outside/secret")})
    program = (
        "import sys\n"
        "sys.addaudithook(lambda event, arguments: event == 'open' and print(repr(arguments[0]), file=sys.stderr))\n"
        "from opsmail.cli import main\n"
        "main()\n"
    )
    ended = opsmail("check", folder=repository, python=(sys.executable, "-c", program))
    assert ended.code == 1
    opened = [line for line in ended.err.decode().splitlines() if str(repository.parent) in line]
    assert any("operators/rh.yaml" in line for line in opened)
    assert [line for line in opened if f"{repository}/" not in line and f"{repository}'" not in line] == []


@pytest.mark.case("P-09")
def test_a_file_is_read_once(tmp_path: Path) -> None:
    """What is exchanged while a check runs is seen as one or the other, never as a mixture."""
    root = write_files(tmp_path, FILES)
    target = root / "operators/rh.yaml"
    versions = [b"a" * 200_000, b"b" * 200_000]
    stop = threading.Event()

    def exchange() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            (root / "new").write_bytes(versions[number % 2])
            (root / "new").replace(target)

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        seen = {next(iter(WorkTree(root).operator_files(("operators",)))).content for _ in range(200)}
    finally:
        stop.set()
        thread.join()
    assert seen <= {*versions, FILES["operators/rh.yaml"].encode()}
    assert len(seen) >= 1


@pytest.mark.case("P-14")
def test_five_thousand_files_in_a_thousand_folders(tmp_path: Path) -> None:
    """Time and memory in proportion."""
    content = operator_text(role="standard")
    for number in range(1000):
        write_files(tmp_path, {f"operators/t{number}/o{number}-{item}.yaml": content for item in range(5)})
    files = list(WorkTree(tmp_path).operator_files(("operators",)))
    assert len(files) == 5_000
    assert [file.path for file in files] == sorted(file.path for file in files)


def test_the_working_folder_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    ended = opsmail("check", folder=folder, prepare=folder.rmdir)
    assert ended.code in (2, 4)
    assert ended.err.startswith(b"error: ")
