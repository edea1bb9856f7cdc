"""The published schema says of a file what the decoder says of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from opsmail.operator.model import Operator
from opsmail.operator.schema import operator_schema
from opsmail.shape import Decoder
from tests.builders import operator_data
from tests.unit.schema_differences import OPERATOR, known

SCHEMA = operator_schema()
DRAFT_7 = Draft7Validator(SCHEMA)
DRAFT_2020 = Draft202012Validator(SCHEMA)
DECODER = Decoder(Operator)

MODERN = {
    "type": "modern",
    "username": "rh@empresa.com.br",
    "tenant": "empresa.onmicrosoft.com",
    "client_id": "11111111-2222-3333-4444-555555555555",
}
CREDENTIALS: tuple[dict[str, Any], ...] = (
    {"kind": "client-secret", "secret": "env://A"},
    {"kind": "certificate", "pfx": "file:///run/pfx", "passphrase": "env://A"},
    {"kind": "federated"},
    {"kind": "managed-identity", "client_id": "x"},
    {"kind": "delegated", "token_cache": "keyring://opsmail/rh"},
)
GOOD: list[dict[str, Any]] = [
    operator_data(),
    operator_data(
        name="Nome",
        enabled=False,
        labels={"team": "rh"},
        limits={"messages_per_minute": 30},
        sender={"display_name": "RH", "reply_to": "a@b", "send_as": True},
        server={"minimum_tls": "1.3"},
        authentication={"secret_expires": "2027-05-01"},
    ),
    {**operator_data(), "authentication": {"type": "none"}},
    *({**operator_data(), "authentication": {**MODERN, "credential": credential}} for credential in CREDENTIALS),
    {**operator_data(), "name": None, "limits": None},
]


def schema_accepts(data: object) -> bool:
    accepted: bool = DRAFT_7.is_valid(data)
    assert DRAFT_2020.is_valid(data) is accepted
    return accepted


def decoder_accepts(data: object) -> bool:
    value, problems = DECODER.decode(data)
    return value is not None and not problems


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value below `value`."""
    for key, item in value.items() if isinstance(value, dict) else ():
        yield (*path, key)
        yield from paths(item, (*path, key))


def changed(data: dict[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    """Return `data` with another value at `path`; `...` takes the field away."""
    result = copy.deepcopy(data)
    section = result
    for name in path[:-1]:
        section = section[name]
    if value is ...:
        del section[path[-1]]
    else:
        section[path[-1]] = value
    return result


class TestShape:
    def test_every_section_is_closed(self) -> None:
        def sections(schema: Any) -> Iterator[dict[str, Any]]:
            for item in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
                yield from sections(item)
            # A condition is closed by what it leads to.
            if isinstance(schema, dict) and isinstance(schema.get("properties"), dict) and "required" in schema:
                yield schema

        open_ones = [
            item for item in sections(SCHEMA) if "additionalProperties" not in item and "const" not in str(item)
        ]
        assert open_ones == []

    def test_its_example_is_a_good_file(self) -> None:
        (example,) = SCHEMA["examples"]
        assert decoder_accepts(example)
        assert schema_accepts(example)


class TestHoverHelp:
    def test_a_choice_explains_its_values(self) -> None:
        kinds = SCHEMA["properties"]["authentication"]["properties"]["type"]
        assert kinds["enum"] == ["basic", "modern", "none"]
        assert kinds["description"].splitlines()[0] == "`basic`: User and password."


class TestMessages:
    """A validator names the one mistake, not every branch of a choice."""

    @pytest.mark.parametrize(
        ("authentication", "messages"),
        [
            ({"type": "oauth"}, ["'oauth' is not one of ['basic', 'modern', 'none']"]),
            ({"type": "basic", "username": "x"}, ["'password' is a required property"]),
            ({}, ["'type' is a required property"]),
            ({"type": "none", "username": "x"}, ["Additional properties are not allowed ('username' was unexpected)"]),
            ({**MODERN, "credential": {"kind": "certificate"}}, ["'pfx' is a required property"]),
        ],
    )
    def test_one(self, authentication: dict[str, Any], messages: list[str]) -> None:
        data = {**operator_data(), "authentication": authentication}
        assert [error.message for error in DRAFT_7.iter_errors(data)] == messages


class TestAgreement:
    @pytest.mark.parametrize("data", GOOD, ids=range(len(GOOD)))
    def test_good_files(self, data: dict[str, Any]) -> None:
        assert decoder_accepts(data)
        assert schema_accepts(data)

    def test_every_mutant_is_judged_alike(self) -> None:
        """Each field taken away, emptied and given each other type, one at a time."""
        values: tuple[Any, ...] = (
            ...,
            None,
            "",
            " ",
            "x",
            0,
            1,
            -1,
            70_000,
            10**9,
            1.5,
            True,
            False,
            [],
            ["x"],
            {},
            {"x": 1},
            {"x": "y"},
        )
        disagreements = []
        judged = refused = 0
        for data in GOOD:
            for path in paths(data):
                for value in values:
                    mutant = changed(data, path, value)
                    ours, theirs = decoder_accepts(mutant), schema_accepts(mutant)
                    judged += 1
                    refused += not ours
                    if ours is not theirs and not known(OPERATOR, "schema" if ours else "reader", mutant):
                        disagreements.append((path, value, ours, theirs))
        assert disagreements == []
        assert judged > 2000
        assert refused > judged * 0.8

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_any_value_anywhere(self, data: st.DataObject) -> None:
        base = data.draw(st.sampled_from(GOOD))
        path = data.draw(st.sampled_from(sorted(paths(base), key=str)))
        scalars = (
            st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.floats(allow_nan=False, width=32)
        )
        words = st.sampled_from(["basic", "modern", "none", "587", "env://A", "a://b#c", "2027-05-01", "a" * 400])
        value = data.draw(
            scalars | words | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=5), scalars)
        )
        mutant = changed(base, path, value)
        ours, theirs = decoder_accepts(mutant), schema_accepts(mutant)
        assert ours is theirs or known(OPERATOR, "schema" if ours else "reader", mutant)
