from dataclasses import FrozenInstanceError
from datetime import date
from gettext import NullTranslations

import pytest

from opsmail.cli.language import language
from opsmail.messages import Message, msg, msgn, quoted


class Shouting(NullTranslations):
    """A language in which everything is loud."""

    def gettext(self, message: str) -> str:
        return message.upper().replace("{NAME}", "{name}").replace("{INNER}", "{inner}")

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return (msgid1 if n == 1 else msgid2).upper().replace("{COUNT}", "{count}")


def test_arguments_are_filled_in() -> None:
    message = msg("port {port} on {day}", port=587, day=date(2027, 5, 1))
    assert str(message) == message.render() == "port 587 on 2027-05-01"


def test_braces_without_arguments_are_only_braces() -> None:
    assert str(msg("env://{OPERATOR}")) == "env://{OPERATOR}"
    assert str(msg("{{operator}} is `{name}`", name="x")) == "{operator} is `x`"


def test_what_an_argument_holds_is_not_looked_into() -> None:
    assert str(msg("{name}", name="{port} {0} {name.__class__}")) == "{port} {0} {name.__class__}"


def test_a_message_inside_a_message_has_its_language() -> None:
    message = msg("a {inner}", inner=msg("b {name}", name="c"))
    assert str(message) == "a b c"
    assert message.render(Shouting()) == "A B c"


@pytest.mark.parametrize(("count", "text"), [(0, "0 errors"), (1, "1 error"), (2, "2 errors")])
def test_counting(count: int, text: str) -> None:
    message = msgn("{count} error", "{count} errors", count)
    assert str(message) == text
    assert message.render(Shouting()) == text.upper()


def test_counting_with_other_arguments() -> None:
    assert str(msgn("{count} of {name}", "{count} of {name}s", 2, name="x")) == "2 of xs"


def test_a_text_of_somebody_elses_is_shown_as_it_is() -> None:
    assert str(quoted("{0} {name} No such file")) == "{0} {name} No such file"
    assert str(quoted(None)) == str(quoted("")) == "?"
    assert quoted("No such file").render(Shouting()) == "NO SUCH FILE"


def test_the_empty_text_is_not_looked_up() -> None:
    assert msg("").render(Shouting()) == Message("").render(language("pt-BR")) == ""


def test_it_is_a_value() -> None:
    assert msg("a {b}", b=1) == msg("a {b}", b=1) != msg("a {b}", b=2)
    with pytest.raises(FrozenInstanceError):
        msg("a").template = "b"  # type: ignore[misc]  # frozen, which is the test
    assert isinstance(msg("a"), Message)
