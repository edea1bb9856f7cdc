"""`opsmail demo`, as somebody runs it who has just installed opsmail."""

import time
from pathlib import Path

import pytest

from tests.acceptance.command import Shell

pytestmark = pytest.mark.acceptance

STEPS = (
    "$ opsmail keygen demo --folder keys",
    "$ opsmail check",
    "error[OM201]",
    "error[OM101]",
    "no findings in 3 operators",
    "$ opsmail test",
    "3 passed, 0 failed, 0 inconclusive, 0 skipped",
    "$ opsmail evidence verify",
    "3 statements, 0 refused",
    "$ opsmail publish plan.json",
    "published generation 1",
    "operators.master.send(message)",
    "-> the server said: 250 ",
    "error[OM209]",
    "-> exit code 1",
    "$ opsmail publish --yes",
    "-> exit code 3",
)


def test_the_demonstration_goes_through_and_leaves_nothing_behind(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "shell")
    folder = tmp_path / "folder"
    folder.mkdir()
    began = time.monotonic()
    # A CI system's variables and the user's own settings have no say in it.
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request_target",
        "OPSMAIL_ENVIRONMENT": "producao",
        "NO_COLOR": "1",
    }
    result = shell.run(("demo", "--env", "default"), code=0, folder=folder, environment=environment)
    assert time.monotonic() - began < 60
    position = 0
    for step in STEPS:
        position = result.out.find(step, position)
        assert position >= 0, (step, str(result))
    assert list(folder.iterdir()) == []
    assert list(shell.temporary.iterdir()) == []


def test_the_whole_of_it_is_in_the_language_that_was_asked_for(tmp_path: Path) -> None:
    told = Shell(tmp_path).run(("demo", "--lang", "pt-BR"), code=0, folder=tmp_path, environment={})
    assert "== Pronto: cada passo fez o que diz." in told.out
    assert "    erro[OM201]: a porta 465 espera TLS implícito" in told.out
    assert "geração 1 publicada em default" in told.out
