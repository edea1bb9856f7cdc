"""What a store in a SQL database does for applications that speak only SQL: a row for each operator, as published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from opsmail.store.interface import HeadMoved, InvalidValue, MissingBlobs, Store
from opsmail.store.sql import SqlStore
from tests.conformance.publishing import ENVIRONMENT, Place, event, generation, name

DOCUMENT: dict[str, Any] = {
    "connection": {"private": True, "ca": "-----BEGIN CERTIFICATE-----\n" + "A" * 200_000, "address": "10.0.0.1:587"},
    "format": 1,
    "operator": {
        "version": 1,
        "operator": "rh",
        "name": "Notificações 📬 do RH",
        "role": "standard",
        "enabled": False,
        "sender": {"address": "RH@empresa.com.br", "display_name": "RH 'Empresa' \\ %s", "send_as": True},
        "server": {"host": "smtp.empresa.com.br", "port": 587, "encryption": "starttls", "minimum_tls": "1.2"},
        "authentication": {
            "type": "modern",
            "username": "rh@empresa.com.br",
            "tenant": "t",
            "client_id": "c",
            "cloud": "global",
            "credential": {"kind": "client-secret", "secret": "env://OPSMAIL_RH"},
            "secret_expires": "2027-05-01",
        },
        "limits": {"messages_per_minute": 30},
        "labels": {"equipe": "ção", "a": "1"},
    },
}
ROW = {
    "environment": ENVIRONMENT,
    "operator": "rh",
    "generation": 1,
    "name": "Notificações 📬 do RH",
    "role": "standard",
    "enabled": False,
    "sender_address": "RH@empresa.com.br",
    "sender_display_name": "RH 'Empresa' \\ %s",
    "sender_reply_to": None,
    "sender_send_as": True,
    "server_host": "smtp.empresa.com.br",
    "server_port": 587,
    "server_encryption": "starttls",
    "server_minimum_tls": "1.2",
    "authentication_type": "modern",
    "authentication_username": "rh@empresa.com.br",
    "authentication_password": None,
    "authentication_tenant": "t",
    "authentication_client_id": "c",
    "authentication_cloud": "global",
    "authentication_credential_kind": "client-secret",
    "authentication_credential_secret": "env://OPSMAIL_RH",
    "authentication_credential_pfx": None,
    "authentication_credential_passphrase": None,
    "authentication_credential_client_id": None,
    "authentication_credential_token_cache": None,
    "authentication_secret_expires": "2027-05-01",
    "limits_messages_per_minute": 30,
    "labels": '{"a": "1", "equipe": "ção"}',
    "connection_address": "10.0.0.1:587",
    "connection_ca": "-----BEGIN CERTIFICATE-----\n" + "A" * 200_000,
    "connection_private": True,
    "connection_authority": None,
    "connection_authority_ca": None,
    "connection_federated_audience": None,
    "connection_federated_token": None,
}


def document(host: str = "smtp.empresa.com.br", **sections: Any) -> bytes:
    operator = {**DOCUMENT["operator"], "server": {**DOCUMENT["operator"]["server"], "host": host}, **sections}
    return json.dumps({**DOCUMENT, "operator": operator}).encode()


def swap(store: Store, operators: dict[str, bytes | None], environment: str = ENVIRONMENT) -> None:
    head = store.head(environment)
    digest, blobs = generation(head, environment)
    store.write_missing(blobs)
    store.swap_head(head, number=head.number + 1, digest=digest, events=[event(head, digest)], operators=operators)


class RelationalConformance:
    @pytest.fixture
    def place(self) -> Place:
        raise NotImplementedError

    @pytest.fixture
    def sql(self, place: Place) -> Iterator[SqlStore]:
        with closing(place.open(create=True)) as store:
            assert isinstance(store, SqlStore)
            yield store

    def test_an_operator_is_a_row(self, sql: SqlStore) -> None:
        assert sql.operators(ENVIRONMENT) == {}
        swap(sql, {"rh": document()})
        assert sql.operators(ENVIRONMENT) == {"rh": ROW}

    def test_rows_come_change_and_go_with_the_generation(self, sql: SqlStore) -> None:
        swap(sql, {operator: document() for operator in ("a", "b", "c")})
        swap(sql, {"b": document("other.empresa.com.br"), "c": None, "d": document(), "never": None})
        rows = sql.operators(ENVIRONMENT)
        assert {operator: (row["generation"], row["server_host"]) for operator, row in rows.items()} == {
            "a": (1, "smtp.empresa.com.br"),
            "b": (2, "other.empresa.com.br"),
            "d": (2, "smtp.empresa.com.br"),
        }

    def test_events_alone_change_no_row(self, sql: SqlStore) -> None:
        swap(sql, {"rh": document()})
        sql.append_events(sql.head(ENVIRONMENT), [b"{}"])
        assert sql.operators(ENVIRONMENT) == {"rh": ROW}

    def test_environments_have_their_own_rows(self, sql: SqlStore) -> None:
        swap(sql, {"rh": document()})
        swap(sql, {"rh": document("other.empresa.com.br")}, "staging")
        swap(sql, {"rh": None}, "staging")
        assert sql.operators(ENVIRONMENT) == {"rh": ROW}
        assert sql.operators("staging") == {}

    def test_a_publish_that_is_refused_changes_no_row(self, sql: SqlStore) -> None:
        stale = sql.head(ENVIRONMENT)
        swap(sql, {"rh": document()})
        digest, blobs = generation(stale, "late")
        sql.write_missing(blobs)
        late = {"rh": None, "other": document()}
        with pytest.raises(HeadMoved):
            sql.swap_head(stale, number=1, digest=digest, events=[b"{}"], operators=late)
        with pytest.raises(MissingBlobs):
            sql.swap_head(sql.head(ENVIRONMENT), number=2, digest=name(b"x"), events=[b"{}"], operators=late)
        assert sql.operators(ENVIRONMENT) == {"rh": ROW}

    def test_more_operators_than_one_statement_takes(self, sql: SqlStore) -> None:
        content = json.dumps({"operator": DOCUMENT["operator"], "connection": {}}).encode()
        everybody: dict[str, bytes | None] = {f"o{number:04}": content for number in range(1_200)}
        swap(sql, everybody)
        swap(sql, everybody)
        rows = sql.operators(ENVIRONMENT)
        assert list(rows) == list(everybody)
        assert {row["generation"] for row in rows.values()} == {2}

    def test_what_is_no_operator(self, sql: SqlStore) -> None:
        head = sql.head(ENVIRONMENT)
        digest, blobs = generation(head, "a")
        sql.write_missing(blobs)
        values = [
            b"",
            b"[]",
            b"{}",
            b'{"operator":7,"connection":{}}',
            b"{" * 50_000,
            document(name="a\0b"),
            document(name=7),
            document(enabled="yes"),
            document(limits={"messages_per_minute": True}),
            document(authentication={"type": "modern", "secret_expires": 20270501}),
        ]
        for content in values:
            with pytest.raises(InvalidValue, match="not the document of one"):
                sql.swap_head(head, number=1, digest=digest, events=[b"{}"], operators={"a": document(), "b": content})
        assert sql.head(ENVIRONMENT) == head
        assert sql.operators(ENVIRONMENT) == {}
