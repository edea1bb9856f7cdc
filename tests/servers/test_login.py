"""`opsmail login` as a person uses it: the installed command at a terminal, and a real authorization server."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import time
from pathlib import Path
from typing import Self

from opsmail.mail.oauth.signin import DevicePrompt
from opsmail.secrets import Secret
from tests.acceptance.command import COMMAND
from tests.acceptance.repository import Repository
from tests.servers.identity import MAILBOX, PERSON_APP, TENANT, Identity
from tests.servers.mailserver import MailServer
from tests.servers.test_tokens import approve

SECONDS = 60
PROMPT = re.compile(r"open (\S+) and enter the code (\S+) within (\d+) minutes; sign in as (\S+)\r\n")


def repository(folder: Path, server: MailServer, identity: Identity, token: Path) -> Repository:
    made = Repository.make(folder)
    made.write("ca/mail.pem", server.ca_pem.read_text("utf-8"))
    made.write("ca/identity.pem", identity.ca_pem)
    made.write(
        "opsmail.toml",
        f"""\
[[servers]]
host = "{server.host_name}"
connections = ["587/starttls"]
authentication = ["modern"]
microsoft_tokens = true
secrets = ["file://{token}"]
tenants = ["{TENANT}"]
client_ids = ["{PERSON_APP}"]
address = "{server.address}:{server.ports["tokens"]}"
ca = "ca/mail.pem"
authority = "{identity.authority}"
authority_ca = "ca/identity.pem"

[live]
recipient = "teste@empresa.test"
""",
    )
    made.write(
        "operators/rh.yaml",
        f"""\
version: 1
operator: rh
role: master
sender: {{address: {MAILBOX}}}
server: {{host: {server.host_name}, port: 587, encryption: starttls}}
authentication:
  type: modern
  username: {MAILBOX}
  tenant: {TENANT}
  client_id: {PERSON_APP}
  credential: {{kind: delegated, token_cache: "file://{token}"}}
""",
    )
    made.commit()
    return made


class Terminal:
    """A terminal that shows what a command says on standard error; in the end neither is left."""

    def __init__(self, made: Repository, *arguments: str) -> None:
        self.shown = ""
        self._end = time.monotonic() + SECONDS
        self._screen, terminal = os.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=made.root,
            env=made.shell.environment(made.secrets),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=terminal,
        )
        os.close(terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._screen)

    def until(self, pattern: re.Pattern[str]) -> re.Match[str]:
        while (found := pattern.search(self.shown)) is None:
            assert self._more(), self.shown
        return found

    def end(self) -> int:
        """Wait for the command's end and return its exit code."""
        while self._more():
            pass
        return self.process.wait(SECONDS)

    def _more(self) -> bool:
        ready, _, _ = select.select([self._screen], [], [], max(self._end - time.monotonic(), 0))
        assert ready, f"nothing more in time: {self.shown}"
        try:
            data = os.read(self._screen, 4096)
        except OSError:  # how Linux tells that the other side has been closed
            return False
        self.shown += data.decode()
        return bool(data)


def test_a_person_signs_in_at_a_terminal(tmp_path: Path, mail_server: MailServer, identity_provider: Identity) -> None:
    token = tmp_path / "token"
    made = repository(tmp_path, mail_server, identity_provider, token)
    refused = made.run("login", "rh", code=2)
    assert "signing in needs a terminal" in refused.err
    assert not token.exists()

    with Terminal(made, "login", "rh") as terminal:
        uri, code, minutes, account = terminal.until(PROMPT).groups()
        assert account == MAILBOX
        approve(identity_provider, DevicePrompt(uri, Secret(code), int(minutes) * 60))
        assert terminal.end() == 0
    assert terminal.shown.endswith(f"signed in as {MAILBOX}; `rh` can send now\r\n")

    assert token.stat().st_mode & 0o777 == 0o600
    kept = json.loads(token.read_text("utf-8"))
    secrets = [entry["secret"] for kind in ("RefreshToken", "AccessToken") for entry in kept[kind].values()]
    assert len(secrets) == 2
    assert not any(secret in terminal.shown for secret in secrets)
    passed = made.test_results("rh", code=0)["rh"]
    assert (passed["outcome"], passed["depth"]) == ("passed", "send")
