"""Who answers a question: an option, a person, or what follows from the others."""

from __future__ import annotations

import pytest

from opsmail.errors import UsageError
from opsmail.providers import load_providers
from opsmail.scaffold.draft import Draft
from opsmail.scaffold.questions import QUESTIONS, Question, completed
from opsmail.settings.catalogue import Catalogue


def draft(**answers: str) -> Draft:
    return Draft("rh", load_providers(), Catalogue(None), has_master=False, answers=answers)


def test_a_person_is_asked_what_is_not_said_and_what_does_not_follow() -> None:
    asked = []

    def ask(question: Question, so_far: Draft) -> str:
        asked.append(question.name)
        return question.likely(so_far) or {"address": "a@b.example", "encryption": "none"}.get(question.name, "")

    answered = completed(draft(host="smtp.b.example", port="2599"), ask)
    assert asked == ["address", "display_name", "role", "encryption", "authentication", "username", "secret"]
    assert answered.get("encryption") == "none"


def test_no_answer_is_one_only_where_it_may_be() -> None:
    for question in QUESTIONS:
        assert (question.wrong("", draft()) is None) == question.optional, question.name


def test_nobody_is_asked_where_nobody_is() -> None:
    with pytest.raises(UsageError, match=r"^not given: --address$"):
        completed(draft(provider="gmail"), None)


def test_a_person_is_told_at_once_of_what_nobody_would_see() -> None:
    (display_name,) = [question for question in QUESTIONS if question.name == "display_name"]
    assert display_name.wrong("RH", draft()) is None
    assert str(display_name.wrong("R\u200bH", draft())).startswith("it holds the character U+200B")
