"""From the command to the mailbox and back: a message is sent as the operator, delivered, found, and signed for."""

import base64
import json

import pytest

from tests.acceptance.fleets import RECIPIENT, personality
from tests.acceptance.repository import Operator, Repository, Server
from tests.published import read_json
from tests.servers.mailserver import IMAP_HOST_NAME, MailServer

pytestmark = pytest.mark.acceptance

NAME, SENDER = "agendador", "agendador@empresa.test"
PROBE = f"""\
[live.probe]
host = "{IMAP_HOST_NAME}"
username = "{RECIPIENT}"
secret = "env://OPSMAIL_PROBE"
wait_seconds = 20
"""


@pytest.fixture
def fleet(repository: Repository, mail_server: MailServer) -> Repository:
    """A master, its server, and the mailbox that its test messages go to."""
    mailbox = Server(
        host=IMAP_HOST_NAME,
        address=f"{mail_server.address}:{mail_server.imap_ports['passwords']}",
        connections=("993/implicit-tls",),
        secrets=("env://OPSMAIL_PROBE",),
    )
    repository.write("ca/test.pem", mail_server.ca_pem.read_text("ascii"))
    repository.settings(personality(mail_server, "starttls"), mailbox, recipient=RECIPIENT, more=PROBE)
    operator = Operator(name=NAME, host="starttls.empresa.test", sender=SENDER, username=SENDER, role="master")
    repository.operator(operator, mail_server.accounts[SENDER])
    repository.secrets["OPSMAIL_PROBE"] = mail_server.accounts[RECIPIENT]
    repository.commit()
    return repository


def test_a_message_is_sent_delivered_found_and_signed_for(fleet: Repository, mail_server: MailServer) -> None:
    formats = ("--format", "text", "--format", "json:out/results.json", "--transcript", "out/transcript.txt")
    said = fleet.run("test", "--depth", "receipt", *formats)
    assert "ESMTPSA" in said.out
    (result,) = read_json(fleet.read("out/results.json"))["results"]
    assert (result["outcome"], result["depth"]) == ("passed", "receipt")
    receipt = result["stages"][-1]["receipt"]
    assert (receipt["sender"], receipt["protocol"], receipt["tls"], receipt["authenticated"]) == (
        SENDER,
        "ESMTPSA",
        True,
        True,
    )
    (file,) = fleet.evidence()
    send = json.loads(base64.b64decode(read_json(file.read_text("utf-8"))["payload"]))["predicate"]["send"]
    assert (send["depth"], send["stages"][-1]) == ("receipt", "receipt")
    assert mail_server.wait_for_message(RECIPIENT, send["message_id"])
    assert "AUTHENTICATE PLAIN\nS: + \nC: [response]\n" in fleet.read("out/transcript.txt")


def test_a_mailbox_that_lets_nobody_in_leaves_it_unknown_and_unsigned(fleet: Repository) -> None:
    fleet.secrets["OPSMAIL_PROBE"] = "c4n4ry-of-another-mailbox"
    result = fleet.test_results("--depth", "receipt", code=4)[NAME]
    assert (result["outcome"], result["failure"]["rule"], result["failure"]["stage"]) == (
        "inconclusive",
        "OM937",
        "receipt",
    )
    assert fleet.evidence() == []


def test_a_mailbox_that_nobody_approved_hears_nothing(fleet: Repository) -> None:
    fleet.edit("opsmail.toml", 'secrets = ["env://OPSMAIL_PROBE"]', "secrets = []")
    fleet.commit()
    said = fleet.run("test", "--depth", "receipt", code=3)
    assert "the mailbox of `[live.probe]` is not read: this secret may not be sent" in said.err
