"""`opsmail approve` in a pipeline: who let the run in approves, and only what lacks an approval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsmail.evidence.envelope import statement_in
from opsmail.evidence.facts import Approval
from tests.unit.cli.checkout import Checkout, Said, wait_for_the_next_second
from tests.unit.cli.github import REPOSITORY, RUN, TOKEN, GitHub, github, review
from tests.unit.cli.test_publish import head
from tests.unit.mail.oauth.identity import http
from tests.unit.servers import Server

pytestmark = pytest.mark.usefixtures("github_trusted")

REVIEWED = ("approve", "--unproven", "--reviewed")
ANA = "Ana Maria <4711+ana@users.noreply.github.com>"
BIA = "Bia Lima <bia@users.noreply.github.test>"


@pytest.fixture
def forge() -> Iterator[GitHub]:
    """GitHub, where bia let the run into the environment `default`."""
    with github([review("bia")]) as double:
        yield double


def fleet(checkout: Checkout, *names: str, relay: Server | None = None, require: str = '["approval"]') -> None:
    """A gate that wants approvals, and a pipeline that may sign them."""
    checkout.settings(relay, require=require)
    checkout.edit("opsmail.toml", '"generation"]', '"generation", "approval"]')
    checkout.operator("chefe", role="master")
    for name in names:
        checkout.operator(name)
    checkout.commit()


def change(checkout: Checkout, author: str, *names: str) -> None:
    """Change operators in a commit by somebody, who is the author of the last change then."""
    for name in names:
        lines = checkout.read(f"operators/{name}.yaml").splitlines()
        kept = [line for line in lines if not line.startswith("name: ")]
        checkout.write(f"operators/{name}.yaml", "\n".join([*kept, f"name: {author.partition(' ')[0]}", ""]))
    checkout.git("add", "--all")
    checkout.git("commit", "--quiet", "--author", author, "--message", "x")


def run(checkout: Checkout, forge: GitHub, *arguments: str, code: int = 0, **variables: str) -> Said:
    """Run opsmail in a job of a run about HEAD."""
    told = forge.variables(checkout.git("rev-parse", "HEAD"))
    said = checkout.run(*arguments, code=code, environment=told | variables)
    assert TOKEN not in said.out + said.err
    return said


def approvals(checkout: Checkout) -> dict[str, str]:
    """Who approved what, from all evidence at hand."""
    statements = [statement_in(file.read_bytes()) for file in checkout.evidence()]
    return {item.subject: item.facts.approver for item in statements if isinstance(item.facts, Approval)}


def publish_and_change_by_two(checkout: Checkout, forge: GitHub) -> None:
    """Publish `a`, then change it by Ana, and by Caio after her."""
    fleet(checkout, "a")
    run(checkout, forge, *REVIEWED)
    checkout.run("publish", "--yes")
    change(checkout, ANA, "a")
    change(checkout, "Caio <caio@empresa.test>", "a")


class TestReviewed:
    def test_who_let_the_run_in_is_who_approved(self, checkout: Checkout, forge: GitHub) -> None:
        fleet(checkout, "a")
        said = run(checkout, forge, *REVIEWED, "--role", "TI")
        assert [line.split()[0] for line in said.out.splitlines()] == ["operator:a", "operator:chefe"]
        assert len(forge.asked) == 1
        (statement, _) = [statement_in(file.read_bytes()) for file in checkout.evidence()]
        assert statement.facts == Approval(approver="bia", role="TI")
        assert statement.context.commit == checkout.git("rev-parse", "HEAD")
        assert statement.context.run == f"https://github.test/{REPOSITORY}/actions/runs/{RUN}"
        checkout.run("publish", "--yes")
        assert head(checkout) == 1

    def test_beside_a_test_send_it_opens_the_gate(self, checkout: Checkout, relay: Server, forge: GitHub) -> None:
        fleet(checkout, "a", relay=relay, require='["test-send", "approval"]')
        assert "there is no `approval` evidence" in checkout.run("publish", "--yes", code=3).err
        run(checkout, forge, "test", "--unproven")
        run(checkout, forge, *REVIEWED)
        checkout.run("publish", "--yes")
        assert head(checkout) == 1

    def test_by_name_and_for_the_settings(self, checkout: Checkout, forge: GitHub) -> None:
        fleet(checkout, "a")
        run(checkout, forge, "approve", "a", "--reviewed")
        run(checkout, forge, "approve", "--settings", "--reviewed")
        assert approvals(checkout) == {"operator:a": "bia", "settings:default": "bia"}

    def test_in_the_environment_of_the_settings(self, checkout: Checkout, forge: GitHub) -> None:
        fleet(checkout)
        checkout.write("opsmail.toml", checkout.read("opsmail.toml") + "[environments.production.live]\nretries = 0\n")
        checkout.commit()
        arguments = (*REVIEWED, "--env", "production")
        assert "into the environment `production`" in run(checkout, forge, *arguments, code=3).err
        forge.answer = [review("caio", "approved", "Production"), review("bia")]
        run(checkout, forge, *arguments)
        assert approvals(checkout) == {"operator:chefe": "caio"}

    def test_nobody_approves_what_they_wrote(self, checkout: Checkout, forge: GitHub) -> None:
        """An account's own address for commits is as good as its name; each operator gets the first who may."""
        fleet(checkout, "a", "b")
        change(checkout, ANA, "a")
        change(checkout, BIA, "b")
        forge.answer = [review("ana"), review("Bia")]
        run(checkout, forge, *REVIEWED)
        assert approvals(checkout) == {"operator:a": "Bia", "operator:b": "ana", "operator:chefe": "ana"}
        checkout.run("publish", "--yes")

    def test_and_where_only_they_let_it_in_nothing_is_signed(self, checkout: Checkout, forge: GitHub) -> None:
        fleet(checkout, "a", "b")
        change(checkout, ANA, "a")
        change(checkout, BIA, "a")
        change(checkout, ANA, "a")
        forge.answer = [review("ana")]
        said = run(checkout, forge, *REVIEWED, code=3)
        assert "ana wrote the last change of `a`" in said.err
        assert "hint: let somebody else approve it" in said.err
        assert checkout.evidence() == []

    def test_what_is_not_published_yet_counts_from_the_first_change_on(self, checkout: Checkout, forge: GitHub) -> None:
        """As the gate has it: else ana would be taken here, and refused there."""
        publish_and_change_by_two(checkout, forge)
        forge.answer = [review("ana"), review("bia")]
        run(checkout, forge, *REVIEWED)
        assert approvals(checkout)["operator:a"] == "bia"
        checkout.run("publish", "--yes")
        assert head(checkout) == 2

    def test_the_gate_knows_an_account_by_its_address_too(self, checkout: Checkout, forge: GitHub) -> None:
        publish_and_change_by_two(checkout, forge)
        wait_for_the_next_second()
        checkout.run("approve", "a", "--as", "Ana")
        said = checkout.run("publish", "--yes", code=3)
        assert "refused: a: the approval by Ana does not count: the change is their own" in said.err

    @pytest.mark.parametrize("own", ["ana@users.noreply.github.com", "4711+ana@users.noreply.github.com", "Ana Maria"])
    def test_whatever_an_approver_is_called(self, checkout: Checkout, own: str) -> None:
        fleet(checkout, "a")
        change(checkout, ANA, "a")
        assert f"{own} wrote the last change of `a`" in checkout.run("approve", "a", "--as", own, code=3).err
        checkout.run("approve", "a", "--as", "maria")


class TestRefusals:
    def refused(self, checkout: Checkout, forge: GitHub, code: int, **variables: str) -> str:
        fleet(checkout)
        said = run(checkout, forge, *REVIEWED, code=code, **variables)
        assert checkout.evidence() == []
        assert said.out == ""
        assert "hint: " in said.err
        return said.err

    def test_a_run_about_another_commit(self, checkout: Checkout, forge: GitHub) -> None:
        told = self.refused(checkout, forge, 3, GITHUB_SHA="0" * 40)
        assert "this run was let in with commit 000000000000, not with " in told
        assert forge.asked == []

    def test_a_commit_that_the_run_is_not_about(self, checkout: Checkout, forge: GitHub) -> None:
        fleet(checkout)
        before = checkout.git("rev-parse", "HEAD")
        checkout.commit()
        assert f"not with {before[:12]}" in run(checkout, forge, *REVIEWED, "--commit", before, code=3).err

    def test_an_environment_without_reviewers(self, checkout: Checkout, forge: GitHub) -> None:
        forge.answer = []
        told = self.refused(checkout, forge, 3)
        assert "nobody let this run into the environment `default` by a review" in told
        assert "give that environment required reviewers on GitHub, or say who approves with `--as`" in told

    @pytest.mark.parametrize(
        "system",
        [{}, {"GITLAB_CI": "true"}, {"TF_BUILD": "True"}, {"CIRCLECI": "true"}, {"JENKINS_URL": "https://ci.test"}],
    )
    def test_elsewhere(self, checkout: Checkout, system: dict[str, str]) -> None:
        fleet(checkout)
        said = checkout.run(*REVIEWED, code=2, environment=system)
        assert "only GitHub Actions tells who let a run into its environment, and this is no run there" in said.err
        assert "hint: say who approves, for example `--as ti@empresa.com.br`" in said.err

    def test_without_a_token(self, checkout: Checkout, forge: GitHub) -> None:
        assert "the variable `GITHUB_TOKEN` does not hold" in self.refused(checkout, forge, 4, GITHUB_TOKEN="")

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (http(403, {"message": "\x1b[2J::error::Resource not accessible"}), "it denies this job the answer (403)"),
            (http(404, {"message": "Not Found"}), "it denies this job the answer (404)"),
            (http(502, "\x1b[2J"), "it answered 502"),
            (http(200, "\x1b[2J"), "what it sent is no list of reviews"),
            (lambda connection: connection.reset(), "localhost does not tell who let this run in"),
        ],
    )
    def test_an_answer_that_does_not_tell(
        self, checkout: Checkout, forge: GitHub, answer: bytes | Callable[..., Any], told: str
    ) -> None:
        forge.answer = answer
        assert told in self.refused(checkout, forge, 4)

    def test_accounts_that_are_none(self, checkout: Checkout, forge: GitHub) -> None:
        forge.answer = [review("\x1b]0;x\x07"), review("a\n::error::b")]
        assert "\x1b" not in self.refused(checkout, forge, 3)

    def test_a_run_for_what_anyone_may_have_written(self, checkout: Checkout, forge: GitHub) -> None:
        told = self.refused(checkout, forge, 3, GITHUB_EVENT_NAME="pull_request_target")
        assert "do not run here" in told
        assert forge.asked == []

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--unproven", "a"),
            ("--unproven", "--all"),
            ("--unproven", "--settings"),
            ("--reviewed",),
            ("--unproven", "--reviewed", "--as", "bia"),
        ],
    )
    def test_wrong_use(self, checkout: Checkout, forge: GitHub, arguments: tuple[str, ...]) -> None:
        fleet(checkout, "a")
        run(checkout, forge, "approve", *arguments, code=2)
        assert forge.asked == []


class TestUnproven:
    NOBODY = "no operator lacks an approval, so nothing was signed\n"

    def test_only_who_lacks_one(self, checkout: Checkout, forge: GitHub) -> None:
        fleet(checkout, "a", "b")
        run(checkout, forge, *REVIEWED)
        checkout.run("publish", "--yes")
        change(checkout, "Caio <caio@empresa.test>", "a")
        said = run(checkout, forge, *REVIEWED)
        assert [line.split()[0] for line in said.out.splitlines()] == ["operator:a"]
        asked, files = len(forge.asked), checkout.evidence()
        for _ in range(2):  # approved, and then published
            said = run(checkout, forge, *REVIEWED)
            assert (said.out, said.err) == ("", self.NOBODY)
            checkout.run("publish", "--yes")
        assert (len(forge.asked), checkout.evidence()) == (asked, files)

    def test_nobody_where_the_gate_asks_for_none(self, checkout: Checkout) -> None:
        fleet(checkout, "a", require='["test-send"]')
        assert checkout.run("approve", "--unproven", "--as", "bia@empresa.test").err == self.NOBODY
        assert checkout.evidence() == []

    def test_who_has_one_that_does_not_count(self, checkout: Checkout) -> None:
        fleet(checkout, "a")
        checkout.run("approve", "--all", "--as", "chefia@empresa.test")
        checkout.run("publish", "--yes")
        change(checkout, ANA, "a")
        change(checkout, "Caio <caio@empresa.test>", "a")
        checkout.run("approve", "a", "--as", "ana")
        checkout.run("publish", "--yes", code=3)
        wait_for_the_next_second()
        said = checkout.run("approve", "--unproven", "--as", "chefia@empresa.test")
        assert [line.split()[0] for line in said.out.splitlines()] == ["operator:a"]
        checkout.run("publish", "--yes")

    def test_what_cannot_be_read_is_not_passed_over(self, checkout: Checkout) -> None:
        fleet(checkout, "a")
        checkout.write("operators/a.yaml", "version: 1\noperator: [\n")
        checkout.commit()
        said = checkout.run("approve", "--unproven", "--as", "chefia@empresa.test", code=3)
        assert "error[OM002]" in said.err + said.out
        assert checkout.evidence() == []

    def test_nor_is_a_commit_that_cannot_be_published(self, checkout: Checkout, forge: GitHub) -> None:
        """An old pipeline that is run again."""
        fleet(checkout, "a")
        change(checkout, "Caio <caio@empresa.test>", "a")
        run(checkout, forge, *REVIEWED)
        checkout.run("publish", "--yes")
        checkout.git("reset", "--quiet", "--hard", "HEAD~1")
        before = len(checkout.evidence())
        told = run(checkout, forge, *REVIEWED, code=3).err
        assert " does not come after the published one, " in told
        assert "hint: publish the newest commit" in told
        assert len(checkout.evidence()) == before
