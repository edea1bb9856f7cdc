"""What fails outside: a repository out of order refuses (exit 3), what does not answer is unavailable (exit 4)."""

from pathlib import Path

import pytest

from tests.acceptance.command import Shell
from tests.acceptance.fleets import BILLING, HR
from tests.acceptance.repository import SIGNING_KEY, Repository, secret_name
from tests.acceptance.statements import new_pair

pytestmark = pytest.mark.acceptance


@pytest.mark.case("P-12")
def test_uncommitted_changes_are_not_published(published: Repository) -> None:
    published.edit(f"operators/{HR}.yaml", "role: standard", "role: standard\nname: RH")
    published.write("operators/novo.yaml", published.read(f"operators/{HR}.yaml").replace(HR, "novo"))
    (published.root / f"operators/{BILLING}.yaml").unlink()
    published.edit("opsmail.toml", 'max_age = "1h"', 'max_age = "2h"')
    result = published.run("publish", "--yes", code=3)
    changed = f"operators/{BILLING}.yaml, operators/novo.yaml, operators/{HR}.yaml, opsmail.toml"
    assert f"error: uncommitted changes: {changed}\n" in result.err
    assert "hint: commit them, or name a commit with --commit" in result.err
    # The commit itself may be: what is meant was named.
    published.run("publish", "--yes", "--commit", "HEAD")
    assert published.head() == 1


def test_what_is_not_in_git_is_not_published(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "shell")
    folder = tmp_path / "folder"
    (folder / "operators").mkdir(parents=True)
    result = shell.run(("publish", "--yes"), code=3, folder=folder, environment={})
    assert "is not in a git repository" in result.err
    assert "hint: " in result.err


def damage(store: Path) -> None:
    content = bytearray(store.read_bytes())
    content[:100] = b"not a database".ljust(100)
    store.write_bytes(content)


def replace_by_a_folder(store: Path) -> None:
    store.unlink()
    store.mkdir()


@pytest.mark.parametrize("harm", [damage, replace_by_a_folder])
def test_a_dead_store_is_told_and_left_alone(published: Repository, harm: object) -> None:
    assert callable(harm)
    store = published.root / "opsmail.db"
    for path in published.root.glob("opsmail.db-*"):
        path.unlink()
    harm(store)
    before = store.read_bytes() if store.is_file() else None
    result = published.run("publish", "--yes", code=4)
    assert result.err.startswith("error: ")
    assert "opsmail.db" in result.err
    assert "hint: " in result.err
    assert (store.read_bytes() if store.is_file() else None) == before


def test_there_is_nothing_to_show_where_nothing_is_published(published: Repository) -> None:
    for path in published.root.glob("opsmail.db*"):
        path.unlink()
    result = published.run("show", HR, code=4)
    assert "opsmail.db" in result.err
    assert "hint: " in result.err
    assert list(published.root.glob("opsmail.db*")) == []


def test_a_secret_that_is_not_there_is_told_at_the_operator(published: Repository) -> None:
    result = published.run("test", HR, "--format", "text", code=4, without=(secret_name(HR),))
    assert "OM606 unresolvable-secret" in result.out
    assert f"`{secret_name(HR)}` is not set" in result.out
    assert f"to change: operators/{HR}.yaml:13:13 (authentication.password)" in result.out


def test_without_the_signing_key_a_test_proves_nothing_and_nothing_is_published(published: Repository) -> None:
    before = published.evidence()
    result = published.run("test", HR, without=(SIGNING_KEY,))
    assert f"no evidence will be signed: the environment variable `{SIGNING_KEY}` is not set" in result.err
    assert published.evidence() == before
    published.git("rm", "--quiet", f"operators/{HR}.yaml")
    published.commit()
    refused = published.run("publish", "--yes", "--prune", HR, code=4, without=(SIGNING_KEY,))
    assert f"`{SIGNING_KEY}` is not set" in refused.err
    assert published.head() == 1


def test_a_key_that_nobody_trusts_signs_nothing(published: Repository) -> None:
    other = {SIGNING_KEY: new_pair().private}
    before = published.evidence()
    assert "is not trusted to sign `test-send`" in published.run("test", HR, environment=other).err
    assert published.evidence() == before
    published.git("rm", "--quiet", f"operators/{HR}.yaml")
    published.commit()
    refused = published.run("publish", "--yes", "--prune", HR, code=3, environment=other).err
    assert "is not trusted to sign `generation`" in refused
    assert published.head() == 1


def test_outputs_that_cannot_be_written_are_told(published: Repository) -> None:
    for arguments in (
        ("check", "--format", "json:none/findings.json"),
        ("plan", "--out", "none/plan.json"),
    ):
        result = published.run(*arguments, code=4)
        assert "none/" in result.err
        assert "hint: " in result.err


def test_keys_are_not_overwritten(published: Repository) -> None:
    published.write("out/one.pub.pem", "a key")
    result = published.run("keygen", "one", "--folder", "out", code=3)
    assert "exists and is not overwritten" in result.err
    assert published.read("out/one.pub.pem") == "a key"
    assert not (published.root / "out" / "one.key").exists()
