"""The catalogues are complete, say the same, and are what the program loads."""

import gettext
import re
from collections import Counter

import pytest
from babel.messages.catalog import Catalog, Message

from tests.locale.catalogue import LANGUAGES, TEMPLATE, compiled, read, source, template
from tests.locale.english import english_in
from tests.locale.extraction import texts

pytestmark = pytest.mark.skipif(not TEMPLATE.is_file(), reason="not a checkout: the catalogues' sources are not here")

_UPDATE = "run `make messages`, then translate what it names"
_PLACE = re.compile(r"(?<!{){(?!{)[^}]*}|%\(\w+\)s")
#: What stays as it is: code, options, links.
_KEPT = re.compile(r"`[^`]*`|(?<![\w-])--[a-z][a-z-]*|https?://\S+|[A-Z]+_[A-Z_]+")


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def catalogue(language: str) -> Catalog:
    return read(source(language))


def pairs(catalogue: Catalog) -> list[tuple[str, str]]:
    """Return each English text with its translation, singular and plural on their own."""
    return [pair for message in messages(catalogue) for pair in zip(*forms(message), strict=True)]


def forms(message: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a message's singular and, where it counts, its plural: in English and translated."""
    if isinstance(message.id, str):
        return (message.id,), (str(message.string or ""),)
    return tuple(message.id), tuple(message.string or ())


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def ours(catalogue: Catalog) -> Catalog:
    """Return the part that is not click's: its sentences are put together in ways that no translation has to follow."""
    found = Catalog()
    for message in messages(catalogue):
        if not all(place.startswith("click/") for place, _ in message.locations):
            found.add(message.id, message.string)
    return found


def test_nothing_is_missing_and_nothing_is_left_over(catalogue: Catalog) -> None:
    wanted = {message.id for message in messages(template(texts()))}
    assert {message.id for message in messages(read(TEMPLATE))} == wanted, _UPDATE
    assert {message.id for message in messages(catalogue)} == wanted, _UPDATE


def test_no_text_is_empty() -> None:
    """The empty text is the catalogue's own header."""
    assert [text for text in texts() if not text.template.strip()] == []


def test_everything_is_translated(catalogue: Catalog) -> None:
    assert [english for english, other in pairs(catalogue) if not other] == [], _UPDATE
    assert [message.id for message in messages(catalogue) if message.fuzzy] == [], _UPDATE


def test_places_are_the_same(catalogue: Catalog) -> None:
    for english, other in pairs(ours(catalogue)):
        assert Counter(_PLACE.findall(other)) == Counter(_PLACE.findall(english)), english


def test_places_of_clicks_sentences_exist(catalogue: Catalog) -> None:
    for english, other in pairs(catalogue):
        assert set(_PLACE.findall(other)) <= set(_PLACE.findall(english)), english


def test_code_options_and_links_are_the_same(catalogue: Catalog) -> None:
    for english, other in pairs(ours(catalogue)):
        assert Counter(_KEPT.findall(other)) == Counter(_KEPT.findall(english)), english


def test_the_edges_are_the_same(catalogue: Catalog) -> None:
    for english, other in pairs(ours(catalogue)):
        assert other.replace(other.strip(), "") == english.replace(english.strip(), ""), other
        assert other.endswith(".") == english.endswith("."), other


def test_no_english_is_left(catalogue: Catalog) -> None:
    assert {other: found for _, other in pairs(catalogue) if (found := english_in(other))} == {}


def test_every_text_can_be_filled_in(catalogue: Catalog) -> None:
    filled_in = {text.template for text in texts() if text.formatted}
    for english, other in pairs(ours(catalogue)):
        if english in filled_in:
            assert other.format_map(_Anything()), english


def test_the_program_loads_what_the_translators_wrote(catalogue: Catalog, language: str) -> None:
    with compiled(language).open("rb") as file:
        loaded = gettext.GNUTranslations(file)
    for message in messages(catalogue):
        english, other = forms(message)
        if len(english) == 1:
            assert loaded.gettext(english[0]) == other[0], _UPDATE
            continue
        singular, plural = english
        for count in (0, 1, 2, 11):
            assert loaded.ngettext(singular, plural, count) == other[count > 1], _UPDATE


class _Anything(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name
