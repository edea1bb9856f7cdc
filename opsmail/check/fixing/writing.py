"""How a value is written in YAML, so that every reader takes it for just that value."""

from __future__ import annotations

import json
import re

from opsmail.source.scalars import is_ambiguous_number, is_truth_word, resolve_plain

#: Words that need no quotes anywhere, also not between the brackets of a flow mapping.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/+-]*")


def written(value: str | int | bool, before: str) -> str:  # noqa: FBT001 - a value of the file, not a switch
    """Return `value` as YAML, on one line.

    Args:
        value: the value.
        before: what stood in its place; its kind of quotes is kept where it can be.
    """
    if not isinstance(value, str):
        return json.dumps(value)
    if before.startswith("'") and "'" not in value:
        return f"'{value}'"
    if not before.startswith('"') and _is_plain(value):
        return value
    return json.dumps(value, ensure_ascii=False)  # JSON is YAML


def _is_plain(value: str) -> bool:
    if _WORD.fullmatch(value) is None or is_ambiguous_number(value) or is_truth_word(value):
        return False
    return isinstance(resolve_plain(value), str)
