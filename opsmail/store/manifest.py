"""Manifests of a generation, split so that a small change writes little.

One says which document each operator has, another which evidence proves it. An operator's bucket follows from its name
alone: a publish that changes 100 of 100,000 operators writes at most 100 buckets, and no bucket outgrows what a
key-value store takes as one value.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from opsmail.canonical import canonical_json

#: How many buckets there are; the first byte of the name's SHA-256 chooses.
BUCKETS = 256


def bucket_of(operator: str) -> str:
    """Return the bucket of an operator: two hex digits."""
    return hashlib.sha256(operator.encode("utf-8")).hexdigest()[:2]


def split(manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the content of each bucket that holds anything.

    Args:
        manifest: operator to plain JSON data, such as the SHA-256 of its document.
    """
    buckets: dict[str, dict[str, Any]] = defaultdict(dict)
    for operator, entry in manifest.items():
        buckets[bucket_of(operator)][operator] = entry
    return {name: canonical_json(content) for name, content in sorted(buckets.items())}


def join(buckets: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Return the manifest that buckets hold together, in the order of names.

    Args:
        buckets: each bucket's name with its content.

    Raises:
        ValueError: a bucket is not one, or holds an operator that belongs elsewhere.
    """
    manifest: dict[str, Any] = {}
    for name, content in buckets:
        match json.loads(content):
            case dict() as entries if all(bucket_of(operator) == name for operator in entries):
                manifest |= entries
            case _:
                raise ValueError(f"bucket {name} is none, or holds what belongs elsewhere")
    return dict(sorted(manifest.items()))
