"""Mail stopped at night: what changed, one command back, which stays; what goes live unproven is seen until morning."""

import re
import sqlite3
from contextlib import closing

import pytest

from tests.acceptance.fleets import BILLING, HR, MASTER, at_relay
from tests.acceptance.repository import SIGNING_KEY, Repository
from tests.acceptance.statements import new_pair
from tests.acceptance.test_gate import change_hr, settings_digest

pytestmark = pytest.mark.acceptance


def publish_change(repository: Repository) -> None:
    change_hr(repository)
    repository.run("test", HR)
    repository.run("publish", "--yes")


def state(repository: Repository, code: int, *arguments: str) -> str:
    """What `drift` says; it lists something exactly when it exits with 1."""
    report = repository.run("drift", *arguments, "--format", "json", code=code).json()
    assert bool(report["items"]) == (code == 1)
    return str(report["state"])


def test_back_at_night_and_forward_in_the_morning(published: Repository) -> None:
    publish_change(published)
    page = published.run("why", HR).out
    assert "changed    name – → RH\n" in page
    (back,) = re.findall(r"^back +opsmail (.*)$", page, re.MULTILINE)
    said = published.run(*back.split(), "--yes", "--reason", "INC-4711").err
    assert f"`{HR}` is held; `opsmail release {HR}` ends that" in said
    assert published.head() == 3

    # The pipeline does not undo it.
    refused = published.run("publish", "--yes", code=3).err
    assert f"refused: {HR}: held as it is published since generation 3, by " in refused
    assert ": INC-4711\n" in refused
    assert state(published, 1) == "pending"
    assert published.run("plan", "--format", "json").json()["held"] == [HR]

    # What is published is what was there before, and can be tested as such.
    assert published.run("diff", "1", "3").out == "generation 1 → 3\n\nnothing differs\n"
    (result,) = published.run("test", HR, "--published", "--format", "json").json()["results"]
    assert result["outcome"] == "passed"

    published.run("release", HR)
    published.run("publish", "--yes")
    assert "name: RH" in published.run("show", HR).out
    assert state(published, 0) == "clean"
    acts = [entry["act"] for entry in published.run("history", "--format", "json").json()["generations"]]
    assert acts == ["publish", "release", "rollback", "publish", "publish"]
    assert published.run("history", "--verify").out.startswith("the history is whole up to generation 5 and event 6")


def test_a_hold_keeps_one_and_lets_the_others_go(published: Repository) -> None:
    published.run("hold", HR, "--reason", "até segunda")
    change_hr(published)
    name = f"operators/{BILLING}.yaml"
    published.write(name, f"{published.read(name)}name: Faturas\n")
    published.commit("Billing")
    published.run("test", BILLING)
    assert f"`{HR}` is held as it is published" in published.run("publish", "--yes").err
    assert "name" not in published.run("show", HR, "--format", "json").json()["operator"]
    assert published.run("show", BILLING, "--format", "json").json()["operator"]["name"] == "Faturas"


def test_what_is_proven_goes_and_the_rest_stays(published: Repository) -> None:
    change_hr(published)
    name = f"operators/{BILLING}.yaml"
    published.write(name, f"{published.read(name)}name: Faturas\n")
    published.commit("Billing")
    published.run("test", BILLING)
    said = published.run("publish", "--yes", "--skip-unproven", code=1).err
    assert f"left as published: {HR}: " in said
    assert published.head() == 2
    published.edit(f"operators/{MASTER}.yaml", "role: master", "role: master\nname: Chefe")
    published.commit("Master")
    assert f"refused: {MASTER}: " in published.run("publish", "--yes", "--skip-unproven", code=3).err


def test_broken_glass_is_seen_until_there_is_proof(published: Repository) -> None:
    pair = new_pair()
    published.write("keys/plantao.pub.pem", pair.public)
    entry = '[[gate.keys]]\nfile = "keys/plantao.pub.pem"\nkinds = ["generation", "break-glass"]\n'
    published.write("opsmail.toml", published.read("opsmail.toml") + entry)
    published.commit("Key of the on-call engineer")
    published.run("publish", "--yes", "--accept-settings", settings_digest(published))
    change_hr(published)
    glass = ("publish", "--yes", "--break-glass", "INC-4711", "--operator", HR)
    assert "is not trusted to sign `break-glass`" in published.run(*glass, code=3).err
    published.run(*glass, environment={SIGNING_KEY: pair.private})
    told = f"`{HR}` went live unproven with generation 3"
    assert told in published.run("history").out
    assert told in published.run("drift").out
    assert told in published.run("why", HR).out
    change_hr(published, "Recursos Humanos")
    published.run("test", HR)
    published.run("publish", "--yes")
    assert told not in published.run("drift").out
    # Pins stay.
    published.edit(f"operators/{HR}.yaml", "port: 587", "port: 2599")
    published.commit("Port")
    said = published.run(*glass, code=3, environment={SIGNING_KEY: pair.private}).err
    assert f"refused: {HR}: OM209" in said


def test_what_something_else_did_to_the_store_is_told_apart(published: Repository) -> None:
    assert state(published, 0) == "clean"
    with closing(sqlite3.connect(published.root / "opsmail.db")) as database, database:
        database.execute(
            "UPDATE opsmail_blobs SET content = CAST(replace(CAST(content AS TEXT), '587', '588') AS BLOB) "
            """WHERE CAST(content AS TEXT) LIKE '{"connection"%"port":587%'"""
        )
    assert state(published, 1) == "drift"
    published.operator(at_relay("novo"), "S3nh&-do-novo+/")
    published.commit("Another one")
    assert state(published, 1) == "both"
    before = (published.root / "opsmail.db").read_bytes()
    published.run("drift", code=1)
    assert (published.root / "opsmail.db").read_bytes() == before


def test_each_environment_is_by_itself(published: Repository) -> None:
    published.edit(
        "opsmail.toml",
        'kinds = ["test-send", "generation"]',
        'kinds = ["test-send", "generation"]\nenvironments = ["default", "producao"]',
    )
    published.write(
        "opsmail.toml", published.read("opsmail.toml") + "\n[environments.producao]\nlive.timeout_seconds = 19\n"
    )
    published.commit("Environment")
    published.run("publish", "--yes", "--accept-settings", settings_digest(published))
    production = ("--env", "producao")
    assert "3 to create" in published.run("plan", *production).out
    assert state(published, 1, *production) == "pending"
    published.run("test", *production)
    published.run("publish", "--yes", *production)
    assert (published.head(), published.head("producao")) == (2, 1)
    published.run("hold", HR, *production)
    change_hr(published)
    published.run("test", HR)
    published.run("publish", "--yes")
    assert "refused: rh-notificacoes: held" in published.run("publish", "--yes", *production, code=3).err
    assert state(published, 0) == "clean"
    assert state(published, 1, *production) == "pending"
    assert published.run("why", HR, *production, "--format", "json").json()["environment"] == "producao"
