"""The main job on real input: from a YAML file with a mistake in it to mail that an application sends."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import SECONDS, Result
from tests.acceptance.fleets import RECIPIENT, personality
from tests.acceptance.repository import KeyPair, Operator, Repository
from tests.published import read_json
from tests.servers.mailserver import MailServer

pytestmark = pytest.mark.acceptance

SENDERS = {
    "agendador": "agendador@empresa.test",
    "faturamento": "faturamento@empresa.test",
    "relatorios": "rh@empresa.test",  # without login: the relay knows no accounts
}
MISTAKEN = "operators/faturamento.yaml"

APPLICATION = """\
import sys
from email.message import EmailMessage
from opsmail.runtime import Operators

url, key, snapshot, recipient = sys.argv[1:]
operators = Operators.open(url, keys=[key], snapshot=snapshot)
for purpose, operator in (("operador", operators["faturamento"]), ("agendador", operators.master)):
    message = EmailMessage()
    message["To"] = recipient
    message["Subject"] = "Fechamento do mês"
    message["Message-ID"] = f"<{purpose}@empresa.test>"
    message.set_content("O fechamento terminou bem.\\n")
    print(operator.generation, operator.settings.operator, operator.send(message).code)
operators.close()
"""


@dataclass(frozen=True)
class Story:
    """What each step left."""

    repository: Repository
    commit: str
    flagged: Result
    findings: Any
    mended: Any
    results: dict[str, Any]
    verified: Result
    planned: Result
    published: Result


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, keys: KeyPair, mail_server: MailServer) -> Iterator[Story]:
    """The whole way of a master over implicit TLS, an operator over STARTTLS, and one on a relay without login."""
    repository = three_operators(tmp_path_factory.mktemp("story"), keys, mail_server)
    repository.edit(MISTAKEN, "  port: 587", "  port:  465")
    flagged = repository.run("check", "--format", "text", "--format", "json:out/findings.json", code=1)
    repository.edit(MISTAKEN, "  port:  465", "  port: 587")
    mended = repository.run("check", "--format", "json").json()
    commit = repository.commit("Operadores")
    yield Story(
        repository=repository,
        commit=commit,
        flagged=flagged,
        findings=read_json(repository.read("out/findings.json")),
        mended=mended,
        results=repository.test_results("--transcript", "out/transcript.txt", code=0),
        verified=repository.run("evidence", "verify"),
        planned=repository.run("plan", "--out", "out/plan.json"),
        published=repository.run("publish", "out/plan.json"),
    )
    repository.search()


def three_operators(folder: Path, keys: KeyPair, mail_server: MailServer) -> Repository:
    repository = Repository.make(folder, keys)
    repository.write("ca/test.pem", mail_server.ca_pem.read_text("ascii"))
    repository.settings(
        personality(mail_server, "starttls"),
        personality(mail_server, "implicit_tls", connections=("465/implicit-tls",)),
        personality(mail_server, "cleartext", connections=("25/none",), authentication=("none",), secrets=(), ca=None),
        recipient=RECIPIENT,
    )
    master, billing, reports = (
        Operator(name=name, host="starttls.empresa.test", sender=sender, username=sender)
        for name, sender in SENDERS.items()
    )
    for operator in (
        replaced(master, role="master", host="implicit-tls.empresa.test", port=465, encryption="implicit-tls"),
        billing,
        replaced(reports, host="cleartext.empresa.test", port=25, encryption="none", username=None),
    ):
        password = None if operator.username is None else mail_server.accounts[operator.username]
        repository.operator(operator, password)
    return repository


def replaced(operator: Operator, **changes: Any) -> Operator:
    return Operator(**{**vars(operator), **changes})


def test_the_mistake_is_flagged_at_its_line_and_column(story: Story) -> None:
    lines = story.flagged.out.splitlines()
    assert lines[0] == "error[OM201]: port 465 expects implicit TLS, but encryption is `starttls`"
    assert lines[1] == f"  --> {MISTAKEN}:8:10  (operator faturamento)"
    assert " 8 |   port:  465" in lines
    assert lines[lines.index(" 8 |   port:  465") + 1].startswith("   |          ^^^ ")
    (finding,) = [finding for finding in story.findings["findings"] if finding["severity"] == "error"]
    assert (finding["rule"], finding["name"]) == ("OM201", "port-encryption-mismatch")
    assert (finding["operator"], finding["path"], finding["file"]) == ("faturamento", "server.port", MISTAKEN)
    assert (finding["start"], finding["end"]) == ({"line": 8, "column": 10}, {"line": 8, "column": 13})


def test_once_mended_only_the_relay_without_encryption_is_mentioned(story: Story) -> None:
    assert story.mended["summary"] | {"warnings": 0} == {
        "files": 3,
        "operators": 3,
        "errors": 0,
        "warnings": 0,
        "notes": 0,
        "waived": 0,
        "fixable": 0,
    }
    assert {(finding["operator"], finding["rule"]) for finding in story.mended["findings"]} == {
        ("relatorios", "OM203"),
        ("relatorios", "OM301"),
    }


@pytest.mark.parametrize("name", SENDERS)
def test_the_message_arrived_as_the_operator(story: Story, mail_server: MailServer, name: str) -> None:
    result, said = story.results[name], statement(story.repository, name)
    message_id = said["predicate"]["send"]["message_id"]
    assert re.fullmatch(r"<opsmail\.[0-9a-f]{32}@empresa\.test>", message_id)
    message = mail_server.wait_for_message(RECIPIENT, message_id)
    assert (message["From"], message["Return-Path"]) == (SENDERS[name], f"<{SENDERS[name]}>")
    assert message["Subject"] == f"[opsmail] Test message of operator {name}"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Opsmail-Digest"].strip() == result["digest"]
    assert f"sha256:{said['subject'][0]['digest']['sha256']}" == result["digest"]


def test_with_a_login_the_message_came_over_verified_tls(story: Story, mail_server: MailServer) -> None:
    for name in ("agendador", "faturamento"):
        trace = trace_of(mail_server, statement(story.repository, name)["predicate"]["send"]["message_id"])
        assert "using TLSv1.3 with cipher TLS_" in trace
        assert f"(Authenticated sender: {SENDERS[name]})" in trace
        assert " with ESMTPSA id " in trace
        stages = {stage["stage"]: stage for stage in story.results[name]["stages"]}
        assert list(stages) == ["resolve", "connect", "tls", "authenticate", "envelope", "send"]
        assert stages["tls"]["tls"]["version"] == "TLSv1.3"
        assert stages["authenticate"]["mechanism"] == "PLAIN"
        assert stages["send"]["reply"]["code"] == 250


def test_without_login_no_stage_claims_one(story: Story, mail_server: MailServer) -> None:
    trace = trace_of(mail_server, statement(story.repository, "relatorios")["predicate"]["send"]["message_id"])
    assert " with ESMTP id " in trace
    assert "TLS" not in trace
    assert [stage["stage"] for stage in story.results["relatorios"]["stages"]] == [
        "resolve",
        "connect",
        "envelope",
        "send",
    ]


def test_the_transcript_tells_the_conversations_without_the_responses(story: Story) -> None:
    transcript = story.repository.read("out/transcript.txt")
    assert [line for line in transcript.splitlines() if line.startswith("== ")] != []
    assert transcript.count("C: AUTH PLAIN [response]\n") == 2
    assert transcript.count("S: 250 2.0.0 Ok: queued as ") == 3


def test_the_evidence_holds(story: Story) -> None:
    lines = story.verified.out.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert re.match(
            r"✓ [0-9a-f]{64}\.dsse\.json: `test-send` for operator:\S+, environment default, \S+Z, "
            r"signed by keys/ci\.pub\.pem$",
            line,
        )
    assert story.verified.err == "3 statements, 0 refused\n"


def test_the_plan_tells_what_the_publish_did(story: Story) -> None:
    assert "3 to create, 0 to update, 0 to delete, 0 unchanged" in story.planned.out
    assert "published generation 1 for default: 3 to create" in story.published.err
    plan = read_json(story.repository.read("out/plan.json"))
    assert {change["operator"]: f"sha256:{change['after']}" for change in plan["changes"]} == {
        name: result["digest"] for name, result in story.results.items()
    }


def test_the_history_tells_when_from_what_and_how_many(story: Story) -> None:
    (generation,) = story.repository.run("history", "--format", "json").json()["generations"]
    assert (generation["number"], generation["commit"], generation["operators"]) == (1, story.commit, 3)
    assert generation["required"] == ["test-send"]
    text = story.repository.run("history").out
    assert re.match(rf" +1  \S+Z  \S+  {story.commit[:12]}  3 operators\n", text)


def test_what_is_published_can_be_shown(story: Story) -> None:
    document = story.repository.run("show", "agendador@1", "--format", "json").json()
    assert document["operator"]["server"]["host"] == "implicit-tls.empresa.test"
    assert document["operator"]["authentication"]["password"] == "env://OPSMAIL_SECRET_AGENDADOR"
    assert document["connection"]["ca"].startswith("-----BEGIN CERTIFICATE-----")
    assert "host: implicit-tls.empresa.test" in story.repository.run("show", "agendador").out


def test_an_application_sends_as_the_operator_and_as_the_master(story: Story, mail_server: MailServer) -> None:
    root = story.repository.root
    url, key = f"sqlite:///{root / 'opsmail.db'}", root / "keys" / "ci.pub.pem"
    snapshot = story.repository.shell.temporary / "snapshot.json"
    passwords = {name: value for name, value in story.repository.secrets.items() if name.startswith("OPSMAIL_SECRET_")}
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", APPLICATION, url, key, snapshot, RECIPIENT],
        cwd=story.repository.shell.folder,
        env=story.repository.shell.environment(passwords),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    story.repository.shell.said += (done.stdout, done.stderr)
    assert done.stderr == b""
    assert done.stdout == b"1 faturamento 250\n1 agendador 250\n"
    for purpose, sender in (("operador", SENDERS["faturamento"]), ("agendador", SENDERS["agendador"])):
        message = mail_server.wait_for_message(RECIPIENT, f"<{purpose}@empresa.test>")
        assert (message["From"], message["Subject"]) == (sender, "Fechamento do mês")
        assert message.get_content() == "O fechamento terminou bem.\n"
        assert f"(Authenticated sender: {sender})" in trace(message)
    assert snapshot.stat().st_mode & 0o777 == 0o600


def statement(repository: Repository, operator: str) -> dict[str, Any]:
    """Return the statement about an operator, as its envelope carries it."""
    envelopes = (read_json(path.read_text("utf-8")) for path in repository.evidence())
    statements = [json.loads(base64.b64decode(envelope["payload"])) for envelope in envelopes]
    (found,) = [item for item in statements if item["subject"][0]["name"] == f"operator:{operator}"]
    assert isinstance(found, dict)
    return found


def trace_of(mail_server: MailServer, message_id: str) -> str:
    return trace(mail_server.wait_for_message(RECIPIENT, message_id))


def trace(message: EmailMessage) -> str:
    return " ".join(str(message["Received"]).split())
