"""The tutorial and the how-tos can be followed: every file and every command of them, in their order."""

import re
import secrets
from datetime import date, timedelta
from pathlib import Path

import pytest

from opsmail.cli.demo.server import HOST_NAME, mail_server
from tests.acceptance.canary import Canary
from tests.acceptance.command import Shell
from tests.acceptance.fleets import HR, at_relay
from tests.acceptance.repository import Operator, Repository
from tests.acceptance.test_night import publish_change
from tests.acceptance.walkthrough import PageError, follow, skipped, steps
from tests.hostile.certificates import Wish, issue

DOCS = Path(__file__).parents[2] / "docs"
FOLLOWED = {
    "company-relay.md",
    "existing-fleet.md",
    "google.md",
    "mail-stopped.md",
    "microsoft-365.md",
    "rotating-secrets.md",
    "tutorial.md",
}

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (DOCS / "index.md").is_file(), reason="not a checkout: the documents are not here"),
]


def read(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def walk(name: str, repository: Repository) -> str:
    """Follow a page in a repository, and return what was said."""
    return follow(read(name), repository.root, repository.shell, environment=repository.secrets)


def test_the_tutorial(tmp_path: Path) -> None:
    passwords = {f"{name}@empresa.com.br": secrets.token_urlsafe(12) for name in ("agendador", "rh")}
    ca = tmp_path / "ca.pem"
    with mail_server(passwords, ca) as (where, mailbox):
        # The company's server is a stand-in: at another address, and with a certificate of its own authority.
        entry = f'host = "{HOST_NAME}"\naddress = "{where}"\nca = "ca.pem"\n'
        page = read("tutorial.md").replace('host = "smtp.empresa.com.br"\n', entry)
        page = page.replace("smtp.empresa.com.br", HOST_NAME).replace("$ git init", f"$ cat {ca} > ca.pem\n$ git init")
        shell = Shell(tmp_path / "shell")
        said = follow(page, tmp_path, shell, environment={}, typed="".join(f"{word}\n" for word in passwords.values()))
        # The master is proven each time, and the other when it has changed.
        assert sorted(sender for sender, _ in mailbox.messages()) == sorted([*passwords, *passwords])
    assert "published generation 2" in said
    assert re.search(rf"^rh@empresa\.com\.br\n{re.escape(HOST_NAME)}$", said, re.MULTILINE), said
    canary = Canary(dict(passwords))
    assert canary.found(said.encode()) is None
    assert list(canary.found_below([tmp_path / "mail-settings"])) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [("microsoft-365.md", "1 note in 1 of 2 operators"), ("google.md", "no findings in 1 operator")],
)
def test_a_provider(name: str, found: str, repository: Repository) -> None:
    said = walk(name, repository)
    assert f"\n{found}\n" in said
    assert "gh secret set" in said


def test_the_companys_relay(repository: Repository, tmp_path: Path) -> None:
    authority = tmp_path / "company-ca.pem"
    authority.write_text(issue(Wish("Company", authority=True)).pem, "ascii")
    page = read("company-relay.md").replace("/etc/ssl/company-ca.pem", str(authority))
    # A waiver lasts for a year at most: the page's day is once too far, and later over.
    page = page.replace("expires: 2027-06-30", f"expires: {date.today() + timedelta(days=200)}")  # noqa: DTZ011 - as the tool does: the machine's day
    said = follow(page, repository.root, repository.shell, environment={})
    assert said.endswith("no findings in 2 operators (2 waived)\n")


def test_an_existing_fleet(repository: Repository) -> None:
    repository.write("opsmail.toml", '[[servers]]\nhost = "mail.empresa.test"\nconnections = ["587/starttls"]\n')
    entry = 'authentication = ["basic"]\nsecrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]\n'
    repository.write("opsmail.toml", repository.read("opsmail.toml") + entry)
    repository.operator(at_relay("agendador", "master"))
    address = "rh@empresa.test"
    repository.operator(Operator(name="rh", host="mail.empresa.test", sender=address, username="hr@empresa.test"))
    repository.operator(
        Operator(
            name="faturamento", host="mail.empresa.test", sender=address, username=address, password="S3nh4-antiga"
        )
    )
    walk("existing-fleet.md", repository)
    assert repository.read("opsmail-baseline.json").count('"rule"') == 1
    assert (repository.root / "report.html").is_file()


def test_rotating_secrets(published: Repository) -> None:
    published.edit(f"operators/{HR}.yaml", "  type: basic\n", "  type: basic\n  secret_expires: 2027-05-01\n")
    published.commit("Ends")
    published.run("test", HR)
    published.run("publish", "--yes")
    said = walk("rotating-secrets.md", published)
    assert "OM411" in said
    assert "1 passed, 0 failed" in said
    key = (published.root / "keys" / "ci-2027.key").read_text("ascii").splitlines()[1]
    assert key not in said


def test_mail_stopped(published: Repository) -> None:
    publish_change(published)
    said = walk("mail-stopped.md", published)
    assert said.count("1 passed, 0 failed") == 2
    assert f"opsmail rollback 1 --operator {HR}" in said
    assert "the history is whole up to generation 5" in said


# --- how a page is followed


def test_what_is_left_out_is_for_elsewhere() -> None:
    left = {name: lines for name in FOLLOWED if (lines := skipped(read(name)))}
    assert set(left) == {"tutorial.md"}
    assert {line.split()[0] for line in left["tutorial.md"]} == {"python3", "~/opsmail/bin/pip", "gh"}


def test_a_code_that_is_not_that_of_the_page_is_noticed(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "shell")
    for line in ("opsmail rule OM201 # exits with 1", "opsmail rule OM299"):
        with pytest.raises(AssertionError, match="ended with"):
            follow(f"```console\n$ {line}\n```\n", tmp_path, shell, environment={})


def test_an_unknown_program_is_noticed() -> None:
    with pytest.raises(PageError):
        list(steps("```console\n$ curl https://empresa.example\n```\n"))
