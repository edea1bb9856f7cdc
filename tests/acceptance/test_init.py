"""`opsmail init`, installed: a repository that a team can go on with."""

import shlex
from pathlib import Path

import pytest
import yaml

from tests.acceptance.command import Shell
from tests.acceptance.repository import Repository

pytestmark = pytest.mark.acceptance


def started(folder: Path, *arguments: str) -> Repository:
    repository = Repository.make(folder)
    (repository.root / ".gitignore").unlink()
    repository.run("init", *arguments)
    return repository


def test_init_then_check_is_clean(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "shell")
    said = shell.run(("init", "mail", "--ci", "azure"), code=0, folder=tmp_path, environment={})
    assert "wrote 12 files in mail" in said.err
    checked = shell.run(("check", "--fail-on", "warning"), code=0, folder=tmp_path / "mail", environment={})
    assert checked.out == "no findings in 2 operators\n"
    again = shell.run(("init", "mail"), code=3, folder=tmp_path, environment={})
    assert "operators/example-modern.yaml" in again.err


def test_what_is_committed_is_what_should_be(tmp_path: Path) -> None:
    repository = started(tmp_path)
    repository.write("keys/ci.key", "private")
    repository.run("keygen", "ci", "--folder", "keys2")
    repository.commit()
    committed = repository.git("ls-files").splitlines()
    assert ".github/workflows/deploy.yml" in committed
    assert "keys2/ci.pub.pem" in committed
    assert [name for name in committed if name.endswith(".key")] == []


def test_its_hooks_before_a_commit_find_what_is_wrong(tmp_path: Path) -> None:
    """The entries as pre-commit runs them: one with the files that are committed, one without."""
    repository = started(tmp_path, "--provider", "own-server")
    (local,) = yaml.safe_load(repository.read(".pre-commit-config.yaml"))["repos"]
    assert local["repo"] == "local"
    file = "operators/example-basic.yaml"
    for broken in (False, True):
        if broken:
            repository.edit(file, "port: 587", "port: 465")
        for hook in local["hooks"]:
            program, *arguments = shlex.split(hook["entry"])
            assert (program, hook["language"]) == ("opsmail", "system")
            names = [file] if hook.get("pass_filenames", True) else []
            result = repository.run(*arguments, *names, code=int(broken))
            assert ("error[OM201]" in result.out) == broken


def test_where_each_secret_goes_is_told_and_no_value_is(tmp_path: Path) -> None:
    repository = started(tmp_path, "--ci", "gitlab")
    repository.secrets["OPSMAIL_SECRET_EXAMPLE_BASIC"] = "S3nh&-do-exemplo"
    told = repository.run("secrets").out
    assert "env://OPSMAIL_SECRET_EXAMPLE_BASIC  resolves here" in told
    assert "env://OPSMAIL_SECRET_EXAMPLE_MODERN  does not resolve here" in told
    assert "glab variable set OPSMAIL_SECRET_EXAMPLE_MODERN --scope production" in told
    assert "gh secret" not in told
    repository.search()
