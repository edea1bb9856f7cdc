"""`opsmail keygen` and `opsmail evidence verify`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from opsmail.evidence.keys import PublicKey, SigningKey
from tests.unit.cli.checkout import Checkout
from tests.unit.servers import Server


class TestKeygen:
    def test_a_pair_that_belongs_together(self, checkout: Checkout) -> None:
        said = checkout.run("keygen", "novo", "--folder", "keys/new")
        private, public = checkout.root / "keys/new/novo.key", checkout.root / "keys/new/novo.pub.pem"
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
        assert SigningKey.load(private.read_text()).public == PublicKey.load(public.read_text())
        assert "keys/new/novo.key: the private key. Store it as the secret OPSMAIL_SIGNING_KEY" in said.err
        assert "keys/new/novo.pub.pem: the public key. Commit it" in said.err
        assert private.read_text().splitlines()[1] not in said.err + said.out

    @pytest.mark.case("L-18")
    def test_even_where_everybody_may_read_new_files(self, checkout: Checkout) -> None:
        before = os.umask(0)
        try:
            checkout.run("keygen")
        finally:
            os.umask(before)
        assert stat.S_IMODE((checkout.root / "opsmail.key").stat().st_mode) == 0o600

    @pytest.mark.parametrize("existing", ["ci.key", "ci.pub.pem"])
    def test_nothing_is_overwritten_and_nothing_is_left(self, checkout: Checkout, existing: str) -> None:
        folder = checkout.root / "out"
        (folder / existing).write_text("mine")
        said = checkout.run("keygen", "ci", "--folder", "out", code=3)
        assert f"out/{existing} exists and is not overwritten" in said.err
        assert [path.name for path in folder.iterdir()] == [existing]
        assert (folder / existing).read_text() == "mine"

    def test_not_even_through_a_link_to_nowhere(self, checkout: Checkout) -> None:
        (checkout.root / "out/ci.pub.pem").symlink_to("elsewhere")
        checkout.run("keygen", "ci", "--folder", "out", code=3)
        assert not (checkout.root / "out/elsewhere").exists()
        assert not (checkout.root / "out/ci.key").exists()

    @pytest.mark.parametrize("name", ["../ci", "a/b", "", ".ci", "-x y", "a" * 64, "ação"])
    def test_a_name_that_is_none(self, checkout: Checkout, name: str) -> None:
        assert "is not a name for a key" in checkout.run("keygen", "--", name, code=2).err

    def test_a_folder_that_cannot_be_made(self, checkout: Checkout) -> None:
        checkout.write("file", "x")
        assert "cannot be written to file/keys: Not a directory" in checkout.run(
            "keygen", "--folder", "file/keys", code=4
        ).err  # fmt: skip


class TestVerify:
    def test_what_each_says_and_who_signed(self, checkout: Checkout, relay: Server) -> None:
        checkout.fleet(relay)
        checkout.run("test")
        said = checkout.run("evidence", "verify")
        (file,) = checkout.evidence()
        assert said.out.startswith(f"✓ {file.name}: `test-send` for operator:chefe, environment default, 20")
        assert said.out.endswith("Z, signed by keys/ci.pub.pem\n")
        assert said.err == "1 statement, 0 refused\n"

    def test_what_does_not_hold(self, checkout: Checkout, relay: Server, tmp_path: Path) -> None:
        checkout.fleet(relay)
        checkout.run("test")
        (file,) = checkout.evidence()
        tampered = tmp_path / "tampered.json"
        tampered.write_bytes(file.read_bytes().replace(b'"payload":"', b'"payload":"AAAA'))
        said = checkout.run("evidence", "verify", str(file), tampered, tmp_path / "none", code=1)
        marks = [line[:1] for line in said.out.splitlines()]
        assert marks == ["✓", "✗", "✗"]
        assert "its signature does not hold" in said.out
        assert "it cannot be read: No such file" in said.out
        assert said.err == "3 statements, 2 refused\n"

    def test_nothing_to_verify(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        assert checkout.run("evidence", "verify").err == "0 statements, 0 refused\n"

    def test_the_group_alone_says_what_there_is(self, checkout: Checkout) -> None:
        assert "Usage: opsmail evidence" in checkout.run("evidence", code=2).err
