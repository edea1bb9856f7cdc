"""Wrong options and wrong settings: exit 2, one sentence, a hint, and nothing done."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.fleets import MASTER, RECIPIENT, at_relay
from tests.acceptance.repository import KeyPair, Repository, Server

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, keys: KeyPair) -> Iterator[Repository]:
    """One operator in a commit, nothing published."""
    repository = Repository.make(tmp_path_factory.mktemp("usage"), keys)
    repository.settings(Server(host="mail.empresa.test", ca=None), recipient=RECIPIENT)
    repository.operator(at_relay(MASTER, "master"), "S3nh&-do-agendador")
    repository.commit()
    before = contents(repository.root)
    yield repository
    assert contents(repository.root) == before
    repository.search()


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}


# Command line, and a piece of the sentence.
WRONG = {
    "nonsense": "nonsense",
    "check --nonsense": "--nonsense",
    "check --format xml": "xml",
    "check --format text --format json": "standard output",
    "check --fail-on sometimes": "sometimes",
    "check --at 2027-02-30": "2027-02-30",
    "check --config other.toml": "other.toml",
    "check --env marte": "marte",
    "test agendadr": "agendadr",
    "test agendador --all": "--all",
    "test --depth deep": "deep",
    "test --to nobody": "nobody",
    "test --trust nowhere": "nowhere",
    "test --commit nowhere": "nowhere",
    "plan --commit=--output=x": "--output=x",
    "publish opsmail.toml": "plan",
    "publish one two": "two",
    "history --limit 0": "0",
    "show": "OPERATOR",
    "rule OM999": "OM999",
    "evidence check": "check",
    "keygen ../key": "../key",
    "keygen key --folder opsmail.toml": "opsmail.toml",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_option_is_told_in_a_sentence_with_a_hint(fleet: Repository, line: str) -> None:
    result = fleet.run(*line.split(), code=2)
    assert result.out == ""
    sentence, hint, *rest = result.err.splitlines()
    assert sentence.startswith("error: ")
    assert WRONG[line] in sentence
    assert hint.startswith("hint: ")
    assert rest == []


@pytest.mark.parametrize("line", ["", "evidence"])
def test_a_group_without_a_command_shows_its_help(fleet: Repository, line: str) -> None:
    result = fleet.run(*line.split(), code=2)
    assert result.out == ""
    assert result.err.startswith(f"Usage: {' '.join(['opsmail', *line.split()])} ")
    assert "\nCommands:\n" in result.err


def test_the_nearest_name_is_offered(fleet: Repository) -> None:
    assert "`agendador`" in fleet.run("test", "agendadr", code=2).err
    assert "OM204" in fleet.run("rule", "host-is-not-a-nam", code=2).err


SETTINGS = {
    # what is wrong, and the line that is told
    "syntax": ("[[servers]]\nhost = ", 2),
    "unknown": ('[live]\nrecipent = "a@b.example"\n', 2),
    "type": ("[live]\ntimeout_seconds = 'ten'\n", 2),
    "range": ("[live]\n\ntimeout_seconds = 0\n", 3),
    "file": ('[[gate.keys]]\nfile = "keys/none.pub.pem"\nkinds = ["generation"]\n', 2),
    "outside": ('[[gate.keys]]\nfile = "../key.pem"\nkinds = ["generation"]\n', 2),
    "literal": ('[gate]\nsigning_key = "MC4CAQAwBQYDK2VwBCIEIDwv"\n', 2),
    "pattern": (
        '[[servers]]\nhost = "a.example"\nconnections = ["25/none"]\nauthentication = ["basic"]\nsecrets = ["*"]\n',
        5,
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_wrong_settings_are_told_at_their_line(repository: Repository, name: str) -> None:
    text, line = SETTINGS[name]
    repository.write("opsmail.toml", text)
    repository.operator(at_relay(MASTER, "master"))
    result = repository.run("check", code=2)
    assert result.out == ""
    assert f"error: opsmail.toml:{line}: " in result.err
    assert "hint: " in result.err
    assert "MC4CAQAwBQYDK2VwBCIEIDwv" not in result.err
