"""Each misconfiguration ends the test at its stage, with its diagnosis, at the line to change."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.fleets import RECIPIENT, personality
from tests.acceptance.repository import KeyPair, Operator, Repository, Server
from tests.acceptance.sink import listening
from tests.hostile.peer import Connection, Peer
from tests.published import read_json
from tests.servers.mailserver import MailServer

pytestmark = pytest.mark.acceptance

ACCOUNT, OTHER = "rh@empresa.test", "faturamento@empresa.test"
IMPLICIT = ("465/implicit-tls",)

# Where each field stands in the operator files that these tests write: line and column.
PLACES = {
    "sender.address": (5, 12),
    "server.host": (7, 9),
    "server.port": (8, 9),
    "server.encryption": (9, 15),
    "server.minimum_tls": (6, 1),  # not in the file: its section
    "authentication.type": (11, 9),
    "authentication.password": (13, 13),
}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a test of an operator finds."""

    stage: str
    rule: str
    name: str
    path: str
    fault: str = "configuration"
    code: int | None = None

    @property
    def outcome(self) -> str:
        return "failed" if self.fault in ("configuration", "provider") else "inconclusive"


CASES = {
    "sem-dns": Expected(stage="resolve", rule="OM901", name="name-not-resolved", path="server.host"),
    "recusa": Expected(stage="connect", rule="OM903", name="connection-refused", path="server.port"),
    "tunel": Expected(stage="connect", rule="OM903", name="connection-refused", path="", fault="environment"),
    "web": Expected(stage="connect", rule="OM905", name="not-smtp", path="server.port"),
    "sem-starttls": Expected(stage="tls", rule="OM906", name="starttls-missing", path="server.encryption"),
    "tls-antigo": Expected(stage="tls", rule="OM908", name="tls-too-old", path="server.minimum_tls", fault="provider"),
    "vencido": Expected(stage="tls", rule="OM909", name="certificate-expired", path="server.host", fault="provider"),
    "outro-nome": Expected(stage="tls", rule="OM910", name="certificate-wrong-name", path="server.host"),
    "emissor": Expected(stage="tls", rule="OM911", name="certificate-untrusted", path="server.host"),
    "tls-cedo": Expected(stage="tls", rule="OM936", name="wrong-tls-mode", path="server.encryption"),
    "mecanismo": Expected(stage="authenticate", rule="OM912", name="no-common-mechanism", path="authentication.type"),
    "senha": Expected(
        stage="authenticate", rule="OM913", name="bad-credentials", path="authentication.password", code=535
    ),
    "remetente": Expected(stage="envelope", rule="OM926", name="sender-refused", path="sender.address", code=553),
}
IMPATIENT = {
    "mudo": Expected(stage="connect", rule="OM904", name="timed-out", path="server.port", fault="environment"),
    "tls-tarde": Expected(stage="connect", rule="OM936", name="wrong-tls-mode", path="server.encryption"),
}

#: The one name that leads to this machine everywhere.
UNHELPED = "localhost"
# How many of the operators here, the good one included, have one of Postfix's ports.
OF_POSTFIX = 11


@dataclass(frozen=True)
class Runs:
    """The results of every operator, the text that people saw, and what Postfix counted in each conversation."""

    repository: Repository
    results: dict[str, Any]
    text: str
    conversations: dict[str, list[str]]


@pytest.fixture(scope="module")
def repository(
    tmp_path_factory: pytest.TempPathFactory, keys: KeyPair, mail_server: MailServer
) -> Iterator[Repository]:
    """One operator for each mistake, and one without."""
    repository = Repository.make(tmp_path_factory.mktemp("misconfigured"), keys)
    repository.write("ca/test.pem", mail_server.ca_pem.read_text("ascii"))
    with ExitStack() as stack:
        reserved = stack.enter_context(socket.socket())
        reserved.bind(("127.0.0.1", 0))  # and nobody listens
        silent = stack.enter_context(listening())
        web = Peer(answer_like_the_web)
        stack.callback(web.stop)
        places = {
            "sem-dns": Server(host="smtp.empresa.invalid", ca=None),
            "recusa": unhelped(reserved.getsockname()[1]),
            "tunel": elsewhere("tunel", reserved.getsockname()[1]),
            "web": elsewhere("web", web.port),
            "sem-starttls": personality(mail_server, "starttls_stripped"),
            "tls-antigo": personality(mail_server, "tls11_only"),
            "vencido": personality(mail_server, "expired"),
            "outro-nome": personality(mail_server, "wrong_name"),
            "emissor": personality(mail_server, "unknown_issuer"),
            "tls-cedo": personality(mail_server, "starttls", host="cedo.empresa.test", connections=IMPLICIT),
            "mecanismo": personality(mail_server, "no_common_mechanism"),
            "senha": personality(mail_server, "login_only"),
            "remetente": personality(mail_server, "starttls"),
            "mudo": unhelped(silent.port),
            "tls-tarde": personality(mail_server, "implicit_tls", connections=("465/starttls",)),
        }
        own = [place for place in places.values() if place.host != UNHELPED]
        ports = [port for place in places.values() if place.host == UNHELPED for port in place.connections]
        repository.settings(
            *own,
            Server(host=UNHELPED, connections=tuple(ports), private=True),
            recipient=RECIPIENT,
            more="[environments.impaciente]\nlive.timeout_seconds = 2\n",
        )
        for name, server in places.items():
            repository.operator(operator(name, server), mail_server.accounts[ACCOUNT])
        repository.secrets["OPSMAIL_SECRET_SENHA"] = "S3nh&-errada+/ção"
        repository.operator(
            Operator(name="bom", host="starttls.empresa.test", sender=ACCOUNT, username=ACCOUNT, role="master"),
            mail_server.accounts[ACCOUNT],
        )
        repository.commit("One mistake each")
        yield repository
    repository.search()


def answer_like_the_web(connection: Connection) -> None:
    connection.say(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    connection.hold()


def elsewhere(name: str, port: int) -> Server:
    return Server(host=f"{name}.empresa.test", address=f"127.0.0.1:{port}")


def unhelped(port: int) -> Server:
    """Return a server that is found by its name: where the catalogue leads elsewhere, the port says nothing."""
    return Server(host=UNHELPED, connections=(f"{port}/starttls",))


def operator(name: str, server: Server) -> Operator:
    port, _, encryption = server.connections[0].partition("/")
    sender = OTHER if name == "remetente" else ACCOUNT
    return Operator(name=name, host=server.host, port=int(port), encryption=encryption, sender=sender, username=ACCOUNT)


@pytest.fixture(scope="module")
def runs(repository: Repository, mail_server: MailServer) -> Runs:
    """All operators tested, those that would wait for nothing in an impatient environment."""
    formats = ("--format", "text", "--format", "json:out/results.json")
    before = len(quiet_log(mail_server))
    patient = repository.run("test", *CASES, "bom", *formats, "--transcript", "out/transcript.txt", code=1)
    results = read_results(repository)
    said = patient.out
    for name, expected in IMPATIENT.items():
        # What proves nothing about the operator is no failed test.
        code = 1 if expected.outcome == "failed" else 4
        said += repository.run("test", name, *formats, "--env", "impaciente", code=code).out
        results |= read_results(repository)
    return Runs(repository, results, said, conversations_since(mail_server, before, OF_POSTFIX))


def quiet_log(mail_server: MailServer) -> str:
    """Return what Postfix has logged, once every conversation of tests before is summed up there."""
    deadline = time.monotonic() + 10
    while (text := mail_server.logs[0].text()).count(": connect from ") != text.count(": disconnect from "):
        assert time.monotonic() < deadline, text
        time.sleep(0.01)  # a log does not say when it grows
    return text


def conversations_since(mail_server: MailServer, start: int, count: int) -> dict[str, list[str]]:
    """Return the lines with which Postfix sums up its conversations, by personality, once there are `count` of them."""
    deadline = time.monotonic() + 10
    while True:
        lines = mail_server.logs[0].text()[start:].splitlines()
        found = [line for line in lines if ": disconnect from " in line]
        if len(found) >= count:
            break
        assert time.monotonic() < deadline, lines
        time.sleep(0.01)
    by_name: dict[str, list[str]] = {}
    for line in found:
        by_name.setdefault(line.partition("postfix/")[2].partition("/smtpd")[0], []).append(f"{line} ")
    return by_name


def read_results(repository: Repository) -> dict[str, Any]:
    results = read_json(repository.read("out/results.json"))["results"]
    return {result["operator"]: result for result in results}


@pytest.mark.parametrize("name", [*CASES, *IMPATIENT])
def test_it_fails_at_its_stage_with_its_diagnosis(runs: Runs, name: str) -> None:
    expected, result = (CASES | IMPATIENT)[name], runs.results[name]
    failure = result["failure"]
    assert (failure["stage"], failure["rule"], failure["name"]) == (expected.stage, expected.rule, expected.name)
    assert (failure["fault"], result["outcome"], failure["path"]) == (expected.fault, expected.outcome, expected.path)
    assert (failure["reply"] or {}).get("code") == expected.code
    assert failure["cause"]
    assert failure["remedy"]
    # Nothing after it is tried, and nothing before it failed.
    assert [stage["outcome"] for stage in result["stages"][:-1]] == ["passed"] * (len(result["stages"]) - 1)
    assert (result["stages"][-1]["stage"], result["stages"][-1]["outcome"]) == (expected.stage, expected.outcome)
    assert result["evidence"] == []


def test_a_name_that_cannot_exist_is_not_waited_for(runs: Runs) -> None:
    assert runs.results["sem-dns"]["milliseconds"] < 2000


@pytest.mark.parametrize("name", [*CASES, *IMPATIENT])
def test_people_are_told_the_line_to_change(runs: Runs, name: str) -> None:
    expected = (CASES | IMPATIENT)[name]
    block = block_of(runs.text, name)
    assert f"    {expected.rule} {expected.name}: " in block
    if expected.path:
        line, column = PLACES[expected.path]
        assert f"    to change: operators/{name}.yaml:{line}:{column} ({expected.path})\n" in block
    else:
        assert "to change" not in block
    assert runs.results[name]["failure"]["remedy"] in block


def block_of(text: str, operator: str) -> str:
    """Return the lines about one operator: its own, and those below that are indented."""
    lines = text.splitlines(keepends=True)
    first = next(index for index, line in enumerate(lines) if line[2:].startswith(f"{operator}  "))
    last = next((index for index in range(first + 1, len(lines)) if not lines[index].startswith("    ")), len(lines))
    return "".join(lines[first:last])


def test_the_one_without_a_mistake_passes_beside_them(runs: Runs, repository: Repository) -> None:
    assert runs.results["bom"]["outcome"] == "passed"
    signed = [path.relative_to(repository.root).as_posix() for path in repository.evidence()]
    assert signed == runs.results["bom"]["evidence"]


def test_a_recipient_that_is_refused_is_the_settings_mistake(repository: Repository) -> None:
    result = repository.run("test", "bom", "--to", "ninguem@empresa.test", "--format", "text", code=1)
    assert "OM928 recipient-refused" in result.out
    assert "550 5.1.1 <ninguem@empresa.test>" in result.out
    assert "live.recipient" in result.out
    assert "to change" not in result.out  # no field of the operator is wrong


def test_a_wrong_password_is_tried_once(runs: Runs) -> None:
    assert runs.results["senha"]["attempts"] == 1
    (counts,) = runs.conversations["login_only"]
    assert " auth=0/1 " in counts


@pytest.mark.parametrize(
    "name", ["starttls_stripped", "tls11_only", "expired", "wrong_name", "unknown_issuer", "no_common_mechanism"]
)
def test_no_login_was_tried_where_the_server_is_not_verified_or_offers_none(runs: Runs, name: str) -> None:
    (counts,) = runs.conversations[name]
    assert "auth=" not in counts
    assert "mail=" not in counts
