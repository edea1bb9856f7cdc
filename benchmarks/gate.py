"""What the gate of a publish takes, and a plan without a change beyond the check that it begins with.

A repository with a statement for every operator is published to SQLite by the real command, in this process: the gate
is a part of it. Check and plan are commands in processes of their own.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr
from dataclasses import replace
from functools import partial
from gettext import NullTranslations
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple
from unittest import mock

from benchmarks.fleet import write_fleet
from benchmarks.place import commit
from benchmarks.running import measure
from opsmail.cli.attesting import context_of
from opsmail.cli.ci import current_run
from opsmail.cli.face import run
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.evidence.envelope import sign
from opsmail.evidence.files import FOLDER, write_envelope
from opsmail.evidence.keys import SigningKey
from opsmail.evidence.statement import Statement
from tests.unit.evidence.statements import FACTS

_SETTINGS = """
[gate]
require = ["test-send"]

[[gate.keys]]
file = "ci.pub.pem"
kinds = ["test-send", "generation"]
"""


class Gate(NamedTuple):
    """What was measured.

    Args:
        operators: of the fleet.
        gate: seconds that the first publish spends to judge its evidence, all operators together.
        check: seconds of `opsmail check` in one process, without a cache.
        plan: seconds of `opsmail plan` when nothing has changed; it checks in one process, too.
    """

    operators: int
    gate: float
    check: float
    plan: float


def gate(operators: int, repeat: int) -> Gate:
    """Measure it.

    Args:
        operators: of the fleet.
        repeat: how often to check and plan, in turns; the fastest counts.
    """
    key = SigningKey.generate()
    with tempfile.TemporaryDirectory() as folder, chdir(folder), _signing_with(key):
        root = Path(folder)
        write_fleet(root, operators, share_wrong=0)
        _trust(root, key)
        commit(root)
        _prove(root, key)
        with _timed("opsmail.cli.publish.judge_publish") as judging:
            _publish()
        checks, plans = [], []
        for _ in range(repeat):
            checks.append(_seconds(root, "check", "--no-cache", "--jobs", "1"))
            plans.append(_seconds(root, "plan"))
        return Gate(operators, sum(judging), min(checks), min(plans))


def _seconds(root: Path, *arguments: str) -> float:
    return measure([sys.executable, "-P", "-m", "opsmail", *arguments], root, {}).wall


@contextmanager
def _signing_with(key: SigningKey) -> Iterator[None]:
    with mock.patch.dict("os.environ", {"OPSMAIL_SIGNING_KEY": key.pem()}):
        yield


def _trust(root: Path, key: SigningKey) -> None:
    with (root / "opsmail.toml").open("a", encoding="utf-8") as settings:
        settings.write(_SETTINGS)
    (root / "ci.pub.pem").write_text(key.public.pem(), encoding="utf-8")
    (root / ".gitignore").write_text(".opsmail/\nopsmail.db*\n", encoding="utf-8")


def _prove(root: Path, key: SigningKey) -> None:
    """Write a statement for each operator, as `opsmail test` does after a send."""
    revision = Revision.open(Session.open(root / "opsmail.toml", "default", NullTranslations(), "never"), None)
    context = context_of(revision.origin, revision.settings.environment, current_run({}))
    for name, operator in revision.check().operators().items():
        digest = revision.settings.effective(operator).digest
        facts = replace(FACTS, message_id=f"<{name}@empresa.com.br>")
        statement = Statement.test_send(name, digest, context, facts)
        write_envelope(root / FOLDER, sign(statement, key))


def _publish() -> None:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        code = run(["publish", "--yes"])
    if code:
        raise SystemExit(f"opsmail publish ended with {code}")


@contextmanager
def _timed(name: str) -> Iterator[list[float]]:
    """Take the time of each call of a function while the context lasts.

    Args:
        name: where it is looked up.
    """
    taken: list[float] = []
    with mock.patch(name, partial(_timing, resolve_name(name), taken)):
        yield taken


def _timing(function: Callable[..., Any], taken: list[float], *arguments: Any, **more: Any) -> Any:
    started = time.perf_counter()
    try:
        return function(*arguments, **more)
    finally:
        taken.append(time.perf_counter() - started)
