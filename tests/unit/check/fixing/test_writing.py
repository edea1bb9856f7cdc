"""A value that is written is read back as just that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.check.fixing.writing import written
from opsmail.source.characters import FORBIDDEN_IN_VALUE
from opsmail.source.reader import read_document

TEXTS = st.text(min_size=1).filter(lambda text: FORBIDDEN_IN_VALUE.search(text) is None)


@pytest.mark.parametrize(
    ("value", "before", "expected"),
    [
        (587, '"587"', "587"),
        (True, "yes", "true"),
        ("starttls", "ssl", "starttls"),
        ("starttls", "'ssl'", "'starttls'"),
        ("starttls", '"ssl"', '"starttls"'),
        ("it's", "'ssl'", '"it\'s"'),
        ("1.2", "1.2", '"1.2"'),
        ("123", "123", '"123"'),
        ("true", "true", '"true"'),
        ("no", "on", '"no"'),
        ("0587", "x", '"0587"'),
        ("Notificações", "x", '"Notificações"'),
        ("a: b", "x", '"a: b"'),
        ("rh@empresa.com.br", "rh", "rh@empresa.com.br"),
    ],
)
def test_quotes_stay_and_come_where_they_are_needed(value: str | int, before: str, expected: str) -> None:
    assert written(value, before) == expected


@given(value=TEXTS | st.integers(-(10**17), 10**17) | st.booleans(), before=st.sampled_from(["", "x", "'x'", '"x"']))
def test_any_value_is_read_back(value: str | int, before: str) -> None:
    for text in (f"a: {written(value, before)}\n", f"a: {{b: {written(value, before)}, c: 1}}\n"):
        document, problems = read_document(text.encode())
        assert document is not None, problems
        read = document.data["a"] if isinstance(document.data["a"], type(value)) else document.data["a"]["b"]
        assert (type(read), read) == (type(value), value)
