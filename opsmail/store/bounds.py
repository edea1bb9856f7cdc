"""What may enter a store: the second gate, behind whatever checked the values before."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from typing import TypeGuard

from opsmail.canonical import canonical_json
from opsmail.messages import msg
from opsmail.store.interface import Head, InvalidValue

#: Bytes of one blob, and of one event. etcd takes requests of 1.5 MiB by default
#: (https://etcd.io/docs/v3.5/dev-guide/limit/), so no backend has to split a value.
MAX_VALUE_BYTES = 1024 * 1024
#: What every backend's 64-bit integers hold.
MAX_NUMBER = 2**63 - 1
#: Entries that one call may ask for.
MAX_PAGE = 10_000

_DIGEST = re.compile(r"[0-9a-f]{64}")
_IDENTITY = re.compile(r"[0-9a-f]{32}")
#: The escape of U+0000: an odd number of backslashes. PostgreSQL's jsonb refuses it, and C programs end a text there.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def is_digest(value: object) -> TypeGuard[str]:
    """Tell whether `value` is a SHA-256 as the store writes it."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def is_store_id(value: object) -> TypeGuard[str]:
    """Tell whether `value` is what a store calls itself."""
    return isinstance(value, str) and _IDENTITY.fullmatch(value) is not None


def is_number(value: object, *, least: int = 1) -> TypeGuard[int]:
    """Tell whether `value` is a whole number from `least` that a 64-bit column holds."""
    return type(value) is int and least <= value <= MAX_NUMBER


def environment_name(name: object) -> str:
    """Return `name`, or raise `InvalidValue`."""
    if not isinstance(name, str) or _ENVIRONMENT.fullmatch(name) is None:
        raise InvalidValue(
            msg("the environment's name is not one that a store takes"),
            hint=msg("use up to 63 letters, digits, dots, hyphens and underscores, beginning with a letter or digit"),
        )
    return name


def digest(value: object) -> str:
    """Return `value`, or raise `InvalidValue`."""
    if not is_digest(value):
        raise InvalidValue(msg("a digest is 64 lower-case hexadecimal digits without a prefix"))
    return value


def number(value: object, *, least: int = 1) -> int:
    """Return `value`, or raise `InvalidValue`."""
    if not is_number(value, least=least):
        raise InvalidValue(
            msg("a generation or event number is a whole number from {least} and below 2^63", least=least)
        )
    return value


def next_number(value: object, expected: Head) -> int:
    """Return `value`, which is the number that follows `expected`, or raise `InvalidValue`."""
    following = number(value)
    if following != expected.number + 1:
        raise InvalidValue(
            msg("generation {number} cannot follow generation {previous}", number=following, previous=expected.number)
        )
    return following


def oldest(value: object, expected: Head) -> int:
    """Return `value`, which is a generation up to the one of `expected`, or raise `InvalidValue`."""
    first = number(value)
    if first > expected.number:
        raise InvalidValue(msg("generation {number} cannot be let go, it is published", number=expected.number))
    return first


def head(expected: Head) -> None:
    """Raise `InvalidValue` where `expected` holds what no store returns."""
    environment_name(expected.environment)
    number(expected.number, least=0)
    number(expected.events, least=0)
    number(expected.sweeps, least=0)
    digest(expected.last_hash)
    if expected.digest is not None:
        digest(expected.digest)


def heads(expected: Collection[Head]) -> dict[str, Head]:
    """Return heads by environment, or raise `InvalidValue`."""
    for each in expected:
        head(each)
    if not expected:
        raise InvalidValue(msg("a store is swept by the heads of all its environments"))
    return {each.environment: each for each in expected}


def page(value: object) -> int:
    """Return `value` as the size of a page, or raise `InvalidValue`."""
    if not is_number(value) or value > MAX_PAGE:
        raise InvalidValue(msg("a page of the store holds 1 to {most} entries", most=MAX_PAGE))
    return value


def blob(name: str, content: bytes) -> None:
    """Raise `InvalidValue` where `content` is too large or its digest is not `name`."""
    _sized(content)
    if hashlib.sha256(content).hexdigest() != digest(name):
        raise InvalidValue(msg("the content offered for the digest {digest} has another digest", digest=name))


def events(payloads: Sequence[bytes]) -> None:
    """Raise `InvalidValue` where there is no payload, or one is not canonical JSON of an object.

    Canonical JSON (RFC 8785) is written one way only: no duplicate key, NaN, lone surrogate or oversized number gets
    through.
    """
    if not payloads:
        raise InvalidValue(msg("a change of the store comes with at least one event"))
    for payload in payloads:
        _sized(payload)
        if not _canonical(payload) or _NUL.search(payload):
            raise InvalidValue(
                msg("an event is a JSON object in the canonical form of RFC 8785, without NUL characters")
            )


def _sized(content: object) -> None:
    if not isinstance(content, bytes) or len(content) > MAX_VALUE_BYTES:
        raise InvalidValue(msg("a store takes values of at most {most} bytes", most=MAX_VALUE_BYTES))


def _canonical(payload: bytes) -> bool:
    # What json, `canonical_json` and the decoding of UTF-8 raise are all ValueErrors.
    try:
        value = json.loads(payload)
        return isinstance(value, dict) and canonical_json(value) == payload
    except (ValueError, RecursionError):
        return False
