"""`opsmail new`, installed: it asks on a terminal and takes options elsewhere; what it writes passes `check`."""

import pytest
import yaml

from tests.acceptance.repository import Repository
from tests.acceptance.terminal import Terminal

pytestmark = pytest.mark.acceptance

CATALOGUE = """\
[[servers]]
host = "smtp.office365.com"
connections = ["587/starttls"]
authentication = ["modern"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]
tenants = ["empresa.onmicrosoft.com"]
client_ids = ["11111111-2222-3333-4444-555555555555"]

[[servers]]
host = "smtp.gmail.com"
connections = ["465/implicit-tls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]
"""


def terminal(repository: Repository, *arguments: str) -> Terminal:
    return Terminal(*arguments, folder=repository.root, environment=repository.shell.environment({}))


def answer(asking: Terminal, question: str, text: str) -> str:
    said = asking.until(f"{question}: ") if question.endswith("]") else asking.until(question)
    asking.type(text)
    return said


def test_options_elsewhere(repository: Repository) -> None:
    repository.write("opsmail.toml", CATALOGUE)
    result = repository.run("new", "rh", "--provider", "gmail", "--address", "rh@empresa.com.br")
    assert result.out == ""
    assert "wrote operators/rh.yaml" in result.err
    assert repository.run("check").err == ""
    missing = repository.run("new", "folha", code=2).err
    assert "error: not given: --host, --address" in missing
    assert "run the command in a terminal" in missing


def test_what_it_wrote_can_be_confirmed_by_it(repository: Repository) -> None:
    repository.write("opsmail.toml", CATALOGUE)
    repository.run("new", "rh", "--provider", "gmail", "--address", "rh@empresa.com.br")
    text = repository.run("ask-it", "rh").out
    assert text.startswith("Subject: E-mail settings of `rh`: please confirm ")
    items = ("1. Server: smtp.gmail.com", "2. Port: 465", "3. Authentication: user and password", "4. Encryption: TLS")
    assert [item for item in items if f"\n{item}" not in text] == []
    assert "opsmail.toml approves this already" in text


def test_a_person_is_asked_and_may_try_again(repository: Repository) -> None:
    repository.write("opsmail.toml", CATALOGUE)
    asking = terminal(repository, "new", "rh", "--name", "Recursos")
    assert "known: smtp.office365.com, smtp.gmail.com" in answer(asking, "names it: ", "smtp.gmail.com")
    answer(asking, "of the sender: ", "rh")
    assert "@" in answer(asking, "of the sender: ", "rh@empresa.com.br")  # why the first answer was none
    answer(asking, "Enter for none: ", "")
    answer(asking, "[master]: ", "mestre")
    assert "did you mean `master`?" in answer(asking, "[master]: ", "")
    answer(asking, "[465]: ", "")
    answer(asking, "[basic]: ", "")
    answer(asking, "[rh@empresa.com.br]: ", "")
    answer(asking, "[env://OPSMAIL_SECRET_RH]: ", "hunter22hunter22")
    told = answer(asking, "[env://OPSMAIL_SECRET_RH]: ", "")
    assert "this is no reference to a secret" in told
    code, rest = asking.end()
    assert code == 0
    assert "wrote operators/rh.yaml" in rest
    assert yaml.safe_load(repository.read("operators/rh.yaml")) == {
        "version": 1,
        "operator": "rh",
        "name": "Recursos",
        "role": "master",
        "sender": {"address": "rh@empresa.com.br"},
        "server": {"host": "smtp.gmail.com", "port": 465, "encryption": "implicit-tls"},
        "authentication": {
            "type": "basic",
            "username": "rh@empresa.com.br",
            "password": "env://OPSMAIL_SECRET_RH",
        },
    }
    assert "hunter22" not in repository.read("operators/rh.yaml")
    repository.run("check", "--fail-on", "warning")


def test_without_a_catalogue_the_providers_are_offered(repository: Repository) -> None:
    asking = terminal(repository, "new", "rh")
    assert "gmail, " in answer(asking, "server of your own: ", "")
    answer(asking, "names it: ", "smtp.empresa.com.br")
    answer(asking, "of the sender: ", "rh@empresa.com.br")
    answer(asking, "Enter for none: ", "RH · Empresa")
    for likely in ("master", "587", "basic", "rh@empresa.com.br", "env://OPSMAIL_SECRET_RH"):
        answer(asking, f"[{likely}]: ", "")
    code, _ = asking.end()
    assert code == 0
    data = yaml.safe_load(repository.read("operators/rh.yaml"))
    assert data["sender"]["display_name"] == "RH · Empresa"
    assert data["server"] == {"host": "smtp.empresa.com.br", "port": 587, "encryption": "starttls"}


def test_whoever_leaves_in_the_middle_leaves_nothing(repository: Repository) -> None:
    asking = terminal(repository, "new", "rh")
    asking.until("server of your own: ")
    asking.interrupt()
    code, rest = asking.end()
    assert code == 130
    assert "interrupted; nothing half-done is left" in rest
    assert not (repository.root / "operators").exists()
