"""What is not proven is not published: a refusal is exit 3, names the operator and what is missing, changes nothing."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance.fleets import BILLING, HR, MASTER, RECIPIENT, at_relay
from tests.acceptance.repository import SIGNING_KEY, KeyPair, Repository, Server
from tests.acceptance.statements import aged, new_pair, signed_anew, statement_of, unchanged

pytestmark = pytest.mark.acceptance

FILE = f"operators/{HR}.yaml"


def change_hr(repository: Repository, name: str = "RH") -> str:
    """Commit a harmless change of one operator, and return the commit."""
    lines = [line for line in repository.read(FILE).splitlines() if not line.startswith("name: ")]
    repository.write(FILE, "\n".join([*lines, f"name: {name}"]) + "\n")
    return repository.commit(f"Name {name}")


def refused(repository: Repository, *options: str) -> str:
    """Publish, which must be refused with reasons about one operator only, and return what was said."""
    result = repository.run("publish", "--yes", *options, code=3)
    assert result.out == ""
    reasons = [line for line in result.err.splitlines() if line.startswith("refused: ")]
    assert reasons
    assert [line for line in reasons if not line.startswith(f"refused: {HR}: ")] == []
    assert repository.head() == 1
    return result.err


def evidence_of(repository: Repository, commit: str) -> Path:
    """Return the file of the statement that was made on a commit."""
    statements = {path: statement_of(path)["predicate"]["context"] for path in repository.evidence()}
    (found,) = [path for path, context in statements.items() if context["commit"] == commit]
    return found


def test_a_change_without_a_test_is_refused_until_it_has_one(published: Repository) -> None:
    change_hr(published)
    said = refused(published)
    assert f"evidence for operator:{HR}" in said
    assert "is for another version of it" in said
    assert f"hint: run `opsmail test {HR}` on this commit" in said
    for path in published.evidence():
        path.unlink()
    assert f"there is no `test-send` evidence for operator:{HR}" in refused(published)
    published.run("test", "--unproven")
    # Nobody is asked where nobody is.
    asked = published.run("publish", code=3).err
    assert "hint: pass --yes, or publish a plan saved with `opsmail plan --out FILE`" in asked
    assert published.head() == 1
    published.run("publish", "--yes")
    assert published.head() == 2


def test_a_test_that_did_not_go_far_enough_proves_too_little(published: Repository) -> None:
    change_hr(published)
    published.run("test", HR, "--depth", "authenticate")
    assert "goes as far as `authenticate`, needed is `send`" in refused(published)


def test_a_test_under_other_settings_proves_nothing(published: Repository) -> None:
    change_hr(published)
    published.run("test", HR)
    published.edit("opsmail.toml", 'max_age = "1h"', 'max_age = "30m"')
    published.commit("Maximum age")
    assert "was made under other settings" in refused(published)


def test_a_test_for_another_environment_proves_nothing(published: Repository) -> None:
    kinds = 'kinds = ["test-send", "generation"]\n'
    published.edit("opsmail.toml", kinds, f'{kinds}environments = ["default", "producao"]\n')
    settings = published.read("opsmail.toml")
    published.write("opsmail.toml", f"{settings}[environments.producao]\nlive.timeout_seconds = 19\n")
    published.commit("Environment")
    published.run("test", HR)
    said = published.run("publish", "--yes", "--env", "producao", code=3).err
    assert f"refused: {HR}: " in said
    assert "is for environment default, not producao" in said
    assert published.head("producao") == 0


def test_an_old_test_proves_nothing_any_more(published: Repository) -> None:
    statement = change_and_test(published)
    key = published.secrets[SIGNING_KEY]
    statement.write_bytes(signed_anew(statement, key, aged(timedelta(hours=2))))
    assert "is 2 hours old" in refused(published)
    # Signed by the same hand, and young enough.
    statement.write_bytes(signed_anew(statement, key, aged(timedelta(minutes=9))))
    published.run("publish", "--yes")
    assert published.head() == 2


def change_and_test(repository: Repository) -> Path:
    """Change an operator and test it; return its statement."""
    commit = change_hr(repository)
    repository.run("test", HR)
    return evidence_of(repository, commit)


def test_only_the_right_key_and_the_whole_statement_prove_something(published: Repository) -> None:
    entries = {
        "revoked": 'kinds = ["test-send"]\nrevoked = true\n',
        "of-another-kind": 'kinds = ["generation"]\n',
        "of-another-environment": 'kinds = ["test-send"]\nenvironments = ["producao"]\n',
    }
    pairs = {name: new_pair() for name in (*entries, "unknown")}
    settings = published.read("opsmail.toml")
    for name, entry in entries.items():
        published.write(f"keys/{name}.pub.pem", pairs[name].public)
        settings += f'[[gate.keys]]\nfile = "keys/{name}.pub.pem"\n{entry}\n'
    published.write("opsmail.toml", settings)
    published.commit("Keys")
    statement = change_and_test(published)
    genuine = statement.read_bytes()
    place = genuine.index(b'"payload":"') + 40
    other = b"A" if genuine[place : place + 1] != b"A" else b"B"
    forgeries = {name: signed_anew(statement, pair.private, unchanged) for name, pair in pairs.items()} | {
        "edited": genuine[:place] + other + genuine[place + 1 :],
        "cut off": genuine[:-20],
    }
    for path in published.evidence():
        path.unlink()
    for name, forgery in forgeries.items():
        (statement.parent / f"{name}.dsse.json").write_bytes(forgery)
    judged = published.run("evidence", "verify", code=1)
    assert [line[0] for line in judged.out.splitlines()] == ["✗"] * len(forgeries)
    assert f"{len(forgeries)} statements, {len(forgeries)} refused" in judged.err
    # The keys themselves were added on purpose.
    accepted = ("--accept-settings", settings_digest(published))
    assert f"evidence for operator:{HR}" in refused(published, *accepted)
    statement.write_bytes(genuine)
    published.run("publish", "--yes", *accepted)
    assert published.head() == 2


def settings_digest(repository: Repository) -> str:
    """The digest of settings that allow more than the published ones, as the refusal names it."""
    said = repository.run("publish", "--yes", code=3).err
    (digest,) = set(re.findall(r"`--accept-settings (sha256:[0-9a-f]{64})`", said))
    return str(digest)


def test_settings_that_allow_more_are_accepted_first(published: Repository) -> None:
    published.edit("opsmail.toml", 'max_age = "1h"', 'max_age = "2h"')
    published.commit("Maximum age")
    change_and_test(published)
    digest = settings_digest(published)
    wrong = ("--accept-settings", f"sha256:{'0' * 64}")
    said = published.run("publish", "--yes", *wrong, code=3).err
    assert said.startswith("refused: the settings allow more than those of the last publish: `gate.max_age` goes from")
    assert said.count("refused: ") == 1
    assert published.head() == 1
    published.run("publish", "--yes", "--accept-settings", digest)
    assert published.head() == 2


def test_approved_by_a_key_that_was_trusted_before(published: Repository) -> None:
    """First IT's key is brought in, which is accepted; from then on IT approves, and not who wrote the change."""
    pair = new_pair()
    published.write("keys/ti.pub.pem", pair.public)
    settings = published.read("opsmail.toml")
    published.write("opsmail.toml", f'{settings}[[gate.keys]]\nfile = "keys/ti.pub.pem"\nkinds = ["approval"]\n')
    published.commit("Key of IT")
    published.run("publish", "--yes", "--accept-settings", settings_digest(published))
    published.edit("opsmail.toml", '"test-send"]\nmax_age', '"test-send", "approval"]\nmax_age')
    published.edit("opsmail.toml", 'max_age = "1h"', 'max_age = "2h"')
    published.commit("Approvals, and a longer age")
    settings_digest(published)
    mine = {SIGNING_KEY: pair.private}
    own = published.run("approve", "--settings", "--as", "ti@empresa.test", code=3, environment=mine)
    assert "wrote the last change of the settings" in own.err
    published.run("approve", "--settings", "--as", "chefia@empresa.test", environment=mine)
    published.run("publish", "--yes")
    change_hr(published)
    published.run("test", HR)
    assert f"hint: run `opsmail approve {HR}`" in published.run("publish", "--yes", code=3).err
    published.run("approve", HR, "--as", "chefia@empresa.test", "--role", "TI", environment=mine)
    published.run("publish", "--yes")
    assert published.head() == 4


def test_what_the_check_finds_refuses_whatever_was_proven(published: Repository) -> None:
    published.edit(FILE, "port: 587", "port: 2599")
    published.commit("Port")
    assert f"refused: {HR}: OM209 at {FILE}:8: port 2599" in refused(published)
    published.edit(FILE, "port: 2599", "port: 587")
    published.edit(f"operators/{MASTER}.yaml", "role: master", "role: standard")
    published.commit("No master")
    assert "OM701" in published.run("publish", "--yes", code=3).err
    assert published.head() == 1


def test_a_deletion_is_named_first(published: Repository) -> None:
    published.git("rm", "--quiet", f"operators/{BILLING}.yaml")
    published.commit("No billing")
    said = published.run("publish", "--yes", "--prune", HR, code=3).err
    assert f"`{BILLING}` would be deleted" in said
    assert f"--prune {BILLING}" in said
    assert published.head() == 1
    published.run("publish", "--yes", "--prune", BILLING)
    assert published.head() == 2
    assert f"`{BILLING}`" in published.run("show", BILLING, code=2).err


def test_the_master_is_not_exchanged_by_accident(published: Repository) -> None:
    published.edit(f"operators/{MASTER}.yaml", "role: master", "role: standard")
    published.edit(FILE, "role: standard", "role: master")
    published.commit("Another master")
    published.run("test", "--unproven")
    others = ("--allow-many-updates", "--allow-many-deletes", "--allow-many-changes", "--allow-empty")
    said = published.run("publish", "--yes", *others, code=3).err
    assert f"`{MASTER}`" in said
    assert "--allow-master-change" in said
    assert published.head() == 1
    published.run("publish", "--yes", "--allow-master-change")
    assert published.head() == 2


@pytest.mark.case("W-13")
def test_only_what_comes_after_the_published_commit_replaces_it(published: Repository) -> None:
    first = published.git("rev-parse", "HEAD")
    change_and_test(published)
    published.run("publish", "--yes")
    older = published.run("publish", "--yes", "--commit", first, code=3).err
    assert f"commit {first[:12]} does not come after the published one" in older
    published.git("checkout", "--quiet", "-b", "outro", "HEAD~1")
    change_hr(published, "Recursos Humanos")
    assert "does not come after the published one" in published.run("publish", "--yes", code=3).err
    assert published.head() == 2


def test_nothing_to_publish_is_no_new_generation(published: Repository) -> None:
    assert "nothing to publish: generation 1 " in published.run("publish", "--yes").err
    assert published.head() == 1


# --- limits on how much one publish changes


@pytest.fixture(scope="module")
def twelve_once(tmp_path_factory: pytest.TempPathFactory, keys: KeyPair) -> Repository:
    """Twelve operators, published without evidence, which is told; only for copying."""
    repository = Repository.make(tmp_path_factory.mktemp("twelve"), keys)
    repository.settings(Server(host="mail.empresa.test", ca=None), recipient=RECIPIENT)
    repository.edit("opsmail.toml", 'require = ["test-send"]', "require = []")
    for number in range(12):
        repository.operator(at_relay(f"op{number:02}", "standard" if number else "master"))
    repository.commit()
    assert "no evidence was required" in repository.run("publish", "--yes").err
    return repository


@pytest.fixture
def twelve(tmp_path: Path, twelve_once: Repository) -> Iterator[Repository]:
    copy = twelve_once.copy(tmp_path)
    yield copy
    copy.search()


def update(fleet: Repository, *numbers: int) -> None:
    for number in numbers:
        name = f"operators/op{number:02}.yaml"
        fleet.write(name, f"{fleet.read(name)}name: Novo\n")


def delete(fleet: Repository, *numbers: int) -> tuple[str, ...]:
    for number in numbers:
        (fleet.root / f"operators/op{number:02}.yaml").unlink()
    return tuple(part for number in numbers for part in ("--prune", f"op{number:02}"))


def many_updates(fleet: Repository) -> tuple[str, ...]:
    update(fleet, 1, 2, 3, 4)
    return ()


def many_deletes(fleet: Repository) -> tuple[str, ...]:
    return delete(fleet, 1, 2)


def many_changes(fleet: Repository) -> tuple[str, ...]:
    fleet.edit("opsmail.toml", "[gate]", "[store]\nmax_changes = 2\n\n[gate]")
    update(fleet, 1, 2, 3)
    return ()


def empty(fleet: Repository) -> tuple[str, ...]:
    fleet.write("operators/.gitkeep", "")
    return delete(fleet, *range(12))


ALLOWING: dict[str, Callable[[Repository], tuple[str, ...]]] = {
    "--allow-many-updates": many_updates,
    "--allow-many-deletes": many_deletes,
    "--allow-many-changes": many_changes,
    "--allow-empty": empty,
}


@pytest.mark.parametrize("option", ALLOWING)
def test_each_limit_has_one_option_and_no_other_allows_it(twelve: Repository, option: str) -> None:
    prune = ALLOWING[option](twelve)
    twelve.commit("Much at once")
    others = ["--allow-master-change", *(other for other in ALLOWING if other != option)]
    said = twelve.run("publish", "--yes", *others, *prune, code=3).err
    assert f"`{option}` allows it" in said
    assert said.count("refused: ") == 1
    assert twelve.head() == 1
    twelve.run("publish", "--yes", option, *(others if option == "--allow-empty" else ()), *prune)
    assert twelve.head() == 2


@pytest.mark.case("P-10")
@pytest.mark.case("W-09")
def test_a_saved_plan_is_published_as_it_was_saved_or_not_at_all(twelve: Repository) -> None:
    plan = "out/plan.json"
    update(twelve, 1)
    twelve.commit("One")
    twelve.run("plan", "--out", plan)
    genuine = twelve.read(plan)
    twelve.write(plan, genuine.replace('"unchanged": 11', '"unchanged": 12'))
    assert "edited" in twelve.run("publish", plan, code=2).err

    update(twelve, 2)
    twelve.commit("Two")
    twelve.write(plan, genuine)
    stale = "the saved plan is stale: "
    assert f"{stale}it was made for another commit" in twelve.run("publish", plan, code=3).err
    assert twelve.head() == 1

    twelve.run("plan", "--out", plan)
    twelve.run("publish", "--yes")
    assert f"{stale}something else was published meanwhile" in twelve.run("publish", plan, code=3).err
    assert twelve.head() == 2


def test_a_plan_tells_the_limits_that_it_would_meet(twelve: Repository) -> None:
    many_deletes(twelve)
    twelve.commit("Much at once")
    shown = twelve.run("plan").out
    for option in ("--allow-many-deletes", "--prune op01", "--prune op02"):
        assert option in shown
    assert twelve.run("plan", "--exit-code", "--format", "markdown", code=1).out.count("--prune op0") == 2
