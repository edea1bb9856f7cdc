"""Texts as YAML scalars that every reader gives back as they were."""

from __future__ import annotations

from opsmail.errors import UsageError
from opsmail.expressions import expression
from opsmail.messages import Message, msg
from opsmail.source.characters import FORBIDDEN_IN_VALUE, code_point
from opsmail.source.scalars import is_truth_word, resolve_plain

_LETTER = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
# Begins with a letter: what begins with a digit is a number or a date to some reader.
_PLAIN = expression(rf"[{_LETTER}](?:[{_LETTER}0-9._@/+#-]|:(?=/)| (?=[{_LETTER}0-9(]))*")


def scalar(value: str | int | bool) -> str:  # noqa: FBT001 - one of the values that a field can have
    """Return a value as it stands in a YAML file.

    Args:
        value: a text without characters that nobody sees, see `unseen`.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and not is_truth_word(value) and resolve_plain(value) == value:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def require_visible(what: Message | str, value: str) -> None:
    """Return when a text may stand in an operator file.

    Args:
        what: its name for people.
        value: the text; it is not repeated.

    Raises:
        UsageError: it holds a line end, or a character that a reviewer cannot see.
    """
    unseen = FORBIDDEN_IN_VALUE.search(value)
    if unseen is not None:
        raise UsageError(
            msg(
                "{what} holds the character {code_point}, which nobody can see in the file",
                what=what,
                code_point=code_point(unseen[0]),
            ),
            hint=msg("type it again without line ends, tabs and invisible characters"),
        )
