"""The table `opsmail_operators`: what is published now, a row for each operator, for applications that speak only SQL.

It changes in the transaction that moves the head, so nobody sees a generation in part. It is **not signed**: who can
write to the database can change it unnoticed by those who read it, which `opsmail.runtime` would not let pass. It is
written from the published documents and never read by opsmail to publish or to send.

A column is called as its field, with underscores for dots. It holds references to secrets, and no secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.types import TypeEngine

from opsmail.messages import msg
from opsmail.store.interface import InvalidValue

_TEXT = Text()
#: Certificates, and all labels together; the TEXT of MariaDB and MySQL ends at 64 KiB.
_LONG = Text().with_variant(MEDIUMTEXT(), "mysql")
#: A field of the published document to the type of its column. Labels are one JSON object, a date is written as in it.
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
    "authentication.secret_expires": _TEXT,
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


_LABELS = json.JSONEncoder(ensure_ascii=False, sort_keys=True)
#: A column to the type of its values, which every driver takes as they are.
_KINDS: Mapping[str, type] = {path.replace(".", "_"): kind.python_type for path, kind in FIELDS.items()}


def row(document: bytes) -> dict[str, Any]:
    """Return the columns of a published document, without its key.

    Raises:
        InvalidValue: it is no such document.
    """
    columns: dict[str, Any] = dict.fromkeys(_KINDS)
    try:
        data = json.loads(document)
        _fill(columns, "", data["operator"])
        _fill(columns, "connection_", data["connection"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InvalidValue(msg("what is published of an operator is not the document of one")) from None
    return columns


def _fill(columns: dict[str, Any], prefix: str, section: dict[str, Any]) -> None:
    """Put the fields of a section where they belong; those without a column stay away."""
    for name, value in section.items():
        column = prefix + name
        if column not in _KINDS:
            if isinstance(value, dict):
                _fill(columns, f"{column}_", value)
            continue
        if column == "labels":
            value = _LABELS.encode(value)  # noqa: PLW2901 - the same, as text
        if type(value) is not _KINDS[column] or (isinstance(value, str) and "\0" in value):
            raise ValueError(column)
        columns[column] = value
