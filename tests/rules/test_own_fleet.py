"""The repository's own fleet, which the documentation shows, has nothing left to complain about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.check.result import CheckResult
from opsmail.findings import Finding
from opsmail.operator.model import BasicAuthentication, Encryption, ModernAuthentication, NoAuthentication, Role
from opsmail.providers import load_providers
from opsmail.secrets import known_schemes
from opsmail.settings.load import load_settings
from opsmail.source.worktree import WorkTree
from tests.builders import SETTINGS, operator_text, write_files

ROOT = Path(__file__).parents[2]
#: A day on which the waivers hold; by the calendar they end, as they should.
DAY = date(2026, 11, 23)


def checked(*, waivers: bool = True, environment: str = "default") -> CheckResult:
    tree = WorkTree(ROOT)
    settings = load_settings(tree, environment)
    context = Context(settings, load_providers(), DAY, known_schemes())
    return check(tree.operator_files(settings.file.operators), context, waivers=waivers)


def told(findings: tuple[Finding, ...]) -> list[tuple[str | None, str]]:
    return [(finding.operator, finding.rule.id) for finding in findings]


@pytest.mark.parametrize("environment", ["default", "production"])
def test_nothing_is_found_that_is_not_waived(environment: str) -> None:
    assert told(tuple(finding for finding in checked(environment=environment).findings if finding.waived is None)) == []


def test_what_is_waived_is_exactly_what_the_relay_cannot_do() -> None:
    expected = [("alertas-infra", "OM203"), ("alertas-infra", "OM301")]
    assert told(checked().findings) == expected
    assert told(checked(waivers=False).findings) == expected


def test_the_fleet_shows_each_kind_of_server() -> None:
    operators = checked().operators()
    master = operators["agendador"]
    assert [name for name, operator in operators.items() if operator.role is Role.MASTER] == ["agendador"]
    assert isinstance(master.authentication, ModernAuthentication)
    assert master.server.host == "smtp.office365.com"
    shop = operators["loja-pedidos"]
    assert isinstance(shop.authentication, BasicAuthentication)
    assert shop.server.host == "smtp.gmail.com"
    relays = [operators[name].server for name in ("rh-notificacoes", "cobranca")]
    assert [(relay.port, relay.encryption) for relay in relays] == [
        (587, Encryption.STARTTLS),
        (465, Encryption.IMPLICIT_TLS),
    ]
    alerts = operators["alertas-infra"]
    assert isinstance(alerts.authentication, NoAuthentication)
    assert alerts.server.encryption is Encryption.NONE


def test_every_catalogue_entry_is_used_and_says_who_approved_it() -> None:
    entries = load_settings(WorkTree(ROOT)).file.servers or ()
    assert {entry.host for entry in entries} == {operator.server.host for operator in checked().operators().values()}
    assert all(entry.approved_by and entry.ticket and entry.review_by for entry in entries)


def test_every_file_names_the_schema_for_editors() -> None:
    for path in (ROOT / "operators").iterdir():
        first = path.read_text("utf-8").partition("\n")[0]
        assert first == "# yaml-language-server: $schema=../schemas/operator.schema.json"


def test_names_that_are_known_need_no_tables() -> None:
    program = (
        "import json, sys\n"
        "before = set(sys.modules)\n"  # a measured run has modules of its own
        "from opsmail.cli.face import run\n"
        "code = run(['check', '--at', '2026-11-23', '--fail-on', 'warning', '--no-cache'])\n"
        "heavy = ('idna', 'publicsuffixlist', 'pydantic', 'jsonschema', 'requests', 'msal', 'sqlalchemy', 'rich',\n"
        "    'jinja2', 'importlib.resources', 'importlib.metadata', 'subprocess', 'multiprocessing', 'ssl')\n"
        "print(json.dumps([code, [name for name in heavy if name in sys.modules.keys() - before]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


def test_what_is_remembered_needs_neither_rules_nor_a_parser(tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "before = set(sys.modules)\n"  # a measured run has modules of its own
        "from opsmail.cli.face import run\n"
        "code = run(['check', '--at', '2026-11-23'])\n"
        "heavy = ('yaml', 'tomllib', 'opsmail.check.engine', 'opsmail.operator.model', 'opsmail.settings.model')\n"
        "print(json.dumps([code, [name for name in heavy if name in sys.modules.keys() - before]]))\n"
    )
    loaded = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        loaded.append(json.loads(done.stdout.splitlines()[-1]))
    assert loaded[0][1] != []
    assert loaded[1] == [0, []]


def test_plain_files_need_no_parser(tmp_path: Path) -> None:
    write_files(tmp_path, {"opsmail.toml": SETTINGS, "operators/rh.yaml": operator_text()})
    program = (
        "import sys\n"
        "from opsmail.cli.face import run\n"
        "code = run(['check', '--no-cache'])\n"
        "unneeded = ('yaml', 'opsmail.check.placing', 'opsmail.check.disclosure', 'difflib', 'rfc8785')\n"
        "print(code, [name for name in unneeded if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 []"
