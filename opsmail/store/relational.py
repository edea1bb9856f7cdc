"""The table `opsmail_operators`: what is published now, a row for each operator, for applications that speak only SQL.

It changes in the transaction that moves the head, so nobody sees a generation in part. It is **not signed**: who can
write to the database can change it unnoticed by those who read it, which `opsmail.runtime` would not let pass. It is
written from the published documents and never read by opsmail to publish or to send.

A column is called as its field, with underscores for dots. It holds references to secrets, and no secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.types import TypeEngine

from opsmail.messages import msg
from opsmail.store.interface import InvalidValue

_TEXT = Text()
#: Certificates, and all labels together; the TEXT of MariaDB and MySQL ends at 64 KiB.
_LONG = Text().with_variant(MEDIUMTEXT(), "mysql")
#: A field of the published document to the type of its column. Labels are one JSON object.
FIELDS: Mapping[str, TypeEngine[Any]] = {
    "name": _TEXT,
    "role": _TEXT,
    "enabled": Boolean(),
    "sender.address": _TEXT,
    "sender.display_name": _TEXT,
    "sender.reply_to": _TEXT,
    "sender.send_as": Boolean(),
    "server.host": _TEXT,
    "server.port": Integer(),
    "server.encryption": _TEXT,
    "server.minimum_tls": _TEXT,
    "authentication.type": _TEXT,
    "authentication.username": _TEXT,
    "authentication.password": _TEXT,
    "authentication.tenant": _TEXT,
    "authentication.client_id": _TEXT,
    "authentication.cloud": _TEXT,
    "authentication.credential.kind": _TEXT,
    "authentication.credential.secret": _TEXT,
    "authentication.credential.pfx": _TEXT,
    "authentication.credential.passphrase": _TEXT,
    "authentication.credential.client_id": _TEXT,
    "authentication.credential.token_cache": _TEXT,
    "authentication.secret_expires": Date(),
    "limits.messages_per_minute": Integer(),
    "labels": _LONG,
    "connection.address": _TEXT,
    "connection.ca": _LONG,
    "connection.private": Boolean(),
    "connection.authority": _TEXT,
    "connection.authority_ca": _LONG,
    "connection.federated_audience": _TEXT,
    "connection.federated_token": _TEXT,
}


def operators_table(metadata: MetaData) -> Table:
    """Return the table, made part of `metadata`."""
    return Table(
        "opsmail_operators",
        metadata,
        Column("environment", String(63), primary_key=True),
        Column("operator", String(63), primary_key=True),
        # The generation in which it became what it is.
        Column("generation", BigInteger, nullable=False),
        *(Column(path.replace(".", "_"), kind) for path, kind in FIELDS.items()),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def row(document: bytes) -> dict[str, Any]:
    """Return the columns of a published document, without its key.

    Raises:
        InvalidValue: it is no such document.
    """
    try:
        data = json.loads(document)
        fields = {**data["operator"], "connection": data["connection"]}
        return {path.replace(".", "_"): _value(path, _at(fields, path)) for path in FIELDS}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InvalidValue(msg("what is published of an operator is not the document of one")) from None


def _at(fields: Any, path: str) -> Any:
    for name in path.split("."):
        fields = fields.get(name)
        if fields is None:
            return None
    return fields


def _value(path: str, value: Any) -> Any:
    if value is None:
        return None
    kind = FIELDS[path].python_type
    if path == "labels":
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    elif kind is date:
        value = date.fromisoformat(value)
    if type(value) is not kind or (kind is str and "\0" in value):
        raise ValueError(path)
    return value
