"""`opsmail policy test`, and what `check` and `rule` make of an organisation's own rules."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.face import run
from tests.acceptance.command import COMMAND
from tests.builders import SETTINGS, operator_text
from tests.hostile.files.command import opsmail, plain_environment

RULES = """
[[rules]]
id = "ORG001"
message = "finance operators must use the finance relay"
severity = "error"
when = "operator.labels.team == 'financeiro'"
require = "operator.server.host == 'smtp-fin.empresa.com.br'"
at = "server.host"
tests = [
  { file = "tests/policy/bad.yaml", expect = "fail" },
  { file = "tests/policy/good.yaml", expect = "pass" },
]

[[rules]]
id = "ORG002"
message = "```\\u001b[31m::error::everybody"
require = "true"
"""
BAD = operator_text(operator="fin", labels={"team": "financeiro"})
PACKAGE = Path(__file__).parents[2] / "data" / "rule_package"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("OPSMAIL_CONFIG", "OPSMAIL_ENVIRONMENT", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPSMAIL_LANG", "en")
    (tmp_path / "tests" / "policy").mkdir(parents=True)
    (tmp_path / "operators").mkdir()
    (tmp_path / "operators" / "rh.yaml").write_text(operator_text())
    (tmp_path / "opsmail.toml").write_text(SETTINGS + RULES)
    (tmp_path / "tests" / "policy" / "bad.yaml").write_text(BAD)
    (tmp_path / "tests" / "policy" / "good.yaml").write_text(operator_text())
    return tmp_path


def test_all_pass(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "test"]) == ExitCode.DONE
    out, err = capfd.readouterr()
    assert out == (
        "✓ ORG001  tests/policy/bad.yaml: expected to fail\n✓ ORG001  tests/policy/good.yaml: expected to pass\n"
    )
    assert err == "without tests: ORG002\n2 passed, 0 failed, 0 unusable\n"


def test_what_fails_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "tests" / "policy" / "good.yaml").write_text(BAD)
    (folder / "tests" / "policy" / "bad.yaml").write_text(operator_text())
    assert run(["policy", "test", "--format", "text", "--format", "json:out.json"]) == ExitCode.FINDINGS
    out, err = capfd.readouterr()
    assert out == (
        "✗ ORG001  tests/policy/bad.yaml: expected to fail, but the rule finds nothing\n"
        "✗ ORG001  tests/policy/good.yaml: expected to pass, but the rule finds something\n"
    )
    assert err.endswith("0 passed, 2 failed, 0 unusable\n")
    document = json.loads((folder / "out.json").read_text())
    assert document["schema"] == "opsmail/policy-tests/v1"
    assert document["summary"] == {"passed": 0, "failed": 2, "unusable": 0}
    assert document["untested"] == ["ORG002"]
    assert document["results"][0] == {
        "rule": "ORG001",
        "file": "tests/policy/bad.yaml",
        "expect": "fail",
        "outcome": "failed",
        "reason": "expected to fail, but the rule finds nothing",
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no file `tests/policy/bad.yaml`"),
        ("a: [", "line 1: "),
        ("version: 1\n", "line 1: the field `operator` is missing"),
        (BAD.replace("port: 587", "prt: 587"), "line 8: "),
        (BAD + "# " + "x" * 300_000, "the file is too large for an operator"),
    ],
)
def test_a_file_that_is_no_operator_is_not_passed(
    folder: Path, capfd: pytest.CaptureFixture[str], content: str | None, reason: str
) -> None:
    file = folder / "tests" / "policy" / "bad.yaml"
    file.unlink()
    if content is not None:
        file.write_text(content)
    assert run(["policy", "test"]) == ExitCode.FINDINGS
    out, err = capfd.readouterr()
    assert out.splitlines()[0].startswith(f"✗ ORG001  tests/policy/bad.yaml: {reason}")
    assert err.endswith("1 passed, 0 failed, 1 unusable\n")


def test_a_link_is_not_followed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = folder / "tests" / "policy" / "bad.yaml"
    file.unlink()
    file.symlink_to(folder / "operators" / "rh.yaml")
    assert run(["policy", "test"]) == ExitCode.FINDINGS
    assert "bad.yaml cannot be read" in capfd.readouterr().out


def test_a_rule_that_cannot_be_asked_is_neither(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = (SETTINGS + RULES).replace("operator.server.host == 'smtp", "operator.name + '' == 'smtp")
    (folder / "opsmail.toml").write_text(settings)
    assert run(["policy", "test"]) == ExitCode.FINDINGS
    assert "bad.yaml: ORG001 cannot be asked of this operator: " in capfd.readouterr().out


def test_without_rules(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "opsmail.toml").write_text(SETTINGS)
    assert run(["policy", "test"]) == ExitCode.DONE
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "no rules in opsmail.toml: nothing to test\n0 passed, 0 failed, 0 unusable\n"


def test_the_group_alone_explains_itself(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["policy"]) == ExitCode.USAGE
    assert "Your organisation's own rules." in capfd.readouterr().err


class TestPages:
    def test_of_a_rule_in_the_settings(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert run(["rule", "org001"]) == ExitCode.DONE
        assert capfd.readouterr().out == (
            "ORG001 org001\nSeverity: error.\n\nWhat it checks\nfinance operators must use the finance relay\n\n"
            "For which operators\n    operator.labels.team == 'financeiro'\n\nWhat has to be true\n"
            "    operator.server.host == 'smtp-fin.empresa.com.br'\n\nWhere it points\n"
            "A finding stands at `server.host`.\n\nTests\n- `tests/policy/bad.yaml`: expected to fail\n"
            "- `tests/policy/good.yaml`: expected to pass\n\nWho answers for it\n"
            "Your organisation: the rule stands in `opsmail.toml`.\n"
        )

    def test_in_portuguese(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """What the organisation wrote stays as it wrote it."""
        assert run(["rule", "ORG001", "--lang", "pt-BR"]) == ExitCode.DONE
        assert capfd.readouterr().out == (
            "ORG001 org001\nSeveridade: erro.\n\nO que verifica\nfinance operators must use the finance relay\n\n"
            "Para quais operadores\n    operator.labels.team == 'financeiro'\n\nO que tem de ser verdade\n"
            "    operator.server.host == 'smtp-fin.empresa.com.br'\n\nOnde aponta\n"
            "O apontamento fica em: `server.host`.\n\nTestes\n- `tests/policy/bad.yaml`: resultado esperado: fail\n"
            "- `tests/policy/good.yaml`: resultado esperado: pass\n\nQuem responde por ela\n"
            "A sua organização: a regra está em `opsmail.toml`.\n"
        )

    def test_nothing_in_it_acts(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert run(["rule", "ORG002"]) == ExitCode.DONE
        out = capfd.readouterr().out
        assert "\x1b" not in out
        assert "stands at the file" in out
        assert "`opsmail policy test` has nothing to run" in out

    def test_lists_hold_them(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert run(["rule", "--format", "json"]) == ExitCode.DONE
        listed = {item["id"]: item for item in json.loads(capfd.readouterr().out)}
        assert listed["ORG001"]["name"] == "org001"
        assert run(["rule", "--all"]) == ExitCode.DONE
        assert "ORG002 org002\n" in capfd.readouterr().out

    def test_opsmails_own_can_be_read_while_the_settings_are_wrong(
        self, folder: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "opsmail.toml").write_text("x = 1")
        assert run(["rule", "OM201"]) == ExitCode.DONE
        assert run(["rule", "ORG001"]) == ExitCode.USAGE
        assert "opsmail.toml:1" in capfd.readouterr().err


class TestPackage:
    """The example package, installed beside opsmail, through the command."""

    @pytest.fixture
    def site(self, folder: Path) -> Path:
        site = folder / "site"
        metadata = site / "acme_opsmail_rules-1.0.dist-info"
        metadata.mkdir(parents=True)
        shutil.copy(PACKAGE / "acme_opsmail_rules.py", site)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-opsmail-rules\nVersion: 1.0\n")
        entry = 'acme = "acme_opsmail_rules:RULES"'
        assert entry in (PACKAGE / "pyproject.toml").read_text()
        (metadata / "entry_points.txt").write_text(f"[opsmail.rules]\n{entry.replace(chr(34), '')}\n")
        (folder / "opsmail.toml").write_text(SETTINGS + '\n[policy]\nplugins = ["acme-opsmail-rules"]\n')
        (folder / "operators" / "rh.yaml").write_text(operator_text(sender={"address": "all@empresa.com.br"}))
        return site

    def test_it_is_run_and_explained(self, folder: Path, site: Path) -> None:
        environment = {**plain_environment(), "PYTHONPATH": str(site), "OPSMAIL_LANG": "en"}
        checked = opsmail("check", "--format", "json", folder=folder, environment=environment, python=COMMAND)
        assert checked.code == ExitCode.FINDINGS, checked.err
        found = {item["rule"]: item for item in json.loads(checked.out)["findings"]}
        assert found["ACME001"]["message"] == "`all@empresa.com.br` is everybody's mailbox"
        assert found["ACME001"]["start"] == {"line": 5, "column": 12}
        page = opsmail("rule", "ACME001", folder=folder, environment=environment, python=COMMAND)
        assert page.out.decode().startswith(
            "ACME001 no-shared-mailbox\nSeverity: error.\n\nWhat it checks\n"
            "At Acme no operator sends from the mailbox that everybody reads.\n"
        )

    def test_nothing_of_the_checkout_is_imported(self, folder: Path, site: Path) -> None:
        (folder / "acme_opsmail_rules.py").write_text("open('imported', 'w')")
        opsmail("check", folder=folder, environment={**plain_environment(), "PYTHONPATH": str(site)}, python=COMMAND)
        assert not (folder / "imported").exists()
        searched = {**plain_environment(), "PYTHONPATH": f"{site}:{folder}"}
        refused = opsmail("check", folder=folder, environment=searched, python=COMMAND)
        assert refused.code == ExitCode.USAGE
        assert not (folder / "imported").exists()
