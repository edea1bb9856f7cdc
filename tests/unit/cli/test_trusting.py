"""Settings that allow more than those of the last publish are approved first, by whom was trusted before."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from opsmail.evidence.keys import SigningKey
from opsmail.store.backends import open_store
from tests.unit.cli.checkout import Checkout
from tests.unit.cli.test_publish import events, generations, head
from tests.unit.fleets import CIRCUMSTANCES, Shop, operator

LOOSER = ("require = []", 'require = []\nmax_age = "30d"')
TOLD = "refused: the settings allow more than those of the last publish: `gate.max_age` goes from `7d` to `30d`"
SERVER = """\
[[servers]]
host = "mail.invasor.test"
connections = ["587/starttls"]
authentication = ["basic"]
"""
APPROVER = SigningKey.generate()


def settings_digest(checkout: Checkout) -> str:
    """The digest as the refusal names it, to be copied from there."""
    said = checkout.run("publish", "--yes", code=3).err
    return said.split("--accept-settings ")[1].split("`")[0]


def loosen(checkout: Checkout) -> None:
    checkout.edit("opsmail.toml", *LOOSER)
    checkout.commit()


def as_approver(checkout: Checkout) -> None:
    checkout.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", APPROVER.pem())


def as_pipeline(checkout: Checkout) -> None:
    checkout.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", checkout.key.pem())


@pytest.fixture
def approving(checkout: Checkout) -> Checkout:
    """A published fleet whose settings trust a key for approvals."""
    checkout.write("keys/ti.pub.pem", APPROVER.public.pem())
    checkout.fleet(None, "a", require="[]", more='[[gate.keys]]\nfile = "keys/ti.pub.pem"\nkinds = ["approval"]\n')
    checkout.run("publish", "--yes")
    return checkout


class TestAccepting:
    def test_refused_until_accepted_by_digest(self, published: Checkout) -> None:
        loosen(published)
        published.operator("c")
        published.commit()
        digest = settings_digest(published)
        said = published.run("publish", "--yes", code=3)
        assert TOLD in said.err
        wrong = published.run("publish", "--yes", "--accept-settings", "sha256:" + "0" * 64, code=3)
        assert TOLD in wrong.err
        published.run("publish", "--yes", "--accept-settings", digest)
        accepted = events(published)[-1]
        assert (accepted["event"], accepted["settings"]) == ("accept-settings", digest)
        assert accepted["allowed"] == ["`gate.max_age` goes from `7d` to `30d`"]

    def test_once_accepted_it_is_what_the_next_is_compared_with(self, published: Checkout) -> None:
        loosen(published)
        published.run("publish", "--yes", "--accept-settings", settings_digest(published))
        published.operator("c")
        published.commit()
        published.run("publish", "--yes")
        assert head(published) == 3

    def test_a_plan_tells_it(self, published: Checkout) -> None:
        loosen(published)
        said = published.run("plan")
        assert (
            "publish would refuse: the settings allow more than those of the last publish: `gate.max_age`" in said.out
        )
        assert "(--accept-settings sha256:" in said.out

    def test_stricter_settings_need_nobody_and_are_recorded(self, published: Checkout) -> None:
        """Else somebody could take a revocation back before the next operator changes."""
        published.edit("opsmail.toml", "require = []", 'require = []\nmax_age = "1d"')
        published.commit()
        said = published.run("publish", "--yes")
        assert "published generation 2 for default: 0 to create, 0 to update, 0 to delete, 3 unchanged" in said.err
        assert published.run("publish", "--yes").err.startswith("nothing to publish: generation 2")
        published.edit("opsmail.toml", 'max_age = "1d"', 'max_age = "2d"')
        published.commit()
        assert "`gate.max_age` goes from `1d` to `2d`" in published.run("publish", "--yes", code=3).err

    def test_what_trusts_nobody_may_change(self, published: Checkout) -> None:
        published.edit("opsmail.toml", "timeout_seconds = 10", "timeout_seconds = 11")
        published.commit()
        assert published.run("publish", "--yes").err.startswith("nothing to publish")

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            (
                "[live]",
                f"{SERVER}\n[live]",
                "the server `mail.invasor.test` is added",
            ),
            ('kinds = ["test-send", "generation"]', 'kinds = ["test-send", "generation", "approval"]', "counts where"),
            ("[gate]", '[policy]\nignore = ["OM502"]\n\n[gate]', "`policy.ignore` gains `OM502`"),
        ],
    )
    def test_each_part_of_trust_counts(self, published: Checkout, old: str, new: str, told: str) -> None:
        published.edit("opsmail.toml", old, new)
        published.commit()
        assert told in published.run("publish", "--yes", code=3).err

    def test_the_text_of_a_key_counts_not_its_name(self, approving: Checkout) -> None:
        approving.write("keys/ti.pub.pem", SigningKey.generate().public.pem())
        approving.commit()
        assert "the key `keys/ti.pub.pem` counts where it did not" in approving.run("publish", "--yes", code=3).err

    @pytest.mark.parametrize("trust", [b"", b'{"format": "another"}'])
    def test_a_generation_that_does_not_tell_what_was_trusted(self, checkout: Checkout, trust: bytes) -> None:
        checkout.fleet(None, "a", require="[]")
        shop = Shop(checkout.root, "default", checkout.key)
        shop.publish(operator("a"), circumstances=replace(CIRCUMSTANCES, trust=trust))
        assert "generation 1 does not tell what its settings trusted" in checkout.run("plan").out


class TestApproving:
    def test_by_a_key_that_was_trusted_before(self, approving: Checkout) -> None:
        loosen(approving)
        as_approver(approving)
        said = approving.run("approve", "--settings", "--as", "chefia@empresa.test", "--role", "TI")
        assert said.out.startswith("settings:default sha256:")
        as_pipeline(approving)
        approving.run("publish", "--yes")
        assert events(approving)[-1]["event"] == "accept-settings"
        (file,) = approving.evidence()
        with closing(open_store("sqlite:///opsmail.db", read_only=True)) as store:
            digest = file.name.removesuffix(".dsse.json")
            assert store.read([digest])[digest] == file.read_bytes()
        assert len(generations(approving)[0]["evidence"]) == 1

    def test_for_a_rollback_too(self, approving: Checkout) -> None:
        approving.edit("operators/a.yaml", "role: standard", "role: standard\nname: Novo")
        approving.commit()
        approving.run("publish", "--yes")
        loosen(approving)
        as_approver(approving)
        approving.run("approve", "--settings", "--as", "chefia@empresa.test")
        as_pipeline(approving)
        approving.run("rollback", "1", "--yes")
        assert head(approving) == 3

    def test_not_by_a_key_that_the_change_itself_brings(self, published: Checkout) -> None:
        published.write("keys/ti.pub.pem", APPROVER.public.pem())
        text = published.read("opsmail.toml")
        published.write("opsmail.toml", f'{text}\n[[gate.keys]]\nfile = "keys/ti.pub.pem"\nkinds = ["approval"]\n')
        published.commit()
        as_approver(published)
        published.run("approve", "--settings", "--as", "chefia@empresa.test")
        as_pipeline(published)
        assert "counts where it did not" in published.run("publish", "--yes", code=3).err

    def test_not_by_a_key_that_the_change_revokes(self, approving: Checkout) -> None:
        loosen(approving)
        as_approver(approving)
        approving.run("approve", "--settings", "--as", "chefia@empresa.test")
        as_pipeline(approving)
        approving.edit("opsmail.toml", 'kinds = ["approval"]', 'kinds = ["approval"]\nrevoked = true')
        approving.commit()
        assert TOLD in approving.run("publish", "--yes", code=3).err

    def test_not_of_other_settings(self, approving: Checkout) -> None:
        loosen(approving)
        as_approver(approving)
        approving.run("approve", "--settings", "--as", "chefia@empresa.test")
        as_pipeline(approving)
        approving.edit("opsmail.toml", '"30d"', '"60d"')
        approving.commit()
        assert "`gate.max_age` goes from `7d` to `60d`" in approving.run("publish", "--yes", code=3).err

    def test_not_by_who_wrote_them(self, approving: Checkout) -> None:
        loosen(approving)
        as_approver(approving)
        said = approving.run("approve", "--settings", "--as", "TI@empresa.test", code=3)
        assert "TI@empresa.test wrote the last change of the settings" in said.err
        # Somebody else's commit on top does not make it another's change.
        with approving.monkeypatch.context() as patch:
            patch.setattr("opsmail.cli.approve.wrote_settings", lambda *_, **__: False)
            approving.run("approve", "--settings", "--as", "ti@empresa.test")
        as_pipeline(approving)
        said = approving.run("publish", "--yes", code=3)
        assert "the approval of the settings by ti@empresa.test does not count" in said.err
        assert TOLD in said.err


class TestOperators:
    @pytest.fixture
    def demanding(self, checkout: Checkout) -> Checkout:
        """A gate that demands approvals and nothing else."""
        checkout.write("keys/ti.pub.pem", APPROVER.public.pem())
        more = '[[gate.keys]]\nfile = "keys/ti.pub.pem"\nkinds = ["approval"]\n'
        checkout.fleet(None, "a", require='["approval"]', more=more)
        return checkout

    def approve(self, checkout: Checkout, *arguments: str, **options: Any) -> str:
        as_approver(checkout)
        said = checkout.run("approve", *arguments, **options)
        as_pipeline(checkout)
        return said.out + said.err

    def test_without_approval_it_is_refused(self, demanding: Checkout) -> None:
        said = demanding.run("publish", "--yes", code=3)
        assert "refused: a: there is no `approval` evidence for operator:a" in said.err
        assert "hint: run `opsmail approve a`" in said.err
        told = self.approve(demanding, "--all", "--as", "chefia@empresa.test", "--role", "TI")
        assert [line.split()[0] for line in told.splitlines()] == ["operator:a", "operator:chefe"]
        demanding.run("publish", "--yes")
        assert generations(demanding)[0]["required"] == ["approval"]

    def test_nobody_approves_what_they_wrote(self, demanding: Checkout) -> None:
        told = self.approve(demanding, "a", "--as", "ti@empresa.test", code=3)
        assert "ti@empresa.test wrote the last change of `a`" in told
        assert "hint: let somebody else approve it" in told
        assert demanding.evidence() == []

    def test_the_gate_looks_at_all_that_is_not_published_yet(self, demanding: Checkout) -> None:
        self.approve(demanding, "--all", "--as", "chefia@empresa.test")
        demanding.run("publish", "--yes")
        demanding.edit("operators/a.yaml", "role: standard", "role: standard\nname: Novo")
        demanding.commit()
        demanding.edit("operators/a.yaml", "name: Novo", "name: Nova")
        demanding.git("-c", "user.name=x", "add", "--all")
        demanding.git("commit", "--quiet", "--author", "Bia <bia@empresa.test>", "--message", "x")
        self.approve(demanding, "a", "--as", "ti@empresa.test")
        said = demanding.run("publish", "--yes", code=3)
        assert "refused: a: the approval by ti@empresa.test does not count: the change is their own" in said.err

    def test_who_approves_is_who_git_knows(self, demanding: Checkout) -> None:
        demanding.git("config", "user.email", "bia@empresa.test")
        assert "operator:a" in self.approve(demanding, "a")
        demanding.git("config", "user.email", "ti@empresa.test")
        assert "ti@empresa.test wrote" in self.approve(demanding, "a", code=3)

    def test_in_a_pipeline_it_is_who_started_it(self, demanding: Checkout) -> None:
        environment = {"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ti@empresa.test", "CI_JOB_URL": "https://ci.test/1"}
        assert "ti@empresa.test wrote" in self.approve(demanding, "a", code=3, environment=environment)

    def test_what_has_errors_is_not_approved(self, demanding: Checkout) -> None:
        demanding.edit("operators/a.yaml", "port: 587", "port: 465")
        demanding.commit()
        told = self.approve(demanding, "a", "--as", "chefia@empresa.test", code=3)
        assert "error[OM201]" in told
        assert "operators with errors are not approved" in told

    def test_a_key_that_may_not(self, demanding: Checkout) -> None:
        said = demanding.run("approve", "a", "--as", "chefia@empresa.test", code=3)
        assert "the signing key is not trusted to sign `approval`" in said.err

    @pytest.mark.parametrize(
        "arguments",
        [(), ("a", "--all"), ("--all", "--settings"), ("nobody",), ("a", "--as", ""), ("a", "--role", "a\nb")],
    )
    def test_wrong_use(self, demanding: Checkout, arguments: tuple[str, ...]) -> None:
        self.approve(demanding, *arguments, code=2)
