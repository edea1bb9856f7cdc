import unicodedata

import pytest

from opsmail.source.characters import FORBIDDEN_IN_FILE, FORBIDDEN_IN_VALUE, PLAIN_TEXT, code_point


@pytest.mark.parametrize("text", ["\t", "\n", "\r\n", " ~", "ção", "—", "€", "日本", "\u00a0", "👍️", "é"])
def test_what_a_reviewer_sees_is_allowed_in_a_file(text: str) -> None:
    assert FORBIDDEN_IN_FILE.search(text) is None


@pytest.mark.parametrize(
    "character",
    list("\0\x08\x0b\x0c\x1b\x7f\x80\x85\x9b\u00ad\u034f\u061c\u115f\u17b4\u180e\u200b\u200d\u200e\u2028\u2029\u202e")
    + list(
        "\u2060\u2066\u206f\u2800\u3164\ufdd0\ufe00\ufeff\uffa0\ufff9\uffff\U0001bca0\U0001d173\U000e0041\U000e0fff"
    ),
)
def test_what_nobody_sees_is_forbidden_everywhere(character: str) -> None:
    assert FORBIDDEN_IN_FILE.search(f"a{character}b")
    assert FORBIDDEN_IN_VALUE.search(f"a{character}b")


@pytest.mark.parametrize("text", ["a\rb", "a\r", "\r\r\n"])
def test_a_carriage_return_by_itself_is_forbidden(text: str) -> None:
    assert FORBIDDEN_IN_FILE.search(text)


@pytest.mark.parametrize("character", ["\t", "\n", "\r", "\ud800"])
def test_a_value_is_one_line_of_whole_characters(character: str) -> None:
    assert FORBIDDEN_IN_VALUE.search(f"a{character}")


def test_every_format_and_control_character_of_unicode_is_forbidden() -> None:
    # Cf without the marks that Arabic, Syriac, Kaithi and Egyptian text show or need.
    shown = {*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)}
    missed = [
        code_point(chr(number))
        for number in range(0x110000)
        if unicodedata.category(chr(number)) in ("Cc", "Cf", "Zl", "Zp")
        and number not in shown
        and FORBIDDEN_IN_VALUE.search(chr(number)) is None
    ]
    assert missed == []


def test_a_code_point_is_told_by_its_number() -> None:
    assert code_point("\u202e") == "U+202E"
    assert code_point("\U000e0041") == "U+E0041"


def test_plain_text_has_nothing_forbidden() -> None:
    plain = [chr(number) for number in range(0x110000) if PLAIN_TEXT.fullmatch(chr(number))]
    assert {"\n", " ", "~", "ç", "Ã"} <= set(plain)
    assert [char for char in plain if FORBIDDEN_IN_FILE.search(char)] == []
