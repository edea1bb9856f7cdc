"""Nothing goes where the trusted catalogue does not allow it: a server that counts what comes to it counts nothing."""

import json
from collections.abc import Iterator

import pytest

from tests.acceptance.fleets import RECIPIENT, RELAY_HOST
from tests.acceptance.repository import Operator, Repository, Server
from tests.acceptance.sink import Sink, listening

pytestmark = pytest.mark.acceptance

HOST = "localhost"
FILE = "operators/rh.yaml"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening() as sink:
        yield sink


def approved(sink: Sink) -> Server:
    """Return the catalogue entry that allows the sink."""
    return Server(host=HOST, connections=(f"{sink.port}/starttls",), ca=None, private=True)


def rh(host: str, port: int, password: str | None = None) -> Operator:
    address = "rh@empresa.test"
    return Operator(name="rh", role="master", host=host, port=port, sender=address, username=address, password=password)


@pytest.fixture
def at_sink(repository: Repository, sink: Sink) -> Repository:
    """A committed fleet whose one operator may use the sink, and would wait a second for its greeting."""
    repository.settings(approved(sink), recipient=RECIPIENT)
    repository.edit("opsmail.toml", "timeout_seconds = 20", "timeout_seconds = 1")
    repository.operator(rh(HOST, sink.port), "S3nh&-do-rh")
    repository.commit()
    return repository


def test_where_it_may_go_it_goes(at_sink: Repository, sink: Sink) -> None:
    """The others could not fail if nothing ever came to the sink."""
    assert at_sink.test_results(code=4)["rh"]["failure"]["rule"] == "OM904"
    assert sink.connections == 1


def test_a_host_that_is_not_approved_gets_nothing(repository: Repository, sink: Sink) -> None:
    repository.settings(Server(host=RELAY_HOST, ca=None), recipient=RECIPIENT)
    repository.operator(rh(HOST, sink.port), "S3nh&-do-rh")
    repository.commit()
    refused_by_check(repository, "OM209", "7:9")
    refused = repository.run("publish", "--yes", code=3).err
    assert f"refused: rh: OM209 at {FILE}:" in refused
    assert sink.untouched


def test_a_port_that_is_not_approved_gets_nothing(repository: Repository, sink: Sink) -> None:
    repository.settings(Server(host=HOST, ca=None, private=True), recipient=RECIPIENT)
    repository.operator(rh(HOST, sink.port), "S3nh&-do-rh")
    repository.commit()
    refused_by_check(repository, "OM209", "8:9")
    assert sink.untouched


@pytest.mark.case("C-05")
def test_a_secret_that_is_not_the_operators_goes_nowhere(at_sink: Repository, sink: Sink) -> None:
    at_sink.secrets["OPSMAIL_SECRET_FATURAMENTO"] = "S3nh&-do-faturamento"
    at_sink.operator(rh(HOST, sink.port, "env://OPSMAIL_SECRET_FATURAMENTO"))
    at_sink.commit()
    refused_by_check(at_sink, "OM604", "13:13")
    assert sink.untouched


def test_the_signing_key_goes_nowhere(at_sink: Repository, sink: Sink) -> None:
    at_sink.edit("opsmail.toml", "env://OPSMAIL_SECRET_{OPERATOR}", "env://*")
    at_sink.operator(rh(HOST, sink.port, "env://OPSMAIL_SIGNING_KEY"))
    at_sink.commit()
    refused_by_check(at_sink, "OM604", "13:13")
    assert sink.untouched


def test_without_a_catalogue_nobody_gets_anything(repository: Repository, sink: Sink) -> None:
    repository.operator(rh(HOST, sink.port), "S3nh&-do-rh")
    repository.commit()
    result = repository.run("test", "--to", RECIPIENT, code=3)
    assert "there is no catalogue of approved servers" in result.err
    assert sink.untouched


def refused_by_check(repository: Repository, rule: str, place: str) -> None:
    """The check stands before the test, and shows why at the line."""
    shown = repository.run("test", "rh", code=1).err
    assert f"error[{rule}]" in shown
    assert f"{FILE}:{place}" in shown
    assert not repository.evidence()


# --- a change that brings its own approval


@pytest.mark.case("C-02")
def test_a_host_approved_by_the_change_itself_gets_nothing(repository: Repository, sink: Sink) -> None:
    elsewhere = Server(host=RELAY_HOST, ca=None)
    repository.settings(elsewhere, recipient=RECIPIENT)
    repository.operator(rh(RELAY_HOST, 587), "S3nh&-do-rh")
    repository.commit()
    repository.settings(elsewhere, approved(sink), recipient=RECIPIENT)
    repository.operator(rh(HOST, sink.port))
    repository.commit()
    repository.run("check")
    refused_by_pins(repository, "OM209", "7:9")
    assert sink.untouched


@pytest.mark.case("C-02")
def test_a_port_approved_by_the_change_itself_gets_nothing(repository: Repository, sink: Sink) -> None:
    repository.settings(Server(host=HOST, ca=None, private=True), recipient=RECIPIENT)
    repository.operator(rh(HOST, 587), "S3nh&-do-rh")
    repository.commit()
    repository.settings(approved(sink), recipient=RECIPIENT)
    repository.operator(rh(HOST, sink.port))
    repository.commit()
    refused_by_pins(repository, "OM209", "8:9")
    assert sink.untouched


def test_a_secret_approved_by_the_change_itself_goes_nowhere(at_sink: Repository, sink: Sink) -> None:
    at_sink.secrets["OPSMAIL_SECRET_FATURAMENTO"] = "S3nh&-do-faturamento"
    at_sink.edit("opsmail.toml", "env://OPSMAIL_SECRET_{OPERATOR}", "env://OPSMAIL_SECRET_*")
    at_sink.operator(rh(HOST, sink.port, "env://OPSMAIL_SECRET_FATURAMENTO"))
    at_sink.commit()
    refused_by_pins(at_sink, "OM604", "13:13")
    assert sink.untouched


@pytest.mark.case("C-02")
def test_a_catalogue_that_the_change_brings_first_is_none(repository: Repository, sink: Sink) -> None:
    repository.operator(rh(HOST, sink.port), "S3nh&-do-rh")
    repository.commit()
    repository.settings(approved(sink), recipient=RECIPIENT)
    repository.commit()
    result = repository.run("test", "rh", "--trust", "HEAD~1", "--to", RECIPIENT, code=3)
    assert "there is no catalogue of approved servers" in result.err
    assert sink.untouched


def refused_by_pins(repository: Repository, rule: str, place: str) -> None:
    """By its own settings the change is right, and by those that are trusted it is not."""
    shown = repository.run("test", "rh", "--trust", "HEAD~1", code=1).err
    assert f"error[{rule}]" in shown
    assert f"{FILE}:{place}" in shown
    assert not repository.evidence()


def test_an_address_that_the_change_brings_does_not_count(published: Repository, sink: Sink) -> None:
    """The server of the trusted catalogue is tested, and what that proves is not the change."""
    old = next(line for line in published.read("opsmail.toml").splitlines() if line.startswith("address"))
    published.edit("opsmail.toml", old, f'address = "{sink.address}"')
    published.commit()
    results = published.test_results("faturamento", "--trust", "HEAD~1", code=0)
    assert results["faturamento"]["outcome"] == "passed"
    assert sink.untouched
    refused = published.run("publish", "--yes", code=3).err
    assert "faturamento: the `test-send` evidence for operator:faturamento" in refused
    assert "is for another version of it" in refused


# --- runs that may be somebody else's code


def pull_request(head: str | None, base: str = "empresa/operadores") -> str:
    return json.dumps(
        {"pull_request": {"head": {"repo": head and {"full_name": head}}, "base": {"repo": {"full_name": base}}}}
    )


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request_target", "{}"),
        ("pull_request", pull_request("alguem/operadores")),
        ("pull_request", pull_request(None)),  # the fork is gone
        ("pull_request", None),
    ],
)
@pytest.mark.case("W-06")
def test_runs_for_foreign_code_do_not_send(at_sink: Repository, sink: Sink, event: str, payload: str | None) -> None:
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event}
    if payload is not None:
        at_sink.write("out/event.json", payload)
        environment["GITHUB_EVENT_PATH"] = str(at_sink.root / "out" / "event.json")
    result = at_sink.run("test", code=3, environment=environment)
    assert "live tests and publish do not run here" in result.err
    assert "hint: run them on the merged commit" in result.err
    assert result.out == ""
    assert sink.untouched


@pytest.mark.case("W-06")
def test_a_merge_request_from_a_fork_does_not_publish(at_sink: Repository, sink: Sink) -> None:
    environment = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "5"}
    at_sink.run("publish", "--yes", code=3, environment=environment)
    assert sink.untouched


def test_a_pull_request_of_the_repository_itself_may_be_tested(at_sink: Repository, sink: Sink) -> None:
    at_sink.write("out/event.json", pull_request("empresa/operadores"))
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(at_sink.root / "out" / "event.json"),
    }
    at_sink.run("test", code=4, environment=environment)
    assert sink.connections == 1
