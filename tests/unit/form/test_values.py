"""Between files and what stands in the form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opsmail.errors import RefusedError
from opsmail.form.fields import Input, form_fields
from opsmail.form.values import data_of, values_of
from opsmail.form.writing import NotWritableError, written
from opsmail.operator.model import Operator
from opsmail.shape import Decoder
from opsmail.source.characters import FORBIDDEN_IN_VALUE
from opsmail.source.reader import read_document
from tests.builders import operator_text
from tests.documents import documents

TEXT = f"# Human resources\n{operator_text(labels={'team': 'rh'})}"


def shown(text: str) -> dict[str, str | bool]:
    document, problems = read_document(text.encode())
    assert document is not None
    assert problems == []
    return values_of(document.data, document.texts)


def data(text: str) -> Any:
    document, problems = read_document(text.encode())
    assert document is not None, problems
    return document.data


def changed(text: str, **values: str | bool) -> str:
    """Return a file after these values, dots written as two underscores, were entered."""
    entered = {**shown(text), **{name.replace("__", "."): value for name, value in values.items()}}
    return written(text, data_of(entered, data(text)))


def test_every_field_of_the_model_is_in_the_form_or_left_alone() -> None:
    described = set(Decoder(Operator).decode(data(TEXT))[0].__dataclass_fields__)  # type: ignore[union-attr]  # it decodes
    sections = {field.path.partition(".")[0] for field in form_fields()}
    assert described - sections == {"version", "labels"}


def test_fields_are_in_the_order_of_the_form_and_say_what_they_are() -> None:
    fields = form_fields()
    assert [field.path for field in fields[4:8]] == [
        "authentication.type",
        "server.host",
        "server.port",
        "sender.address",
    ]
    assert all(field.title and field.help for field in fields if field.path != "authentication.credential.client_id")
    assert {field.path for field in fields if field.input is Input.CHECK} == {"enabled", "sender.send_as"}


def test_nothing_changed_is_the_same_file() -> None:
    assert changed(TEXT) == TEXT


def test_a_value_is_changed_and_everything_around_it_stays() -> None:
    text = TEXT.replace("port: 587", "port: 587 # the usual one")
    assert changed(text, server__port="465") == text.replace("587 #", "465 #")


def test_what_is_emptied_goes_and_its_section_when_it_is_empty() -> None:
    text = f"{TEXT}limits:\n  messages_per_minute: 30\n"
    assert changed(text, limits__messages_per_minute="") == TEXT


def test_a_default_is_not_written_out_and_one_that_stands_there_stays() -> None:
    assert changed(TEXT, server__minimum_tls="1.2", enabled=True) == TEXT
    text = TEXT.replace("encryption: starttls", 'encryption: starttls\n  minimum_tls: "1.2"')
    assert changed(text) == text


def test_what_belongs_to_another_login_goes() -> None:
    after = data(changed(TEXT, authentication__type="none"))
    assert after["authentication"] == {"type": "none"}
    modern = changed(
        TEXT,
        authentication__type="modern",
        authentication__tenant="x.onmicrosoft.com",
        authentication__client_id="11111111-2222-3333-4444-555555555555",
        authentication__credential__kind="federated",
    )
    assert data(modern)["authentication"]["credential"] == {"kind": "federated"}
    assert "password" not in data(modern)["authentication"]


@pytest.mark.parametrize("value", ["", "0465", "x", "4 65", "٤٦٥", "-1", "1e3"])
def test_what_is_no_number_stays_what_was_typed(value: str) -> None:
    assert data(changed(TEXT, server__port=value))["server"].get("port", "") == value


def test_a_new_file() -> None:
    text = written("", data_of(shown(TEXT), {}))
    assert text.startswith("version: 1\noperator: rh\nrole: master\nsender:\n  address: rh@empresa.com.br\n")


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text of a document, names of fields too."""
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, str):
        yield value


@settings(max_examples=40)
@given(documents(Operator))
def test_every_operator_means_the_same_after_it_was_shown_and_written_back(document: Any) -> None:
    decoder = Decoder(Operator)
    operator, problems = decoder.decode(document)
    assume(operator is not None and not problems)
    try:
        text = written("", document)
    except NotWritableError:
        assert any(FORBIDDEN_IN_VALUE.search(value) for value in texts_in(document))
        return
    assert data(text) == document
    again = written(text, data_of(shown(text), document))
    assert decoder.decode(data(again)) == (operator, [])


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_whatever_is_typed_reads_back_or_is_refused(value: str) -> None:
    try:
        text = changed(TEXT, name=value)
    except NotWritableError:
        return
    assert data(text).get("name", "") == value
    assert text.startswith("# Human resources\n")


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\n", "a: !!str 1\n", "a: 1\na: 2\n", "a: [\n"])
def test_files_that_say_it_in_another_way_are_left_alone(text: str) -> None:
    with pytest.raises(RefusedError):
        written(text, {"a": 2})


@pytest.mark.parametrize("limits", ["limits: {messages_per_minute: null}", "limits: {}"])
def test_a_section_without_a_value_stays(limits: str) -> None:
    text = f"{TEXT}{limits}\n"
    assert written(text, data_of(shown(text), data(text))) == text


def test_what_is_no_section_becomes_one() -> None:
    wanted = {"sender": {"address": "a@b.example"}}
    assert written("sender: x\nserver: y\n", wanted) == "sender:\n  address: a@b.example\n"


def test_what_no_file_can_say_is_refused() -> None:
    with pytest.raises(NotWritableError):
        written("", {"name": object()})
