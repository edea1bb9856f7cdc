"""What the entries of the event log say: read from a log that anybody may have written who can write the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import rfc8785

from opsmail.store.interface import Event


def written(kind: str, facts: Mapping[str, object]) -> bytes:
    """Return the payload of an event of this kind; `facts` are plain JSON values."""
    return rfc8785.dumps({"event": kind, **facts})  # type: ignore[dict-item]  # plain JSON values, all of them


def facts_of(event: Event) -> Mapping[str, Any]:
    """Return what an event tells; nothing where that cannot be read."""
    try:
        told = json.loads(event.payload)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
