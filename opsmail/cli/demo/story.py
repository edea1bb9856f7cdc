"""The demonstration, step by step; each is a command that anybody can type, and is compared with what it should do."""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from importlib.resources import files
from pathlib import Path

import click

from opsmail.cli.console import Console
from opsmail.cli.demo.server import Mailbox, mail_server
from opsmail.errors import OpsmailError
from opsmail.messages import Message, msg
from opsmail.runtime import Operators
from opsmail.secrets import Secrets
from opsmail.secrets.env import EnvironmentSecrets

_OPERATORS = ("agendador", "faturamento", "rh-notificacoes")
_SECONDS = 60


class StepFailedError(OpsmailError):
    """A step of the demonstration did not do what it says."""


@dataclass
class Story:
    """One demonstration.

    Args:
        folder: empty; becomes a git repository.
        console: how to speak.
    """

    folder: Path
    console: Console

    def tell(self) -> None:
        """Go through all steps.

        Raises:
            StepFailedError: at the first one that does not do what it says.
        """
        accounts = {name: secrets.token_urlsafe(12) for name in _OPERATORS}
        users = {self._user(name): password for name, password in accounts.items()}
        for name in ("operators", "ca", "keys"):
            (self.folder / name).mkdir()
        with mail_server(users, self.folder / "ca" / "demo.pem") as (address, mailbox):
            environment = self._environment(accounts)
            self._write_repository(address, environment)
            self._check_and_mend(environment)
            self._prove_and_publish(environment, mailbox)
            self._send_as_an_application(environment, mailbox)
            self._refuse_tampering(environment, mailbox)
        self._title(msg("Done: every step did what it says."))

    @staticmethod
    def _user(operator: str) -> str:
        return {"rh-notificacoes": "rh"}.get(operator, operator) + "@empresa.example"

    def _environment(self, accounts: Mapping[str, str]) -> dict[str, str]:
        names = {f"OPSMAIL_SECRET_{name.upper().replace('-', '_')}": password for name, password in accounts.items()}
        keep = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OPSMAIL_", "GIT_", "GITHUB_", "GITLAB_"))
        }
        identity = {
            "GIT_AUTHOR_NAME": "Demo",
            "GIT_AUTHOR_EMAIL": "demo@empresa.example",
            "GIT_COMMITTER_NAME": "Demo",
            "GIT_COMMITTER_EMAIL": "demo@empresa.example",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        language = {"OPSMAIL_LANG": self.console.language.info().get("language", "en")}
        return keep | names | identity | language

    # --- steps

    def _write_repository(self, address: str, environment: dict[str, str]) -> None:
        self._title(msg("A repository: one file per operator, and IT's catalogue of approved servers"))
        data = files("opsmail") / "data" / "demo"
        for name in _OPERATORS:
            self._write(f"operators/{name}.yaml", (data / "operators" / f"{name}.yaml").read_text("utf-8"))
        self._write("opsmail.toml", (data / "opsmail.toml").read_text("utf-8").replace("ADDRESS", address))
        self._write(".gitignore", "*.key\n*.db*\n.opsmail/\nplan.json\n")
        self._opsmail("keygen demo --folder keys", environment)
        environment["OPSMAIL_SIGNING_KEY"] = (self.folder / "keys" / "demo.key").read_text("ascii")
        self._git("init --quiet --initial-branch main", environment)

    def _check_and_mend(self, environment: dict[str, str]) -> None:
        self._title(msg("Two of the files have a mistake; the check shows where, why and what to do"))
        said = self._opsmail("check", environment, code=1)
        self._require("OM201" in said and "OM101" in said, msg("the check finds both mistakes"))
        self._title(msg("Both are mended; the check has nothing more to say"))
        self._replace("operators/faturamento.yaml", "port: 465", "port: 587")
        self._replace("operators/rh-notificacoes.yaml", "replyto:", "reply_to:")
        self._opsmail("check", environment)
        self._git("add .", environment)
        self._git("commit --quiet -m 'Operators of the demonstration'", environment)

    def _prove_and_publish(self, environment: dict[str, str], mailbox: Mailbox) -> None:
        self._title(msg("A real test message as each operator, over verified TLS; what passed is signed as evidence"))
        self._opsmail("test", environment)
        senders = sorted(sender for sender, _ in mailbox.messages())
        expected = sorted(self._user(name) for name in _OPERATORS)
        self._require(senders == expected, msg("the mail server received one message from each operator"))
        self._opsmail("evidence verify", environment)
        self._title(msg("What would change, and then the publish: all of it in one step, or nothing"))
        self._opsmail("plan --out plan.json", environment)
        self._opsmail("publish plan.json", environment)
        self._opsmail("history", environment)

    def _send_as_an_application(self, environment: dict[str, str], mailbox: Mailbox) -> None:
        self._title(msg("An application reads the published settings, verifies them, and sends with the master's"))
        url = f"sqlite:///{self.folder / 'opsmail.db'}"
        key = self.folder / "keys" / "demo.pub.pem"
        for line in (
            f'operators = Operators.open("{url}", keys=["{key}"])',
            "operators.master.send(message)",
        ):
            click.echo(f"    {line}")
        message = EmailMessage()
        message["To"] = "diretoria@empresa.example"
        message["Subject"] = "Fechamento concluído"
        message.set_content("O fechamento do mês terminou sem erros.\n")
        operators = Operators.open(url, keys=[key], secrets=Secrets({"env": EnvironmentSecrets(environment)}))
        try:
            reply = operators.master.send(message)
        finally:
            operators.close()
        click.echo(f"    -> {self.console.text(msg('the server said: {reply}', reply=str(reply)))}")
        sender, received = mailbox.messages()[-1]
        arrived = sender == self._user("agendador") and received["Subject"] == message["Subject"]
        self._require(arrived, msg("the message came from the master"))

    def _refuse_tampering(self, environment: dict[str, str], mailbox: Mailbox) -> None:
        self._title(
            msg("Somebody points an operator at a server of their own: no password leaves, nothing is published")
        )
        self._replace("operators/faturamento.yaml", "host: smtp.empresa.example", "host: smtp.atacante.example")
        self._git("commit --quiet --all -m 'Novo servidor'", environment)
        before = len(mailbox.messages())
        self._require("OM209" in self._opsmail("test faturamento", environment, code=1), msg("the test is refused"))
        self._require("OM209" in self._opsmail("publish --yes", environment, code=3), msg("the publish is refused"))
        self._require(len(mailbox.messages()) == before, msg("no message was sent"))

    # --- means

    def _title(self, message: Message) -> None:
        click.echo(f"\n{self.console.style.paint('== ' + self.console.text(message), 'green', bold=True)}\n")

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def _replace(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text("utf-8")
        self._write(name, text.replace(old, new))
        click.echo(f"    {name}: {old}  ->  {new}")

    def _opsmail(self, arguments: str, environment: Mapping[str, str], code: int = 0) -> str:
        command = [sys.executable, "-P", "-m", "opsmail", *shlex.split(arguments)]
        return self._run(f"opsmail {arguments}", command, environment, code)

    def _git(self, arguments: str, environment: Mapping[str, str]) -> None:
        self._run(f"git {arguments}", ["git", *shlex.split(arguments)], environment, 0)

    def _run(self, shown: str, command: list[str], environment: Mapping[str, str], code: int) -> str:
        click.echo(self.console.style.paint(f"$ {shown}", bold=True))
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
        said = done.stdout.decode("utf-8", "replace")
        for line in said.splitlines():
            click.echo(f"    {line}")
        if code:
            click.echo(f"    -> {self.console.text(msg('exit code {code}', code=done.returncode))}")
        self._require(
            done.returncode == code,
            msg(
                "`{command}` ends with {wanted}, but it ended with {found}",
                command=shown,
                wanted=code,
                found=done.returncode,
            ),
        )
        return said

    def _require(self, holds: bool, message: Message) -> None:
        if not holds:
            raise StepFailedError(msg("the demonstration failed: {what}", what=message), hint=msg("please report this"))
