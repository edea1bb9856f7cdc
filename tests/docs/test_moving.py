"""The page about moving: its table and its commands give what it shows."""

import json
import re
import shlex
from pathlib import Path

import pytest

from opsmail.output.exports import FORMATS
from tests.acceptance.canary import Canary
from tests.acceptance.repository import Repository
from tests.docs.test_texts import ROOT, blocks

PAGE = ROOT / "docs" / "moving.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="not a checkout: the documents are not here")


@pytest.fixture
def page() -> str:
    return PAGE.read_text("utf-8")


@pytest.fixture
def repository(tmp_path: Path, page: str) -> Repository:
    repository = Repository.make(tmp_path)
    repository.write("form.csv", blocks(page, "csv")[0])
    return repository


def commands(page: str) -> list[list[str]]:
    lines = (line for block in blocks(page, "console") for line in block.splitlines())
    return [shlex.split(line)[2:] for line in lines]


@pytest.mark.acceptance
def test_what_the_import_says(repository: Repository, page: str) -> None:
    dry, wet = commands(page)[:2]
    shown = blocks(page, "text")[0]
    assert repository.run(*dry, code=1).out.startswith(f"{shown}\n")
    assert not (repository.root / "operators").exists()
    said = repository.run(*wet, code=1)
    assert said.out.startswith(f"{shown}\n")
    names = re.findall(r"operators/(\S+)\.yaml", shown)
    assert sorted(path.stem for path in (repository.root / "operators").iterdir()) == sorted(names)
    # The passwords are in the table, and nowhere else.
    (repository.root / "form.csv").unlink()
    canary = Canary({"the password": "change-me"})
    assert canary.found((said.out + said.err).encode()) is None
    assert list(canary.found_below([repository.root])) == []


@pytest.mark.acceptance
def test_columns_and_values_of_ones_own(repository: Repository, page: str) -> None:
    repository.run(*commands(page)[2], code=1)
    text = repository.read("operators/agendador.yaml")
    assert "limits:\n  messages_per_minute: 30\nlabels:\n  remark: do not touch\n" in text
    assert "encryption: starttls\n" in text
    assert "encryption: implicit-tls\n" in repository.read("operators/rh-notificacoes.yaml")


def test_every_format_is_explained(page: str) -> None:
    table = page.partition("| format | |\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(FORMATS)


def test_the_json_that_it_shows_has_the_keys_there_are(page: str) -> None:
    (shown,) = re.findall(r'`(\{"generation".*?\}\})`', page)
    assert list(json.loads(shown.replace("…", ""))) == ["generation", "operators"]
