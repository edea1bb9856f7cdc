"""The everyday options of `check`, and `settings`, with the installed command."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.fleets import RECIPIENT
from tests.acceptance.repository import Operator, Repository, Server, secret_name

pytestmark = pytest.mark.acceptance

HOST = "mail.empresa.test"
ADDRESS = "rh@empresa.test"
RH = Operator(name="rh", host=HOST, port=465, sender="ti@empresa.test", username=ADDRESS, role="master")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """One operator with an error and a warning."""
    repository = Repository.make(tmp_path_factory.mktemp("options"))
    more = '[environments.production]\nstore.url = "postgresql://opsmail:S3nh4-do-banco@db/opsmail"\n'
    repository.settings(Server(host=HOST, ca=None), recipient=RECIPIENT, more=more)
    repository.edit(
        "opsmail.toml", '[[gate.keys]]\nfile = "keys/ci.pub.pem"\nkinds = ["test-send", "generation"]\n', ""
    )
    repository.operator(RH, "S3nh&-do-rh")
    repository.secrets["DATABASE"] = "S3nh4-do-banco"
    yield repository
    canary = repository.canary()
    assert [name for said in repository.shell.said if (name := canary.found(said))] == []


def rules(repository: Repository, *arguments: str, code: int = 1) -> list[str]:
    found = repository.run("check", "--format", "json", *arguments, code=code).json()["findings"]
    return [finding["rule"] for finding in found]


def test_select_ignore_and_profile(fleet: Repository) -> None:
    assert rules(fleet) == ["OM502", "OM201"]
    assert rules(fleet, "--select", "OM2,OM3") == ["OM201"]
    assert rules(fleet, "--select", "OM5", code=0) == ["OM502"]
    assert rules(fleet, "--ignore", "OM502") == ["OM201"]
    assert rules(fleet, "--profile", "minimal") == ["OM201"]
    strict = fleet.run("check", "--profile", "strict", "--select", "OM5", code=1)
    assert strict.out.startswith("error[OM502]")
    assert strict.err == "partial: only findings of OM5 are told\n"
    refused = fleet.run("check", "--ignore", "OM209", code=2)
    assert refused.err.startswith("error: OM209 cannot be ignored, because it is unwaivable\nhint: ")


def test_statistics(fleet: Repository) -> None:
    result = fleet.run("check", "--statistics", "--format", "text", "--format", "sarif:out/x.sarif", code=1)
    assert result.out.splitlines()[0] == "1  OM201  error    port-encryption-mismatch  (1 fixable)"
    assert json.loads(fleet.read("out/x.sarif"))["runs"][0]["results"]


def test_standard_input(fleet: Repository) -> None:
    text = RH.yaml().replace("port: 465", "port: 587")
    editor = fleet.run("check", "-", "--stdin-filename", "operators/rh.yaml", given=text)
    assert editor.out.endswith("1 warning in 1 of 1 operator\n")
    assert " --> operators/rh.yaml:5:12  (operator rh)" in editor.out
    assert "\n 5 |   address: ti@empresa.test\n" in editor.out
    new = fleet.run("check", "-", "--format", "concise", given=text.replace("operator: rh", "operator: novo"), code=1)
    assert new.out.startswith("operators/novo.yaml:5:12: warning[OM502] ")


def test_resolve(fleet: Repository) -> None:
    assert rules(fleet, "--resolve", "--select", "OM6", code=0) == []
    result = fleet.run("check", "--resolve", "--select", "OM6", code=1, without=(secret_name("rh"),))
    assert result.out.startswith("error[OM606]: the environment variable `OPSMAIL_SECRET_RH` is not set\n")


def test_settings(fleet: Repository) -> None:
    shown = fleet.run("settings", "live").out.splitlines()
    assert shown[0].split("  ")[0] == f'live.recipient = "{RECIPIENT}"'
    assert shown[0].endswith("# opsmail.toml:8")
    production = fleet.run("settings", "store.url", environment={"OPSMAIL_ENVIRONMENT": "production"}).out
    assert production == (
        'store.url = "postgresql://opsmail:***@db/opsmail"  # opsmail.toml:17, environment production\n'
    )
    (item,) = fleet.run("settings", "environment", "--env", "production", "--format", "json").json()["settings"]
    assert item["origin"]["name"] == "--env"
    assert "did you mean `gate`?" in fleet.run("settings", "gat", code=2).err


def test_no_operator_file_is_no_failure(tmp_path: Path) -> None:
    repository = Repository.make(tmp_path)
    (repository.root / "operators").mkdir()
    result = repository.run("check")
    assert result.out == "no findings in 0 operators\n"
    assert result.err.startswith("no operator file to check\n")
