"""Formats of lines: a value that is more than a line would be read as settings of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opsmail.errors import RefusedError
from opsmail.messages import msg
from opsmail.source.characters import unseen_in_value


def require_line(value: str, operator: str, path: str) -> str:
    """Return a value that is one line of characters that can be seen.

    Args:
        value: what a field holds.
        operator: whose.
        path: the field.

    Raises:
        RefusedError: it is not.
    """
    hidden = unseen_in_value(value)
    if hidden is not None:
        raise RefusedError(
            msg("{operator}: {path} cannot be exported: {reason}", operator=operator, path=path, reason=hidden),
            hint=msg("publish a corrected operator, or export as JSON"),
        )
    return value


def leaves(section: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each value of an operator's data with its path; truth values as true and false."""
    for name, value in section.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        elif isinstance(value, bool):
            yield f"{prefix}{name}", "true" if value else "false"
        else:
            yield f"{prefix}{name}", str(value)
