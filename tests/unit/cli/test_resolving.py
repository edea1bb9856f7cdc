"""`check --resolve`: findings of what does not resolve, and what happens when nobody can be asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import opsmail
from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets import Secret, Secrets, SecretStoreUnreachable
from tests.builders import operator_text, write_files
from tests.unit.cli.running import Check

CANARY = "s3nh4-do-rh"


@pytest.fixture(autouse=True)
def variable(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPSMAIL_SECRET_RH", raising=False)


def test_only_when_it_is_asked_for(check: Check) -> None:
    assert check.rules() == []
    (finding,) = check.json("--resolve")["findings"]
    assert finding["rule"] == "OM606"
    assert finding["path"] == "authentication.password"
    assert finding["message"] == "the environment variable `OPSMAIL_SECRET_RH` is not set"
    assert check("--resolve") == 1


def test_values_are_not_shown(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMAIL_SECRET_RH", CANARY)
    assert check("--resolve") == 0
    assert check.out == "no findings in 1 operator\n"
    monkeypatch.setenv("OPSMAIL_SECRET_RH", f"{CANARY}\n")
    assert check("--resolve", "--format", "html") == 1
    assert "OM606" in check.out
    assert "s3nh4" not in check.out + check.err


class TestUnreachable:
    @pytest.fixture(autouse=True)
    def down(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No secret can be asked for."""

        class Down:
            def resolve(self, reference: SecretReference) -> Secret:
                raise SecretStoreUnreachable(msg("the vault does not answer"), hint=msg("start it"))

        monkeypatch.setattr("opsmail.secrets.open_secrets", lambda: Secrets({"env": Down()}))

    def test_it_is_no_finding(self, check: Check) -> None:
        assert check("--resolve") == 4
        assert check.out == "no findings in 1 operator\n"
        told = "error: not every secret could be tried: the vault does not answer\nhint: start it\n"
        assert check.err == told

    def test_findings_go_first(self, check: Check, repository: Path) -> None:
        write_files(repository, {"operators/rh.yaml": operator_text(server={"port": 465})})
        assert check("--resolve") == 1
        assert "OM201" in check.out
        assert "the vault does not answer" in check.err


def test_without_it_nothing_is_loaded_that_asks_for_secrets(repository: Path) -> None:
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from opsmail.cli.face import run\n"
        "code = run(['check', *sys.argv[1:]])\n"
        "import json\n"
        "print(json.dumps([code, sorted(set(sys.modules) - before)]))\n"
    )

    def loaded(*arguments: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, *arguments],
            cwd=repository,
            env={"PYTHONPATH": str(Path(opsmail.__file__).parents[1]), "OPSMAIL_SECRET_RH": CANARY},
            capture_output=True,
            check=True,
            timeout=60,
        )
        code, modules = json.loads(done.stdout.splitlines()[-1])
        assert code == 0
        return set(modules)

    libraries = {"requests", "msal", "hvac", "boto3", "keyring", "azure", "google", "socket", "ssl"}
    asking = {"opsmail.secrets.trial", "concurrent.futures.thread"}
    found = loaded()
    assert found & (libraries | asking) == set()
    managers = {f"opsmail.secrets.{name}" for name in ("keyring", "vault", "azure", "aws", "gcp", "http")}
    assert found & managers == set()
    assert loaded("--resolve") - found >= asking
