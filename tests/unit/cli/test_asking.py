"""A person is asked until the answer is one; Enter alone takes what is likely."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import pytest

from opsmail.cli.asking import ask_on
from opsmail.cli.console import Console
from opsmail.providers import load_providers
from opsmail.scaffold.draft import Draft
from opsmail.scaffold.questions import QUESTIONS
from opsmail.settings.catalogue import Catalogue

BY_NAME = {question.name: question for question in QUESTIONS}


class Person:
    """Answers in the place of `click.prompt`, and keeps how it was asked."""

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)
        self.asked: list[tuple[str, Any, bool]] = []

    def __call__(self, text: str, *, default: str | None, show_default: bool, err: bool) -> str:
        assert err
        self.asked.append((text, default, show_default))
        return next(self._answers)


@pytest.fixture
def draft() -> Draft:
    return Draft("rh", load_providers(), Catalogue(None), has_master=False, answers={"provider": "gmail"})


def test_it_asks_until_the_answer_is_one(
    draft: Draft, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Person("mestre", "  standard ")
    monkeypatch.setattr(click, "prompt", person)
    assert ask_on(Console())(BY_NAME["role"], draft) == "standard"
    assert [(default, shown) for _, default, shown in person.asked] == [("master", True), ("master", True)]
    said = capsys.readouterr().err
    assert "  known: standard, master\n" in said
    assert "  `mestre` is none of them; did you mean `master`?\n" in said


def test_no_answer_is_one_only_where_it_may_be(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person("", "a@b.example")
    monkeypatch.setattr(click, "prompt", person)
    ask = ask_on(Console())
    assert ask(BY_NAME["display_name"], draft) == ""
    assert ask(BY_NAME["address"], draft) == "a@b.example"
    assert [(default, shown) for _, default, shown in person.asked] == [("", False), (None, False)]
