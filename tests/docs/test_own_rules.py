"""The page about rules of one's own: what it shows is what comes of it."""

import json
import re
import sys
from pathlib import Path

import pytest

from opsmail.check.organisation import rules_of
from tests.acceptance.repository import Repository
from tests.docs.test_texts import ROOT, blocks
from tests.unit.check.organisation.circumstances import settings_with

PAGE = ROOT / "docs" / "own-rules.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="not a checkout: the documents are not here")


@pytest.fixture
def page() -> str:
    return PAGE.read_text("utf-8")


@pytest.fixture
def repository(tmp_path: Path, page: str) -> Repository:
    condition, schema = blocks(page, "toml")[:2]
    (wrong,) = blocks(page, "yaml")
    repository = Repository.make(tmp_path)
    repository.write("opsmail.toml", condition + schema)
    repository.write("schemas/organisation.schema.json", blocks(page, "json")[0])
    repository.write("tests/policy/other-relay.yaml", wrong)
    repository.write("tests/policy/finance-relay.yaml", wrong.replace("smtp.example.org", "smtp-fin.example.org"))
    return repository


@pytest.mark.acceptance
def test_the_tests_of_the_condition(repository: Repository, page: str) -> None:
    shown = re.findall("^✓.*$", page, re.MULTILINE)
    assert repository.run("policy", "test").out.splitlines() == shown


@pytest.mark.acceptance
def test_the_findings(repository: Repository, page: str) -> None:
    wrong = repository.read("tests/policy/other-relay.yaml")
    repository.write("operators/billing.yaml", wrong)
    assert repository.run("check", code=1).out.startswith(blocks(page, "text")[0])
    # Nobody's team is asked for where it is not said; that it has to be said is the schema's.
    repository.write("operators/billing.yaml", re.sub("^labels.*\n", "", wrong, flags=re.MULTILINE))
    (finding,) = json.loads(repository.run("check", "--format", "json", code=1).out)["findings"]
    assert finding["rule"] == "OM107"


def test_the_package(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins, entry_point = blocks(page, "toml")[2:]
    site = tmp_path / "site"
    site.mkdir()
    (site / "acme_opsmail_rules.py").write_text(blocks(page, "python")[0], "utf-8")
    ((name, value),) = re.findall('^(\\w+) = "(.*)"$', entry_point, re.MULTILINE)
    metadata = site / "acme_opsmail_rules-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-opsmail-rules\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[opsmail.rules]\n{name} = {value}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(site), *(entry for entry in sys.path if entry)])
    rules = rules_of(settings_with(top=plugins))
    assert "ACME001" in [rule.meta.id for rule in rules.operators]
    monkeypatch.delitem(sys.modules, "acme_opsmail_rules")
