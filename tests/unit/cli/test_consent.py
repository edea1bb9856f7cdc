"""A person is asked in their language, and only a clear yes is one."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from opsmail.cli import consent
from opsmail.cli.console import Console
from opsmail.cli.language import language
from opsmail.cli.session import Session
from opsmail.errors import RefusedError
from opsmail.messages import msg

QUESTION = msg("Publish to {environment}?", environment="default")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(consent, "sys", SimpleNamespace(stdin=stream, stderr=stream))
    monkeypatch.setattr(consent, "plans", SimpleNamespace(as_text=lambda *_: "the plan"))


def ask(name: str, answers: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ask in a language, and return what was asked."""
    asked: list[str] = []

    def prompt(text: str, default: str, **_: object) -> str:
        asked.append(text)
        return answers.pop(0) or default

    monkeypatch.setattr("click.prompt", prompt)
    session = Session(Path(), "opsmail.toml", "default", Console(language(name)))
    consent.require_consent(session, None, QUESTION, msg("hint"))  # type: ignore[arg-type]  # the plan is only shown
    return asked


@pytest.mark.usefixtures("terminal")
class TestAnswers:
    @pytest.mark.parametrize(("name", "answer"), [("en", "y"), ("en", "Yes "), ("pt-BR", "s"), ("pt-BR", "SIM")])
    def test_yes(self, name: str, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
        (asked,) = ask(name, [answer], monkeypatch)
        assert asked == {"en": "Publish to default? [y/N]", "pt-BR": "Publicar em default? [s/N]"}[name]

    @pytest.mark.parametrize(("name", "answer"), [("en", "n"), ("en", ""), ("pt-BR", "não"), ("pt-BR", "")])
    def test_no(self, name: str, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(RefusedError):
            ask(name, [answer], monkeypatch)

    def test_anything_else_is_asked_again(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert len(ask("pt-BR", ["y", "sempre", "s"], monkeypatch)) == 3
        assert capsys.readouterr().err.splitlines()[-2:] == ["responda sim ou não"] * 2
