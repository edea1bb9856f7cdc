"""The Portuguese README has what the English one has."""

import re
from pathlib import Path

import pytest

from tests.acceptance.repository import Operator, Repository
from tests.docs.test_texts import README, blocks
from tests.locale.english import english_in

PORTUGUESE = README.with_name("README.pt-BR.md")

pytestmark = pytest.mark.skipif(not README.is_file(), reason="not a checkout: the documents are not here")

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def text(path: Path) -> str:
    return path.read_text("utf-8")


def test_the_same_sections_and_blocks() -> None:
    here, there = text(PORTUGUESE), text(README)
    assert here.count("\n## ") == there.count("\n## ")
    assert re.findall(r"^```(\w+)", here, re.MULTILINE) == re.findall(r"^```(\w+)", there, re.MULTILINE)


@pytest.mark.parametrize("language", ["console", "yaml", "toml", "python"])
def test_the_same_code_but_for_comments(language: str) -> None:
    here, there = ([_code(block) for block in blocks(text(path), language)] for path in (PORTUGUESE, README))
    assert here == there


def _code(block: str) -> list[str]:
    return [re.sub(r"\s+#.*", "", line) for line in block.splitlines()]


def test_the_same_commands_exit_codes_and_links() -> None:
    for pattern in (r"^\| (`opsmail [^|]*) \|", r"^\| (\d[\d, ]*) \|", r"\]\(((?!README)[^)]+)\)"):
        here, there = (set(re.findall(pattern, text(path), re.MULTILINE)) for path in (PORTUGUESE, README))
        assert there <= here
        assert here - there <= {"docs/translating.md"}


def test_no_english_is_left() -> None:
    prose = re.sub(r"\[English\]|Azure Key Vault|, make e git", "", _FENCE.sub("", text(PORTUGUESE)))
    assert english_in(re.sub(r"\]\([^)]*\)", "]", prose)) == []


@pytest.mark.acceptance
def test_the_finding_is_what_the_check_says(tmp_path: Path) -> None:
    repository = Repository.make(tmp_path)
    address = "faturamento@empresa.com.br"
    repository.operator(
        Operator(
            name="faturamento", host="smtp.empresa.com.br", port=465, sender=address, username=address, role="master"
        )
    )
    told = repository.run("check", "--lang", "pt-BR", code=1).out
    assert told.startswith(blocks(text(PORTUGUESE), "text")[0])
