import time

import pytest

from opsmail.source.scalars import is_ambiguous_number, is_plain_key, is_quoted_key, resolve_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-0", 0),
        ("587", 587),
        ("-1", -1),
        ("999999999999999999", 999999999999999999),
        ("1.5", 1.5),
        ("-0.25", -0.25),
    ],
)
def test_core_types(text: str, value: object) -> None:
    resolved = resolve_plain(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    "text",
    # YAML 1.1 makes truth values, octals, base-60 numbers, dates and floats of these.
    ["no", "on", "yes", "off", "y", "True", "TRUE", "Null", "12:30", "2027-05-01", "0465", "0x24B", "0b1", "0o17"]
    + ["1_000", "1e3", "1.0e+3", ".5", "5.", "+5", ".nan", ".inf", "-.inf", "1" * 19, "-", "587 ", "１２", "=", "<<"],
)
def test_whatever_two_readers_could_take_differently_is_text(text: str) -> None:
    assert resolve_plain(text) == text


@pytest.mark.parametrize(
    "text",
    ["0465", "0607", "025", "00", "0o1113", "0x24B", "0X24b", "0b1001001011", "1_000", "1_", "22:22", "587:00", "1:0:0"]
    + ["1e3", "1.0E+3", "+587", "+5.5", ".nan", ".NaN", ".inf", "-.inf", "1" * 19, "-0465"],
)
def test_ambiguous_numbers(text: str) -> None:
    assert is_ambiguous_number(text)


@pytest.mark.parametrize("text", ["587", "0", "-1", "587.0", "smtp", "", "1:", ":1", "12a", "0x", "1__x", "e3"])
def test_texts_that_are_no_ambiguous_numbers(text: str) -> None:
    assert not is_ambiguous_number(text)


@pytest.mark.parametrize("text", ["1" + "_" * 200_000 + "x", "1:" * 100_000 + "x", "0" * 200_000 + "x", "1." * 100_000])
def test_judging_a_long_text_takes_time_in_proportion_to_its_length(text: str) -> None:
    started = time.process_time()
    is_ambiguous_number(text)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("name", ["server", "display_name", "x-team", "_private", "A1", "a" * 64])
def test_words_are_keys(name: str) -> None:
    assert is_plain_key(name)
    assert is_quoted_key(name)


@pytest.mark.parametrize("name", ["", "1", "0x1", "~", "a b", "a.b", "ação", "-a", "a" * 65, "a\n", "<<", "?", "a:b"])
def test_other_texts_are_no_keys_even_in_quotes(name: str) -> None:
    assert not is_plain_key(name)
    assert not is_quoted_key(name)


@pytest.mark.parametrize("name", ["no", "On", "YES", "y", "N", "off", "true", "False", "null"])
def test_words_that_are_truth_values_elsewhere_are_keys_in_quotes_only(name: str) -> None:
    assert not is_plain_key(name)
    assert is_quoted_key(name)
