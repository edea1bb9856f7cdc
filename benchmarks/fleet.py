"""Made-up fleets to measure with: as many operator files as wanted, most of them right, the same ones every time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

#: The share of files with a mistake, as fleets have them.
WRONG = 0.03

_SETTINGS = """\
operators = "operators"

[policy]
sender_domains = ["empresa.com.br"]

[[servers]]
host = "smtp.office365.com"
connections = ["587/starttls"]
authentication = ["modern"]
sender_domains = ["empresa.com.br"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}", "federated"]
tenants = ["empresa.onmicrosoft.com"]
client_ids = ["3f2504e0-4f89-41d3-9a0c-0305e82c3301"]

[[servers]]
host = "smtp.empresa.com.br"
connections = ["587/starttls", "465/implicit-tls"]
authentication = ["basic"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]
private = true
"""

_HEAD = """\
# yaml-language-server: $schema=../../schemas/operator.schema.json
version: 1
operator: {id}
name: Notificações do módulo {number}
role: {role}
enabled: true
sender:
  address: {address}
  display_name: Módulo {number}
  reply_to: suporte-{number}@empresa.com.br
"""
_BASIC = """\
server:
  host: smtp.empresa.com.br
  port: {port}
  encryption: {encryption}
authentication:
  type: basic
  username: {address}            # the full address
  password: env://OPSMAIL_SECRET_{variable}
"""
_MODERN = """\
server:
  host: smtp.office365.com
  port: 587
  encryption: starttls
  minimum_tls: "1.2"
authentication:
  type: modern
  username: {address}
  tenant: empresa.onmicrosoft.com
  client_id: 3f2504e0-4f89-41d3-9a0c-0305e82c3301
  credential:
    kind: federated            # nothing is stored
"""
_TAIL = """\
limits:
  messages_per_minute: {limit}
labels: {{team: equipe-{team}, cost_center: "{team:04}"}}
"""

#: Each with what the schema finds wrong too, so that every tool has the same number of bad files to report.
_MISTAKES = (
    ("  encryption:", "  encrypted:"),
    ("  port: ", "  port: about "),
    ("version: 1", "version: 2"),
    ("enabled: true", "enabled: sim"),
    ("  host: smtp", "  host:\n  # smtp"),
    ("  type: ", "  type: oauth-or-"),
)


@dataclass(frozen=True)
class Fleet:
    """A repository with operator files.

    Args:
        root: its folder, with `opsmail.toml` and `operators/`.
        files: the operator files.
        wrong: how many of them have a mistake.
    """

    root: Path
    files: tuple[Path, ...]
    wrong: int

    @property
    def size(self) -> int:
        """The bytes of all operator files."""
        return sum(file.stat().st_size for file in self.files)


def write_fleet(root: Path, count: int, seed: int = 1, *, share_wrong: float = WRONG) -> Fleet:
    """Write a repository with `count` operators in folders of a hundred.

    Args:
        root: an empty folder.
        count: how many operators; the first is the master.
        seed: the same one gives the same files.
        share_wrong: of the files, those with a mistake.
    """
    source = random.Random(seed)
    (root / "opsmail.toml").write_text(_SETTINGS, encoding="utf-8")
    (root / "operators").mkdir()
    wrong = frozenset(source.sample(range(1, count), round(count * share_wrong)))
    files = []
    for number in range(count):
        folder = root / "operators" / f"team-{number // 100:05}"
        folder.mkdir(exist_ok=True)
        file = folder / f"op-{number:06}.yaml"
        text = _operator(number, source)
        if number in wrong:
            text = text.replace(*source.choice(_MISTAKES), 1)
        file.write_text(text, encoding="utf-8")
        files.append(file)
    return Fleet(root, tuple(files), len(wrong))


def _operator(number: int, source: random.Random) -> str:
    port, encryption = source.choice((("587", "starttls"), ("465", "implicit-tls")))
    body = _HEAD + (_BASIC if number % 2 else _MODERN) + (_TAIL if number % 3 else "")
    return body.format(
        id=f"op-{number:06}",
        number=number,
        role="standard" if number else "master",
        address=f"op-{number:06}@empresa.com.br",
        variable=f"OP_{number:06}",
        port=port,
        encryption=encryption,
        limit=source.randrange(1, 30),
        team=number // 100,
    )
