"""`opsmail report`: the fleet as it is here, its evidence, and what the store serves."""

from __future__ import annotations

import re
import shutil

from opsmail.evidence.keys import SigningKey
from tests.unit.cli.checkout import Checkout
from tests.unit.servers import Server

NEW_KEY = '[[gate.keys]]\nfile = "keys/new.pub.pem"\nkinds = ["generation"]\n'


def rows(page: str) -> dict[str, str]:
    """Return the state of each operator that the page shows."""
    return dict(
        re.findall(r'<tr data-state="\w+">\s*<th scope="row"><code>(\w+)</code>.*?class="state (\w+)"', page, re.DOTALL)
    )


def test_a_published_fleet(published: Checkout) -> None:
    page = published.run("report").out
    assert rows(page) == dict.fromkeys(("a", "b", "chefe"), "unproven")
    assert page.count("as it is here") == 3
    published.edit("operators/a.yaml", "role: standard", "role: standard\nname: X")
    page = published.run("report").out
    assert (page.count("as it is here"), page.count("another version")) == (2, 1)
    assert "published without any evidence required" in page


def test_files_of_both_formats(published: Checkout) -> None:
    said = published.run("report", "--format", "html:out/report.html", "--format", "ics:out/endings.ics")
    assert (said.out, said.err) == ("", "")
    assert published.read("out/report.html").startswith("<!DOCTYPE html>\n")
    assert published.read("out/endings.ics").startswith("BEGIN:VCALENDAR\n")


def test_evidence_that_only_the_store_has_is_shown(checkout: Checkout, relay: Server) -> None:
    checkout.fleet(relay, "a")
    checkout.run("test", "--all")
    checkout.run("publish", "--yes")
    shutil.rmtree(checkout.root / ".opsmail")
    assert rows(checkout.run("report").out) == {"a": "good", "chefe": "good"}


def test_before_the_first_publish_there_is_no_history(checkout: Checkout) -> None:
    checkout.fleet(None, "a")
    said = checkout.run("report")
    assert rows(said.out) == {"a": "unproven", "chefe": "unproven"}
    assert "The store does not answer, or there is none yet." in said.out
    assert said.err == ""


def test_a_store_that_cannot_be_read_is_told_and_the_rest_shown(published: Checkout) -> None:
    (published.root / "opsmail.db").write_bytes(b"no database" * 100)
    said = published.run("report", code=4)
    assert rows(said.out) == dict.fromkeys(("a", "b", "chefe"), "unproven")
    assert said.err.startswith("warning: ")


def test_a_generation_that_is_not_trusted_any_more(published: Checkout) -> None:
    published.edit("opsmail.toml", 'environments = ["default"', 'revoked = true\nenvironments = ["default"')
    said = published.run("report", code=4)
    assert "which was revoked" in said.err


def test_an_older_generation_that_cannot_be_believed_hides_nothing(published: Checkout) -> None:
    """The key that signed the first one does not count any more; the second is signed by a new one."""
    new = SigningKey.generate()
    published.write("keys/new.pub.pem", new.public.pem())
    published.monkeypatch.setenv("OPSMAIL_SIGNING_KEY", new.pem())
    published.edit("opsmail.toml", "[[gate.keys]]", f"{NEW_KEY}\n[[gate.keys]]")
    published.edit("operators/a.yaml", "role: standard", "role: standard\nname: X")
    published.commit()
    refused = published.run("publish", "--yes", code=3).err
    (digest,) = set(re.findall("sha256:[0-9a-f]{64}", refused))
    published.run("publish", "--yes", "--accept-settings", digest)
    published.edit("opsmail.toml", 'file = "keys/ci.pub.pem"', 'file = "keys/ci.pub.pem"\nrevoked = true')
    page = published.run("report").out
    assert "not to be trusted" in page
    assert "published without any evidence required" in page


def test_an_unknown_format(published: Checkout) -> None:
    said = published.run("report", "--format", "pdf", code=2)
    assert said.err == "error: there is no format `pdf`\nhint: known: html, ics\n"
