"""Commits as they are read, from repositories as they come: hostile, shallow, partial, large, in another hash."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from opsmail.source.commit import CommitTree
from opsmail.source.git import GitRepository, UnknownRevisionError, repository_name
from opsmail.source.tree import MAX_BYTES, NoFolderError, SourceError

FOLDER = ("operators",)
IDENTITY = {
    "GIT_AUTHOR_NAME": "TI",
    "GIT_AUTHOR_EMAIL": "ti@empresa.test",
    "GIT_COMMITTER_NAME": "TI",
    "GIT_COMMITTER_EMAIL": "ti@empresa.test",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


class Clone:
    """A repository as a person works in it."""

    def __init__(self, root: Path, *options: str, origin: str | None = None) -> None:
        self.root = root
        root.parent.mkdir(parents=True, exist_ok=True)
        if origin is None:
            self._run(root.parent, "init", "--quiet", "--initial-branch", "main", *options, str(root))
        else:
            self._run(root.parent, "-c", "protocol.file.allow=always", "clone", "--quiet", *options, origin, str(root))

    def _run(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=os.environ | IDENTITY,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.decode().strip()

    def git(self, *arguments: str) -> str:
        return self._run(self.root, *arguments)

    def write(self, name: str, content: bytes = b"a: 1\n") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def commit(self, *names: str) -> str:
        for name in names:
            self.write(name)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")
        return self.git("rev-parse", "HEAD")

    @property
    def repository(self) -> GitRepository:
        found = GitRepository.find(self.root)
        assert found is not None
        return found

    def tree(self, revision: str = "HEAD") -> CommitTree:
        return CommitTree(self.repository, self.repository.commit(revision))

    def files(self, revision: str = "HEAD") -> dict[str, bytes | str]:
        """Each operator file with its content, or the rule that it breaks."""
        found = self.tree(revision).operator_files(FOLDER)
        return {file.path: file.content if file.problem is None else file.problem.rule for file in found}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git on the PATH that notes where it is called and how; return where."""
    record, folder = tmp_path / "calls", tmp_path / "bin"
    folder.mkdir()
    git = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, check=True).stdout.decode().strip()
    (folder / "git").write_text(f'#!/bin/sh\n{{ echo "argv: $*"; env; }} >> {record}\nexec {git} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return record


class TestRepository:
    def test_a_folder_below_it_is_in_it(self, clone: Clone) -> None:
        clone.commit("mail/operators/rh.yaml")
        below = GitRepository.find(clone.root / "mail")
        assert below is not None
        tree = CommitTree(below, below.commit("HEAD"))
        assert [file.path for file in tree.operator_files(FOLDER)] == ["operators/rh.yaml"]
        assert tree.read("operators/rh.yaml") == b"a: 1\n"
        clone.write("mail/operators/rh.yaml", b"b")
        assert tree.changed_files(FOLDER) == ["operators/rh.yaml"]

    def test_a_folder_outside_is_in_none(self, tmp_path: Path) -> None:
        assert GitRepository.find(tmp_path) is None

    def test_neither_is_a_bare_one_or_the_inside_of_one(self, clone: Clone, tmp_path: Path) -> None:
        Clone(tmp_path / "bare", "--bare")
        for folder in (clone.root / ".git", tmp_path / "bare"):
            with pytest.raises(SourceError, match="bare repository") as caught:
                GitRepository.find(folder)
            assert "working tree" in str(caught.value.hint)

    def test_a_repository_of_somebody_else_is_told_with_what_git_advises(self, clone: Clone) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        os.chown(clone.root, 12345, 12345)
        with pytest.raises(SourceError, match="dubious ownership") as caught:
            GitRepository.find(clone.root)
        assert "git config --global --add safe.directory" in str(caught.value.hint)

    def test_git_is_missing(self, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(SourceError, match="git cannot be run") as caught:
            GitRepository.find(clone.root)
        assert "install git" in str(caught.value.hint)

    def test_git_does_not_end(self, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 60\n")
        (tmp_path / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(SourceError, match=r"did not answer within 0\.2 s"):
            GitRepository(clone.root, seconds=0.2).run("rev-parse", "HEAD")

    def test_git_fails_without_a_word(self, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "git").write_text("#!/bin/sh\nexit 7\n")
        (tmp_path / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(SourceError, match="git failed: status 7"):
            clone.repository.run("rev-parse", "HEAD")


class TestRevisions:
    def test_names_of_one_commit(self, clone: Clone) -> None:
        first, second = clone.commit("operators/a.yaml"), clone.commit("operators/b.yaml")
        clone.git("tag", "--annotate", "--message", "v", "v1")
        for name in ("HEAD", "main", "v1", second[:8], "HEAD~0", "refs/heads/main", "v1^{commit}"):
            assert clone.repository.commit(name) == second
        assert clone.repository.commit("HEAD^") == first

    @pytest.mark.parametrize(
        "name",
        [
            "nope",
            "",
            "--all",
            "-h",
            "--upload-pack=touch pwned",
            "HEAD:operators/a.yaml",
            "HEAD; touch pwned",
            "HEAD\nmain",
            "a" * 201,
            "0" * 40,
            "ação",
            "HEAD\0",
        ],
    )
    def test_what_names_no_commit_is_a_wrong_option(self, clone: Clone, name: str) -> None:
        clone.commit("operators/a.yaml")
        with pytest.raises(UnknownRevisionError, match="there is no commit") as caught:
            clone.repository.commit(name)
        assert "fetch-depth" in str(caught.value.hint)
        assert not (clone.root / "pwned").exists()

    def test_a_repository_without_a_commit(self, clone: Clone) -> None:
        with pytest.raises(UnknownRevisionError) as caught:
            clone.repository.commit("HEAD")
        assert str(caught.value.hint) == "nothing is committed yet: commit what is here first"

    def test_a_tree_or_file_is_no_commit(self, clone: Clone) -> None:
        clone.commit("operators/a.yaml")
        with pytest.raises(UnknownRevisionError):
            clone.repository.commit(clone.git("rev-parse", "HEAD^{tree}"))


class TestDescent:
    def test_before_after_beside_and_itself(self, clone: Clone) -> None:
        first = clone.commit("a")
        second = clone.commit("b")
        clone.git("checkout", "--quiet", "-b", "other", first)
        beside = clone.commit("c")
        descends = clone.repository.descends
        assert [descends(second, first), descends(second, second)] == [True, True]
        assert [descends(first, second), descends(beside, second)] == [False, False]

    def test_a_commit_that_is_not_here(self, clone: Clone) -> None:
        assert clone.repository.descends(clone.commit("a"), "ab" * 20) is None

    def test_a_shallow_clone_does_not_tell(self, clone: Clone, tmp_path: Path) -> None:
        first = clone.commit("a")
        clone.commit("b")
        clone.git("branch", "old", first)
        clone.commit("c")
        shallow = Clone(tmp_path / "shallow", "--depth", "1", "--no-single-branch", origin=clone.root.as_uri())
        assert shallow.repository.descends(shallow.git("rev-parse", "HEAD"), first) is None
        head = shallow.git("rev-parse", "HEAD")
        assert shallow.repository.descends(head, head) is True

    def test_history_cannot_be_replaced(self, clone: Clone) -> None:
        """Replacement refs and grafts are local, and nobody reviews them."""
        first, second = clone.commit("a"), clone.commit("b")
        clone.git("checkout", "--quiet", "--orphan", "other")
        orphan = clone.commit("c")
        clone.git("replace", orphan, second)
        clone.write(".git/info/grafts", f"{orphan} {second}\n".encode())
        assert clone.repository.descends(orphan, first) is False
        clone.write(".git/info/grafts", f"{second}\n".encode())
        assert clone.repository.descends(second, first) is True


class TestIdentity:
    @pytest.mark.parametrize(
        ("url", "name"),
        [
            ("https://github.com/Empresa/mail.git", "github.com/Empresa/mail"),
            ("https://GitHub.com/Empresa/mail/", "github.com/Empresa/mail"),
            ("https://github.com:443/Empresa/mail.git/", "github.com/Empresa/mail"),
            ("ssh://git@github.com:22/Empresa/mail.git", "github.com/Empresa/mail"),
            ("git@github.com:Empresa/mail.git", "github.com/Empresa/mail"),
            ("github.com:Empresa/mail", "github.com/Empresa/mail"),
            ("git@github.com:/Empresa/mail", "github.com/Empresa/mail"),
            ("ssh://git@[2001:db8::1]:22/mail.git", "[2001:db8::1]/mail"),
            ("git@[2001:db8::1]:mail.git", "[2001:db8::1]/mail"),
            ("file:///srv/git/mail.git", "/srv/git/mail"),
            ("/srv/git/mail.git", "/srv/git/mail"),
            ("../mail", "../mail"),
            ("./odd:name", "./odd:name"),
            ("http://[broken/mail", "[broken/mail"),
        ],
    )
    def test_one_repository_has_one_name_however_it_is_reached(self, url: str, name: str) -> None:
        assert repository_name(url) == name

    @pytest.mark.parametrize(
        "url",
        [
            "https://user:s3cret@host.test/a.git",
            "https://s3cret@host.test/a.git",
            "https://user:s3cret%40x@host.test/a.git",
            "https://user:s3c/s3cret@host.test/a.git",
            "https://user:x@s3cret@host.test/a.git",
            "https://host.test/a.git?token=s3cret",
            "https://host.test/a.git#s3cret",
            "user:s3cret@host.test:a.git",
        ],
    )
    def test_credentials_are_no_part_of_it(self, url: str) -> None:
        assert repository_name(url) == "host.test/a"

    def test_it_is_the_origin(self, clone: Clone) -> None:
        commit = clone.commit("a")
        clone.git("remote", "add", "origin", "https://token@host.test/empresa/mail.git")
        assert clone.repository.identity(commit) == "host.test/empresa/mail"

    @pytest.mark.parametrize("url", ["https://host.test/a%\x01b", "x" * 501, "https://"])
    def test_an_origin_that_cannot_stand_in_a_statement(self, clone: Clone, url: str) -> None:
        commit = clone.commit("a")
        clone.git("config", "remote.origin.url", url)
        with pytest.raises(SourceError, match="not one to name a repository by") as caught:
            clone.repository.identity(commit)
        assert url not in str(caught.value)

    def test_without_an_origin_it_is_the_first_commit_whatever_is_merged(self, clone: Clone) -> None:
        first = clone.commit("a")
        second = clone.commit("b")
        assert clone.repository.identity(second) == f"git:{first}"
        for name in ("x", "y", "z"):
            clone.git("checkout", "--quiet", "--orphan", name)
            clone.commit(name)
            clone.git("checkout", "--quiet", "main")
            clone.git("merge", "--quiet", "--allow-unrelated-histories", "--no-edit", name)
        assert clone.repository.identity(clone.git("rev-parse", "HEAD")) == f"git:{first}"
        clone.git("config", "remote.origin.url", "")
        assert clone.repository.identity(second) == f"git:{first}"


class TestFiles:
    @pytest.mark.case("P-11")
    def test_committed_octets_count_and_not_those_on_disk(self, clone: Clone) -> None:
        clone.write("operators/a.yaml", b"a: 1\r\n\xff")
        commit = clone.commit()
        clone.write("operators/a.yaml", b"other")
        clone.write("operators/b.yaml", b"not committed")
        assert clone.files() == {"operators/a.yaml": b"a: 1\r\n\xff"}
        clone.commit()
        assert clone.files(commit) == {"operators/a.yaml": b"a: 1\r\n\xff"}

    @pytest.mark.case("P-11")
    def test_attributes_and_filters_change_nothing(self, clone: Clone, tmp_path: Path) -> None:
        clone.write("operators/a.yaml", b"a: $Id$\nb: 1\n")
        clone.commit()
        clone.write(
            ".gitattributes", b"*.yaml text eol=crlf ident filter=evil diff=evil working-tree-encoding=UTF-16\n"
        )
        for name in ("filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv"):
            clone.git("config", name, f"touch {tmp_path}/pwned; cat")
        assert clone.files() == {"operators/a.yaml": b"a: $Id$\nb: 1\n"}
        assert clone.tree().changed_files(FOLDER) == []
        assert not (tmp_path / "pwned").exists()

    def test_paths_are_in_order_and_only_of_the_folders(self, clone: Clone) -> None:
        clone.commit("operators/b.yaml", "operators/x/a.yaml", "operators/a.yaml", "other/a.yaml", "operators.yaml")
        clone.commit("operators/.gitkeep", "operators-old/a.yaml")
        assert list(clone.files()) == ["operators/a.yaml", "operators/b.yaml", "operators/x/a.yaml"]
        found = clone.tree().operator_files(("other", "operators", "operators/x"))
        assert [file.path for file in found] == [
            "operators/a.yaml",
            "operators/b.yaml",
            "operators/x/a.yaml",
            "other/a.yaml",
        ]

    def test_a_folder_that_is_not_in_the_commit(self, clone: Clone) -> None:
        clone.commit("a")
        clone.write("operators/a.yaml")
        with pytest.raises(NoFolderError, match="there is no folder `operators`"):
            clone.files()

    def test_a_folder_with_nothing_in_it(self, clone: Clone) -> None:
        clone.commit("operators/.gitkeep")
        assert clone.files() == {}

    @pytest.mark.case("P-01")
    @pytest.mark.parametrize("name", ["operators", "operators/a.yaml"])
    def test_links_are_never_followed(self, clone: Clone, name: str) -> None:
        clone.commit("real/a.yaml")
        (clone.root / name).parent.mkdir(exist_ok=True)
        (clone.root / name).symlink_to("/etc/passwd")
        clone.commit()
        if name == "operators":
            with pytest.raises(NoFolderError):
                clone.files()
        else:
            assert clone.files() == {name: "OM008"}
        with pytest.raises(SourceError, match="not a plain, small file"):
            clone.tree().read(name)

    @pytest.mark.case("P-13")
    def test_submodules_are_never_entered(self, clone: Clone, tmp_path: Path) -> None:
        other = Clone(tmp_path / "other")
        other.commit("a.yaml")
        clone.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.root.as_uri(), "operators/x")
        clone.commit()
        assert clone.files() == {"operators/x": "OM008"}
        assert clone.tree().changed_files(FOLDER) == []
        with pytest.raises(SourceError, match="not a plain, small file"):
            clone.tree().read("operators/x")

    @pytest.mark.case("P-07")
    @pytest.mark.parametrize(
        "name", ["a\nb.yaml", 'a"b.yaml', "a\tb.yaml", "ação.yaml", "-a.yaml", "*.yaml", ":(top)x"]
    )
    def test_names_of_every_kind(self, clone: Clone, name: str) -> None:
        clone.commit(f"operators/{name}", "operators/b.yaml", f"{name}/operators/a.yaml")
        assert clone.files() == {f"operators/{name}": "OM008", "operators/b.yaml": b"a: 1\n"}
        assert clone.tree().read(f"operators/{name}") == b"a: 1\n"
        assert clone.tree().changed_files((f"operators/{name}",)) == []
        below = GitRepository.find(clone.root / name)
        assert below is not None
        assert [file.path for file in CommitTree(below, below.commit("HEAD")).operator_files(FOLDER)] == [
            "operators/a.yaml"
        ]

    def test_a_name_that_is_no_utf_8(self, clone: Clone) -> None:
        (clone.root / "operators").mkdir()
        Path(os.fsdecode(os.fsencode(clone.root) + b"/operators/\xff.yaml")).write_bytes(b"a")
        clone.commit()
        assert clone.files() == {"operators/\udcff.yaml": "OM008"}

    def test_what_is_too_large_is_not_even_read(self, clone: Clone, calls: Path) -> None:
        clone.write("operators/a.yaml", b"#" * (MAX_BYTES + 1))
        clone.write("operators/b.yaml", b"#" * MAX_BYTES)
        clone.write("opsmail.toml", b"#" * (1024 * 1024 + 1))
        clone.commit()
        calls.unlink(missing_ok=True)
        assert clone.files() == {"operators/a.yaml": "OM007", "operators/b.yaml": b"#" * MAX_BYTES}
        with pytest.raises(SourceError, match="not a plain, small file"):
            clone.tree().read("opsmail.toml")

    def test_one_file(self, clone: Clone) -> None:
        clone.write("opsmail.toml", b"x = 1\n")
        clone.commit("keys/ci.pub.pem")
        assert clone.tree().read("opsmail.toml") == b"x = 1\n"
        assert clone.tree().read("keys/ci.pub.pem") == b"a: 1\n"
        assert clone.tree().read("none") is None
        assert clone.tree().read("keys") is None

    def test_another_hash(self, tmp_path: Path) -> None:
        clone = Clone(tmp_path / "clone", "--object-format=sha256")
        first = clone.commit("operators/a.yaml")
        second = clone.commit("operators/b.yaml")
        assert len(second) == 64
        assert list(clone.files()) == ["operators/a.yaml", "operators/b.yaml"]
        assert clone.repository.descends(second, first) is True
        assert clone.repository.identity(second) == f"git:{first}"
        assert clone.tree().changed_files(FOLDER) == []
        clone.write("operators/a.yaml", b"changed")
        assert clone.tree().changed_files(FOLDER) == ["operators/a.yaml"]

    def test_a_partial_clone_says_what_is_missing(self, clone: Clone, tmp_path: Path) -> None:
        clone.commit("operators/a.yaml")
        clone.git("config", "uploadpack.allowFilter", "true")
        partial = Clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout", origin=clone.root.as_uri())
        with pytest.raises(SourceError, match="promisor remote") as caught:
            partial.files()
        assert "without `--filter`" in str(caught.value.hint)

    def test_a_damaged_repository(self, clone: Clone) -> None:
        clone.commit("operators/a.yaml")
        blob = clone.git("rev-parse", "HEAD:operators/a.yaml")
        (clone.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
        with pytest.raises(SourceError, match=r"operators/a\.yaml of the commit is not in this clone"):
            clone.files()

    def test_the_number_of_processes_does_not_grow_with_the_fleet(self, clone: Clone, calls: Path) -> None:
        clone.commit(*[f"operators/o{number}.yaml" for number in range(300)])
        tree = clone.tree()
        calls.unlink()
        assert len(list(tree.operator_files(FOLDER))) == 300
        assert calls.read_text().count("argv: ") == 2
        calls.unlink()
        assert tree.changed_files(FOLDER) == []
        assert calls.read_text().count("argv: ") == 2


class TestChanges:
    def test_a_clean_tree(self, clone: Clone) -> None:
        clone.commit("operators/a.yaml", "operators/.gitkeep", "opsmail.toml")
        assert clone.tree().changed_files((*FOLDER, "opsmail.toml", "waivers.yaml")) == []

    def test_a_touched_file_is_not_changed(self, clone: Clone) -> None:
        clone.commit("operators/a.yaml")
        os.utime(clone.root / "operators/a.yaml", (1, 1))
        (clone.root / "operators/a.yaml").chmod(0o755)
        assert clone.tree().changed_files(FOLDER) == []

    def test_changed_deleted_new_and_staged(self, clone: Clone) -> None:
        clone.commit("operators/a.yaml", "operators/b.yaml", "operators/c.yaml", "other")
        clone.write("operators/a.yaml", b"changed")
        (clone.root / "operators/b.yaml").unlink()
        clone.write("operators/d.yaml")
        clone.write("operators/e.yaml")
        clone.git("add", "operators/e.yaml")
        clone.write("other", b"changed")
        assert clone.tree().changed_files(FOLDER) == [f"operators/{name}.yaml" for name in "abde"]
        assert clone.tree().changed_files(("other", "none")) == ["other"]

    def test_what_git_ignores_is_nobody_s_change(self, clone: Clone) -> None:
        clone.write(".gitignore", b"*.swp\n")
        clone.commit("operators/a.yaml")
        clone.write("operators/.a.yaml.swp")
        assert clone.tree().changed_files(FOLDER) == []

    def test_line_ends_of_another_system(self, clone: Clone) -> None:
        clone.write("operators/a.yaml", b"a: 1\nb: 2\n")
        clone.commit()
        clone.write("operators/a.yaml", b"a: 1\r\nb: 2\r\n")
        assert clone.tree().changed_files(FOLDER) == []

    def test_something_else_in_the_place_of_a_file(self, clone: Clone) -> None:
        names = ("a", "b", "c", "d")
        clone.commit(*[f"operators/{name}.yaml" for name in names])
        paths = [clone.root / f"operators/{name}.yaml" for name in names]
        for path in paths:
            path.unlink()
        paths[0].symlink_to(paths[3])
        paths[1].mkdir()
        os.mkfifo(paths[2])
        paths[3].write_bytes(b"a: 1\n")
        assert clone.tree().changed_files(FOLDER) == [f"operators/{name}.yaml" for name in "abc"]

    def test_links_and_unreadable_files(self, clone: Clone) -> None:
        (clone.root / "operators").mkdir()
        for name in ("a", "b"):
            (clone.root / f"operators/{name}.yaml").symlink_to("target")
        clone.commit()
        assert clone.tree().changed_files(FOLDER) == []
        (clone.root / "operators/a.yaml").unlink()
        (clone.root / "operators/a.yaml").symlink_to("elsewhere")
        (clone.root / "operators/b.yaml").unlink()
        assert clone.tree().changed_files(FOLDER) == ["operators/a.yaml", "operators/b.yaml"]


@pytest.mark.case("P-18")
class TestHostileRepository:
    def test_its_configuration_runs_nothing(self, clone: Clone, tmp_path: Path) -> None:
        commit = clone.commit("operators/a.yaml", "opsmail.toml")
        pwned = tmp_path / "pwned"
        script = tmp_path / "evil.sh"
        script.write_text(f"#!/bin/sh\ntouch {pwned}\n")
        script.chmod(0o755)
        for name in (
            "core.fsmonitor",
            "core.pager",
            "core.sshCommand",
            "core.gitProxy",
            "core.editor",
            "core.askPass",
            "core.alternateRefsCommand",
            "diff.external",
            "gpg.program",
            "credential.helper",
            "alias.rev-parse",
            "alias.ls-tree",
            "uploadpack.packObjectsHook",
            "pager.ls-tree",
        ):
            clone.git("config", name, str(script))
        clone.git("config", "log.showSignature", "true")
        clone.git("config", "core.hooksPath", str(tmp_path))
        for hook in ("post-checkout", "post-index-change", "reference-transaction"):
            (tmp_path / hook).write_bytes(script.read_bytes())
            (tmp_path / hook).chmod(0o755)
        pwned.unlink(missing_ok=True)
        assert clone.repository.identity(commit) == f"git:{commit}"
        assert clone.files() == {"operators/a.yaml": b"a: 1\n"}
        assert clone.tree().read("opsmail.toml") == b"a: 1\n"
        assert clone.tree().changed_files(FOLDER) == []
        assert clone.repository.descends(commit, commit) is True
        assert not pwned.exists()

    def test_variables_of_git_do_not_lead_it_elsewhere(
        self, clone: Clone, tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = clone.commit("operators/a.yaml")
        other = Clone(tmp_path / "other")
        other.commit("operators/b.yaml")
        calls.unlink()
        for name, value in (
            ("GIT_DIR", str(other.root / ".git")),
            ("GIT_WORK_TREE", str(other.root)),
            ("GIT_OBJECT_DIRECTORY", str(other.root / ".git/objects")),
            ("GIT_INDEX_FILE", str(other.root / ".git/index")),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "remote.origin.url"),
            ("GIT_CONFIG_VALUE_0", "https://elsewhere.test/x"),
            ("GIT_EXTERNAL_DIFF", "touch pwned"),
            ("GIT_SSH_COMMAND", "touch pwned"),
            ("GIT_TRACE", str(tmp_path / "trace")),
            ("OPSMAIL_SECRET_RH", "s3cret"),
        ):
            monkeypatch.setenv(name, value)
        assert clone.files() == {"operators/a.yaml": b"a: 1\n"}
        assert clone.repository.identity(commit) == f"git:{commit}"
        said = calls.read_text()
        assert "elsewhere" not in said
        assert "s3cret" not in said
        assert not (tmp_path / "trace").exists()

    def test_a_folder_of_a_change_that_looks_like_a_repository_is_not_taken_for_one(
        self, clone: Clone, tmp_path: Path
    ) -> None:
        bare = Clone(tmp_path / "bare", "--bare")
        clone.commit("mail/opsmail.toml", "mail/operators/a.yaml")
        for name in ("HEAD", "config"):
            clone.write(f"mail/{name}", (bare.root / name).read_bytes())
        clone.write("mail/objects/x")
        clone.write("mail/refs/x")
        with pytest.raises(SourceError, match="bare repository"):
            GitRepository.find(clone.root / "mail")
