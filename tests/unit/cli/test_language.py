"""Which language is spoken, and that click speaks it too."""

import gettext
import os
from gettext import NullTranslations

import click
import pytest

from opsmail.cli.face import run
from opsmail.cli.groups import Command
from opsmail.cli.language import asked, catalogue_of, language, spoken

_VARIABLES = ("OPSMAIL_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that says nothing of its language."""
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def portuguese(chosen: NullTranslations) -> bool:
    return chosen.gettext("error") == "erro"


@pytest.mark.parametrize("name", ["pt-BR", "pt_BR", "pt", "PT-br", "pt_BR.UTF-8", "pt_PT@euro"])
def test_portuguese_has_many_names(name: str) -> None:
    assert catalogue_of(name) == "pt_BR"
    assert portuguese(language(name))


@pytest.mark.parametrize("name", ["en", "en_US.UTF-8", "fr", "ptx", "../../etc", "\udcff", "", "pt/../x"])
def test_whatever_else_is_english(name: str, machine: pytest.MonkeyPatch) -> None:
    assert not portuguese(language(name))
    machine.setenv("LANG", name.replace("\0", ""))
    assert not portuguese(language())


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"LANG": "pt_BR.UTF-8"}, True),
        ({"LC_MESSAGES": "pt_BR.UTF-8", "LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "en_US.UTF-8", "LC_MESSAGES": "pt_BR.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "pt_BR"}, True),
        ({"LC_ALL": "C.UTF-8", "LANG": "pt_BR.UTF-8"}, False),
        ({"LANGUAGE": "pt_BR:en", "LANG": "en_US.UTF-8"}, True),
        ({"LANGUAGE": "pt_BR"}, False),  # as GNU gettext: without a locale there are no translations
        ({"LANGUAGE": "en", "LANG": "pt_BR.UTF-8"}, False),
        ({"OPSMAIL_LANG": "pt-BR", "LC_ALL": "C"}, True),
        ({"OPSMAIL_LANG": "en", "LANG": "pt_BR.UTF-8"}, False),
        ({"OPSMAIL_LANG": "", "LANG": "pt_BR.UTF-8"}, True),
    ],
    ids=str,
)
def test_what_the_machine_says(variables: dict[str, str], expected: bool, machine: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        machine.setenv(name, value)
    assert portuguese(language()) is expected
    assert not portuguese(language("en"))
    assert portuguese(language("pt-BR"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("check", None),
        ("check --lang pt-BR", "pt-BR"),
        ("--lang=pt-BR check", "pt-BR"),
        ("check --lang en --lang pt", "pt"),
        ("check -- --lang pt", None),
        ("check --lang", None),
        ("check --lang=", None),
        ("check --language pt", None),
        ("", None),
    ],
)
def test_what_a_command_line_asks_for(line: str, expected: str | None) -> None:
    assert asked(line.split()) == expected


class TestClick:
    def test_it_has_its_own_words_back_afterwards(self, machine: pytest.MonkeyPatch) -> None:
        for before in (None, "en"):
            if before is not None:
                machine.setenv("LANGUAGE", before)
            with spoken(language("pt-BR")):
                assert gettext.gettext("Options") == "Opções"
            assert gettext.gettext("Options") == "Options"
            assert os.environ.get("LANGUAGE") == before
            assert gettext.textdomain() == "messages"

    def test_english_changes_nothing(self, machine: pytest.MonkeyPatch) -> None:
        machine.setenv("LANGUAGE", "pt_BR")
        with spoken(language("en")):
            assert gettext.gettext("Options") == "Options"
            assert os.environ["LANGUAGE"] == "pt_BR"

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("chek", "erro: não existe o comando `opsmail chek`\ndica: você quis dizer `opsmail check`?\n"),
            ("check --formt x", "erro: não existe a opção `--formt`\ndica: você quis dizer `--format`? Veja"),
            ("check --at x", "erro: Valor inválido para '--at': 'x' não é uma data; escreva ano-mês-dia"),
            ("check --fail-on x", "erro: Valor inválido para '--fail-on': 'x' não é um destes: 'error'"),
            ("check --jobs x", "erro: Valor inválido para '--jobs': 'x' não é um número válido."),
            ("check --jobs", "erro: A opção '--jobs' precisa de um argumento."),
            ("check --fix=1", "erro: A opção '--fix' não recebe valor."),
            ("check --config /", "erro: Valor inválido para '--config': '/' é uma pasta."),
            ("test --stale x", "erro: Valor inválido para '--stale': 'x' não é um número de minutos, horas ou dias"),
            ("show", "erro: Falta o argumento 'OPERATOR[@N]'.\ndica: veja `opsmail show --help`\n"),
            ("show a b", "erro: Argumento a mais inesperado (b)"),
            ("show a b c", "erro: Argumentos a mais inesperados (b c)"),
        ],
    )
    def test_errors(self, line: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["--lang", "pt-BR", *line.split()]) == 2
        assert capsys.readouterr().err.startswith(expected)

    def test_a_language_that_is_not_spoken(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["check", "--lang", "fr"]) == 2
        assert capsys.readouterr().err == (
            "error: Invalid value for '--lang': 'fr' is not a language that opsmail speaks; write en or pt-BR\n"
            "hint: see `opsmail check --help`\n"
        )

    def test_languages_take_turns_in_one_process(self, capsys: pytest.CaptureFixture[str]) -> None:
        for name, title, last in (
            ("pt-BR", "Uso: opsmail check", "Mostra esta mensagem e sai."),
            ("en", "Usage: opsmail check", "Show this message and exit."),
            ("pt", "Uso: opsmail check", "Mostra esta mensagem e sai."),
        ):
            assert run(["check", "--lang", name, "--help"]) == 0
            out = capsys.readouterr().out
            assert out.startswith(title)
            assert last in out


def test_a_command_without_help_has_no_option_for_it() -> None:
    command = Command("x", add_help_option=False)
    assert command.get_help_option(click.Context(command)) is None


def test_english_loads_no_catalogue(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody who reads English waits for Portuguese."""

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(gettext.GNUTranslations, "_parse", refuse)
    assert run(["rule", "--lang", "en"]) == 0
    assert capsys.readouterr().out.startswith("OM001  error")
