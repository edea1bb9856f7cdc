"""Manifests of a generation, split so that a small change writes little.

One says which document each operator has, another which evidence proves it. An operator's bucket follows from its name
and the number of buckets alone: a publish that changes 100 of 100,000 operators writes at most 100 buckets, and no
bucket outgrows what a key-value store takes as one value.

A generation lists its buckets, a bucket its operators: many of them make the first list long, few the others. So a
large manifest has more buckets than a small one; the length of their names tells how many there are.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from opsmail.canonical import canonical_json

#: Hex digits of a bucket's name to the bits of the operator's SHA-256, from its first on, which that name is.
_BITS = {2: 8, 3: 10}
_FEW, _MANY = _BITS
#: Operators from which on a manifest has many buckets: there are more than 64 operators in each of the few.
LARGE = 2**14


def bucket_of(operator: str, buckets: Collection[str]) -> str:
    """Return the bucket that holds an operator, if any does.

    Args:
        operator: its name.
        buckets: the names of all buckets there are of the manifest.
    """
    return _bucket(operator, len(next(iter(buckets), "")) or _FEW)


def _bucket(operator: str, digits: int) -> str:
    """Return the name of that length for the operator's bucket; none where no bucket has such a name."""
    if digits not in _BITS:
        return ""
    start = int.from_bytes(hashlib.sha256(operator.encode("utf-8")).digest()[:2], "big")
    return f"{start >> (16 - _BITS[digits]):0{digits}x}"


def split(manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the content of each bucket that holds anything.

    Args:
        manifest: operator to plain JSON data, such as the SHA-256 of its document.
    """
    digits = _FEW if len(manifest) < LARGE else _MANY
    buckets: dict[str, dict[str, Any]] = defaultdict(dict)
    for operator, entry in manifest.items():
        buckets[_bucket(operator, digits)][operator] = entry
    return {name: canonical_json(content) for name, content in sorted(buckets.items())}


def join(buckets: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Return the manifest that buckets hold together, in the order of names.

    Args:
        buckets: each bucket's name with its content.

    Raises:
        ValueError: a bucket is not one, or holds an operator that belongs elsewhere.
    """
    manifest: dict[str, Any] = {}
    digits = _FEW
    for position, (name, content) in enumerate(buckets):
        digits = digits if position else len(name)
        match json.loads(content):
            case dict() as entries if all(_bucket(operator, digits) == name for operator in entries):
                manifest |= entries
            case _:
                raise ValueError(f"bucket {name} is none, or holds what belongs elsewhere")
    return dict(sorted(manifest.items()))
