"""What etcd does in a transaction, in the JSON of its gateway (https://etcd.io/docs/v3.5/learning/api/).

Keys and values are base64 there, and numbers texts.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: A key and its value.
Pair = tuple[str, bytes]


def get(key: str) -> dict[str, Any]:
    """Read a key."""
    return {"request_range": {"key": encoded(key)}}


def exists(key: str) -> dict[str, Any]:
    """Read whether there is a key, not its value."""
    return {"request_range": {"key": encoded(key), "keys_only": True}}


def page(folder: str, start: str, limit: int) -> dict[str, Any]:
    """Read the keys of a folder from `start` on, in order, at most `limit`."""
    return {"request_range": {"key": encoded(start), "range_end": encoded(_after(folder)), "limit": limit}}


def last(folder: str) -> dict[str, Any]:
    """Read the last key of a folder."""
    order = {"limit": 1, "sort_order": "DESCEND", "sort_target": "KEY"}
    return {"request_range": {"key": encoded(f"{folder}/"), "range_end": encoded(_after(folder)), **order}}


def put(key: str, value: bytes) -> dict[str, Any]:
    """Write a key."""
    return {"request_put": {"key": encoded(key), "value": encoded(value)}}


def delete(key: str) -> dict[str, Any]:
    """Take a key away, where there is one; the answer counts it."""
    return {"request_delete_range": {"key": encoded(key)}}


def delete_below(folder: str, end: str) -> dict[str, Any]:
    """Take away the keys of a folder that come before `end`."""
    return {"request_delete_range": {"key": encoded(f"{folder}/"), "range_end": encoded(end)}}


def names(folder: str, start: str, limit: int) -> dict[str, Any]:
    """Read the keys of a folder from `start` on, in order, at most `limit`, not their values."""
    request = page(folder, start, limit)["request_range"]
    return {"request_range": {**request, "keys_only": True}}


def none_but(folder: str, revision: int) -> dict[str, Any]:
    """Compare: no key of a folder was written after a revision."""
    return {
        "key": encoded(f"{folder}/"),
        "range_end": encoded(_after(folder)),
        "target": "MOD",
        "result": "LESS",
        "mod_revision": str(revision + 1),
    }


def equal(key: str, value: bytes) -> dict[str, Any]:
    """Compare: the key has this value."""
    return {"key": encoded(key), "target": "VALUE", "result": "EQUAL", "value": encoded(value)}


def absent(key: str) -> dict[str, Any]:
    """Compare: there is no such key."""
    return {"key": encoded(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}


def present(key: str) -> dict[str, Any]:
    """Compare: there is such a key."""
    return {"key": encoded(key), "target": "CREATE", "result": "GREATER", "create_revision": "0"}


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a transaction.

    Args:
        succeeded: the comparisons held.
        answers: what each operation that followed has read.
        revision: of the store, when it was done.
        deleted: how many keys it took away.
    """

    succeeded: bool
    answers: list[list[Pair]]
    revision: int
    deleted: int


def done(answer: Mapping[str, Any]) -> Done:
    """Return what the gateway's answer to a transaction says.

    Raises:
        ValueError, TypeError, AttributeError, KeyError: it is no answer of etcd's.
    """
    responses = answer.get("responses") or []
    return Done(
        succeeded=answer.get("succeeded") is True,
        answers=[pairs(each.get("response_range") or {}) for each in responses],
        revision=int((answer.get("header") or {}).get("revision", 0)),
        deleted=sum(int((each.get("response_delete_range") or {}).get("deleted", 0)) for each in responses),
    )


def _after(folder: str) -> str:
    """The first key behind a folder: `0` follows `/`."""
    return f"{folder}0"


def pairs(found: Mapping[str, Any]) -> list[Pair]:
    """Return the keys and values that a read has found.

    Raises:
        ValueError, TypeError, KeyError: it is no answer of etcd's.
    """
    return [(decoded(pair["key"]).decode("utf-8"), decoded(pair.get("value"))) for pair in found.get("kvs") or []]


def encoded(value: bytes | str) -> str:
    """Return bytes, or a text's, as the gateway takes them."""
    return b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


def decoded(value: object) -> bytes:
    """Return the bytes of what the gateway gave; what it leaves out is empty.

    Raises:
        ValueError: it is no base64.
    """
    if value is not None and not isinstance(value, str):
        raise ValueError("not base64")
    return b64decode(value or "", validate=True)
