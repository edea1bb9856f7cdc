"""Every command explains itself in Portuguese, and takes the language as an option."""

import pytest

from opsmail.cli.face import run
from tests.docs.commands import COMMANDS
from tests.locale.english import english_in


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_it_explains_itself_in_portuguese(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words[1:], "--lang", "pt-BR", "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"Uso: {' '.join(words)} ")
    prose, _, example = told.partition("\n  Exemplo:  ")
    names = {word for names in COMMANDS for word in names}
    assert [word for word in english_in(prose) if word not in names] == []
    assert run([*words[1:], "--help"]) == 0
    in_english = capsys.readouterr().out
    assert in_english.startswith(f"Usage: {' '.join(words)} ")
    assert example == in_english.partition("\n  Example:  ")[2]
