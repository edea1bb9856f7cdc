"""What differs between two generations."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import NullTranslations

from opsmail.messages import msg
from opsmail.output.escape import for_terminal, json_text
from opsmail.output.results.plans import changes_text
from opsmail.output.style import Style
from opsmail.publish.plan import Change
from opsmail.shape import encode

SCHEMA = "opsmail/diff/v1"


def as_text(numbers: tuple[int, int], changes: Sequence[Change], language: NullTranslations, style: Style) -> str:
    """Return what changed from one generation to another, field by field."""
    heading = msg("generation {first} → {second}", first=numbers[0], second=numbers[1])
    lines = [for_terminal(heading.render(language)), "", *changes_text(changes, language, style)]
    if not changes:
        lines.append(for_terminal(msg("nothing differs").render(language)))
    return "\n".join(lines) + "\n"


def as_json(numbers: tuple[int, int], changes: Sequence[Change]) -> str:
    """Return the same for programs."""
    told = [encode(change) for change in changes]
    return json_text({"schema": SCHEMA, "from": numbers[0], "to": numbers[1], "changes": told})
