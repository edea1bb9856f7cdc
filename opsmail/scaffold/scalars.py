"""Texts as YAML scalars that every reader gives back as they were."""

from __future__ import annotations

from opsmail.expressions import expression
from opsmail.source.scalars import is_truth_word, resolve_plain

_LETTER = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
# Begins with a letter: what begins with a digit is a number or a date to some reader.
_PLAIN = expression(rf"[{_LETTER}](?:[{_LETTER}0-9._@/+#-]|:(?=/)| (?=[{_LETTER}0-9(]))*")


def scalar(value: str | int | bool) -> str:  # noqa: FBT001 - one of the values that a field can have
    """Return a value as it stands in a YAML file.

    Args:
        value: a text without characters that nobody sees, see `opsmail.source.characters.unseen_in_value`.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and not is_truth_word(value) and resolve_plain(value) == value:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
