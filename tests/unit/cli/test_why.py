"""`opsmail why` and `opsmail test --published`: what somebody needs whom the telephone woke up."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from opsmail.evidence.envelope import statement_in
from opsmail.store import tables
from tests.unit.cli.checkout import Checkout, wait_for_the_next_second
from tests.unit.servers import Server


@pytest.fixture
def proven(checkout: Checkout, relay: Server) -> Checkout:
    """A master and an operator, proven and published, and then changed, proven and published again."""
    checkout.fleet(relay, "a")
    checkout.edit(
        "opsmail.toml", "[live]", 'approved_by = "ti@empresa.test"\nticket = "4711"\nreview_by = 2099-06-30\n\n[live]'
    )
    checkout.commit()
    checkout.run("test")
    checkout.run("publish", "--yes")
    checkout.edit("operators/a.yaml", "sender:", "name: Novo\nsender:")
    checkout.commit()
    checkout.run("test", "a")
    checkout.run("publish", "--yes", "--reason", "chamado 1")
    return checkout


class TestWhy:
    def test_the_page(self, proven: Checkout) -> None:
        commit = proven.git("rev-parse", "HEAD")
        lines = proven.run("why", "a").out.splitlines()
        assert lines[0] == "a in default, generation 2"
        assert "sends      as a@empresa.test by mail.empresa.test:587, starttls, TLS 1.2 or newer" in lines
        assert "sends      authentication basic: password env://OPSMAIL_SECRET_A, username a@empresa.test" in lines
        assert any(line.startswith("sends      connection ca: (") for line in lines)
        (since,) = [line for line in lines if line.startswith("since ")]
        assert since.startswith("since      generation 2 (publish), ")
        assert since.endswith(f"commit {commit[:12]}: chamado 1")
        assert "changed    name – → Novo" in lines
        assert any(
            "587/starttls; basic, none, modern; approved by ti@empresa.test, ticket 4711" in line for line in lines
        )
        assert any(line.startswith("proof      test as far as `send` at ") for line in lines)
        assert "ends       2099-06-30: the agreement about `mail.empresa.test` is to be looked at again" in lines
        assert any("the TLS certificate of `mail.empresa.test:587` ends" in line for line in lines)
        assert lines[-1] == "back       opsmail rollback 1 --operator a"

    def test_the_command_back_is_one(self, proven: Checkout) -> None:
        command = proven.run("why", "a").out.splitlines()[-1].split(maxsplit=2)[2].split()
        proven.run(*command, "--yes")
        said = proven.run("why", "a")
        assert "`a` is held since generation 3" in said.out
        assert "git has    name – → Novo" in said.out
        assert "changed    name Novo → –" in said.out

    def test_for_programs(self, proven: Checkout) -> None:
        page = proven.run("why", "a", "--format", "json").json()
        assert (page["schema"], page["operator"], page["generation"]) == ("opsmail/why/v1", "a", 2)
        assert page["since"]["number"] == 2
        assert page["changed"] == [{"path": "name", "before": None, "after": "Novo"}]
        assert page["proof"]["facts"]["send"]["depth"] == "send"
        assert (page["pending"], page["marks"], page["revoked"]) == ([], [], None)
        assert page["back"] == "opsmail rollback 1 --operator a"

    def test_without_the_files_that_proved_it_the_store_has_them(self, proven: Checkout) -> None:
        for path in proven.evidence():
            path.write_text("{}", "utf-8")
        assert "proof      test as far as `send` at " in proven.run("why", "a").out

    def test_evidence_that_is_not_kept_any_more_hides_nothing_else(self, proven: Checkout) -> None:
        digests = {path.name.removesuffix(".dsse.json") for path in proven.evidence()}
        with closing(sqlite3.connect(proven.root / "opsmail.db")) as database, database:
            for path in proven.evidence():
                path.unlink()
            for digest in digests:
                database.execute(f"DELETE FROM {tables.blobs.name} WHERE digest = ?", [digest])  # noqa: S608 - a table's name
        said = proven.run("why", "a").out
        assert "proof      no test send of exactly this is known" in said
        assert "back       opsmail rollback 1" in said

    def test_a_test_of_what_is_published_is_newer_proof(self, proven: Checkout) -> None:
        before = proven.evidence()
        wait_for_the_next_second()
        proven.run("test", "a", "--published")
        (new,) = set(proven.evidence()) - set(before)
        page = proven.run("why", "a", "--format", "json").json()
        assert page["proof"]["facts"]["send"]["message_id"] in statement_in(new.read_bytes()).payload().decode()

    def test_since_the_beginning_there_is_no_way_back(self, proven: Checkout) -> None:
        said = proven.run("why", "chefe").out
        assert "since      generation 1 (publish), " in said
        assert said.endswith("back       –\n")
        assert "changed" not in said

    def test_what_the_settings_do_not_allow_any_more_comes_first(self, proven: Checkout) -> None:
        proven.edit("opsmail.toml", '"587/starttls"', '"465/implicit-tls"')
        said = proven.run("why", "a")
        assert said.out.splitlines()[1].startswith("revoked: the settings do not allow it any more: port 587")
        assert "rule       error[OM209] operators/a.yaml:" in said.out

    def test_what_git_does_not_have_any_more(self, proven: Checkout) -> None:
        (proven.root / "operators/a.yaml").unlink()
        assert "it is published, and git does not have it" in proven.run("why", "a").out
        assert proven.run("why", "a", "--format", "json").json()["pending"] is None

    def test_what_is_not_published(self, proven: Checkout) -> None:
        proven.operator("c", more="  secret_expires: 2099-01-01\n")
        proven.edit("operators/c.yaml", "role: standard", "role: standard\nenabled: false")
        said = proven.run("why", "c").out
        assert said.startswith("c in default, generation –\nit is not published: this is what git says\n")
        assert "it is switched off: applications do not send with it" in said
        assert "no test send of exactly this is known" in said

    def test_without_a_store_and_a_catalogue(self, checkout: Checkout) -> None:
        checkout.fleet(None, "a")
        checkout.write("opsmail.toml", "")
        said = checkout.run("why", "a").out
        assert "catalogue  no entry for its server" in said
        assert list(checkout.root.glob("*.db*")) == []

    def test_in_another_environment(self, checkout: Checkout) -> None:
        more = '[environments.production]\nstore.url = "sqlite:///production.db"\n'
        checkout.fleet(None, "a", require="[]", more=more)
        checkout.run("publish", "--yes", "--env", "production")
        checkout.edit("operators/a.yaml", "sender:", "name: Novo\nsender:")
        checkout.commit()
        checkout.run("publish", "--yes", "--env", "production")
        said = checkout.run("why", "a", "--env", "production").out
        assert said.endswith("back       opsmail rollback 1 --operator a --env production\n")

    def test_a_waived_finding_is_told_as_such(self, proven: Checkout) -> None:
        proven.edit("operators/a.yaml", "address: a@empresa.test", "address: alias@empresa.test")
        proven.write(
            "waivers.yaml",
            "- operator: a\n  rule: OM502\n  reason: alias cadastrado\n"
            "  approved_by: ti@empresa.test\n  expires: 2027-01-01\n",
        )
        assert "(waived: alias cadastrado)" in proven.run("why", "a").out
        (finding,) = proven.run("why", "a", "--format", "json").json()["findings"]
        assert (finding["rule"], finding["file"]) == ("OM502", "operators/a.yaml")

    def test_nobody_of_that_name(self, proven: Checkout) -> None:
        assert "did you mean `chefe`?" in proven.run("why", "chefa", code=2).err


class TestPublished:
    def test_what_the_store_serves_is_tested(self, proven: Checkout) -> None:
        served = proven.run("show", "a", "--format", "json").json()
        proven.edit("operators/a.yaml", "name: Novo", "name: Depois")
        proven.commit()
        before = set(proven.evidence())
        said = proven.run("test", "a", "--published", "--format", "json").json()
        (result,) = said["results"]
        assert result["outcome"] == "passed"
        assert served["operator"]["name"] == "Novo"
        # It is proof of what is published, not of what git says.
        assert len(set(proven.evidence()) - before) == 1
        assert "refused: a: " in proven.run("publish", "--yes", code=3).err

    def test_all_of_it(self, proven: Checkout) -> None:
        said = proven.run("test", "--published", "--format", "json").json()
        assert {result["operator"] for result in said["results"]} == {"a", "chefe"}

    def test_what_is_not_allowed_any_more_is_not_sent_as(self, proven: Checkout) -> None:
        proven.edit("opsmail.toml", '"587/starttls"', '"465/implicit-tls"')
        proven.commit()
        said = proven.run("test", "a", "--published", code=1)
        assert "revoked: `a` is published, and the settings do not allow it any more" in said.err
        assert "nothing is sent as an operator that is not allowed" in said.err

    def test_what_git_does_not_have_any_more_fails_without_a_line(self, proven: Checkout) -> None:
        (proven.root / "operators/a.yaml").unlink()
        proven.commit()
        proven.monkeypatch.delenv("OPSMAIL_SECRET_A")
        said = proven.run("test", "a", "--published", "--format", "json", "--format", "sarif:out/a.sarif", code=4)
        assert json.loads(said.out)["results"][0]["outcome"] == "inconclusive"
        assert json.loads(proven.read("out/a.sarif"))["runs"][0]["results"] == []

    def test_before_the_first_publish(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        checkout.run("publish", "--yes", code=3)
        assert "nothing is published" in checkout.run("test", "--published", code=2).err

    def test_wrong_use(self, proven: Checkout) -> None:
        assert "--published goes with names" in proven.run("test", "--published", "--unproven", code=2).err
        proven.run("test", "--published", "chefa", code=2)
