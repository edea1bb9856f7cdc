"""README, guides, rules' pages and the program's own hints name commands, options, targets and codes that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsmail.cli.exit_codes import ExitCode
from tests.acceptance.repository import Operator, Repository
from tests.docs.commands import LINES, misuse, split, unknown_options

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

pytestmark = pytest.mark.skipif(not README.is_file(), reason="not a checkout: the documents are not here")

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_CALLED = re.compile(r"`((?:opsmail|make) [^`\n]+)`")


def documents() -> list[Path]:
    data = ROOT / "opsmail" / "data"
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *data.rglob("*.md")])


def blocks(text: str, language: str) -> list[str]:
    found = [(indent, body) for indent, named, body in _FENCE.findall(text) if named == language]
    return [re.sub(f"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def called(text: str, program: str) -> Iterator[str]:
    """Yield the command lines of a program in console blocks and in code spans."""
    for block in blocks(text, "console"):
        yield from (line[2:] for line in block.splitlines() if line.startswith(f"$ {program} "))
    for span in _CALLED.findall(_joined(_FENCE.sub("", text))):
        if span.startswith(f"{program} "):
            yield span


def _joined(text: str) -> str:
    """Return a text whose paragraphs are a line each: a code span may go over two."""
    return re.sub(r"(?<=\S)\n(?=[^\s|#*-])", " ", text)


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_names_commands_and_options_that_exist(path: Path) -> None:
    for line in called(path.read_text("utf-8"), "opsmail"):
        assert unknown_options(line) == [], line


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_command_line_to_copy_is_whole(path: Path) -> None:
    for block in blocks(path.read_text("utf-8"), "console"):
        for line in block.splitlines():
            if line.startswith("$ opsmail "):
                assert misuse(line[2:]) is None, line


def test_a_command_line_with_a_wrong_value_is_noticed() -> None:
    assert misuse("opsmail check --fail-on error > findings.txt") is None
    for line in ("opsmail check --fail-on eror", "opsmail history --limit many", "opsmail publish --reason"):
        assert misuse(line) is not None, line


def test_hints_name_commands_and_options_that_exist() -> None:
    found = []
    for path in sorted((ROOT / "opsmail").rglob("*.py")):
        # A message may be cut into several literals.
        text = re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8"))
        found += [(path.name, line) for line in _CALLED.findall(text) if line.startswith("opsmail ")]
    assert len(found) > 10
    assert [(name, line) for name, line in found if unknown_options(line)] == []


def test_make_has_the_targets_that_are_named() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in ROOT.glob("*.md"):
        for line in called(path.read_text("utf-8"), "make"):
            words = [word for word in line.split("#")[0].split()[1:] if "=" not in word and word != "…"]
            assert set(words) <= targets, line


def test_the_readme_lists_every_command() -> None:
    (table,) = re.findall(r"^\| command \| does \|\n(?:\|.*\n)+", README.read_text("utf-8"), re.MULTILINE)
    listed = {split(line)[0] for line in _CALLED.findall(table)}
    assert listed == set(LINES)


def test_the_readme_lists_every_exit_code() -> None:
    (table,) = re.findall(r"^\| exit code \| meaning \|\n(?:\|.*\n)+", README.read_text("utf-8"), re.MULTILINE)
    codes = {int(code) for row in table.splitlines()[2:] for code in re.findall(r"\d+", row.split("|")[1])}
    # 141: nobody reads the output any more, which is nothing that a user has to know.
    assert codes == {int(code) for code in ExitCode} - {ExitCode.BROKEN_PIPE}


@pytest.mark.acceptance
def test_the_readmes_operator_and_catalogue_fit_together(tmp_path: Path) -> None:
    text = README.read_text("utf-8")
    operator, catalogue = blocks(text, "yaml")[0], blocks(text, "toml")[0]
    repository = Repository.make(tmp_path)
    repository.write("opsmail.toml", catalogue)
    (name,) = re.findall(r"^operator: (\S+)", operator, re.MULTILINE)
    repository.write(f"operators/{name}.yaml", operator)
    found = repository.run("check", "--format", "json", code=1).json()["findings"]
    assert [finding["rule"] for finding in found] == ["OM701"]  # it is not the master


@pytest.mark.acceptance
def test_the_readmes_finding_is_what_the_check_says(tmp_path: Path) -> None:
    shown = blocks(README.read_text("utf-8"), "text")[0]
    repository = Repository.make(tmp_path)
    address = "faturamento@empresa.com.br"
    repository.operator(
        Operator(
            name="faturamento", host="smtp.empresa.com.br", port=465, sender=address, username=address, role="master"
        )
    )
    assert repository.run("check", code=1).out.startswith(shown)
