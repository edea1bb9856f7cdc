"""JSON from anybody: one object, written in one way only, of bounded size."""

from __future__ import annotations

import json
import math
from typing import Any

from opsmail.canonical import canonical_json
from opsmail.evidence.invalid import InvalidEvidence, Reason
from opsmail.messages import Message, msg

#: Bytes of an envelope, and so of everything in it.
MAX_BYTES = 1024 * 1024


def parse_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object in `content`.

    Refused are, beyond what is no JSON: duplicate keys, NaN and infinities, integers and text on which readers of JSON
    do not agree (RFC 8785 section 3.2.2: beyond 2^53, lone surrogates), byte order marks, other encodings than UTF-8.

    Raises:
        InvalidEvidence: `TOO_LARGE` or `NOT_JSON`, with what is wrong.
    """
    require_size(content)
    try:
        # Decoded here, because json.loads would also take UTF-16 and UTF-32.
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float
        )
        canonical_json(value)
    except RecursionError:
        raise _not_json(msg("it is nested too deeply")) from None
    # The errors of json, of UTF-8 and of `canonical_json` are ValueErrors, and some of them repeat the content.
    except ValueError:
        raise _not_json(msg("it is not JSON in UTF-8")) from None
    if not isinstance(value, dict):
        raise _not_json(msg("it is not a JSON object"))
    return value


def require_size(content: bytes) -> None:
    """Return when `content` is not larger than any reader takes.

    Raises:
        InvalidEvidence: `TOO_LARGE`.
    """
    if len(content) > MAX_BYTES:
        raise InvalidEvidence(
            Reason.TOO_LARGE, msg("it has {size} bytes, allowed are {most}", size=len(content), most=MAX_BYTES)
        )


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _not_json(msg("it has a key twice"))
    return found


def _constant(name: str) -> float:
    raise _not_json(msg("it has {name}, which is no number in JSON", name=name))


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _not_json(msg("it has a number that is too large"))
    return value


def _not_json(message: Message) -> InvalidEvidence:
    return InvalidEvidence(Reason.NOT_JSON, message)
