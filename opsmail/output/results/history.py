"""Generations and operators as they were published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from gettext import NullTranslations
from typing import Any

from opsmail.messages import msg
from opsmail.output.escape import for_terminal
from opsmail.output.style import Style
from opsmail.store.generation import Generation

SCHEMA = "opsmail/history/v1"


def as_text(generations: Sequence[Generation], language: NullTranslations, style: Style) -> str:
    """Return the generations, newest first."""
    lines = []
    for generation in generations:
        lines.append(
            style.paint(str(generation.number).rjust(5), "yellow", bold=True)
            + for_terminal(
                f"  {generation.time}  {generation.actor}  {generation.commit[:12]}  "
                + msg("{count} operators", count=generation.operators).render(language)
            )
        )
        details = [generation.reason] if generation.reason else []
        if not generation.required:
            details.append(msg("published without any evidence required").render(language))
        lines += [for_terminal(f"       {detail}") for detail in details]
    return "\n".join(lines or [msg("nothing is published yet").render(language)]) + "\n"


def as_json(generations: Sequence[Generation]) -> str:
    """Return the generations, newest first, as JSON."""
    document = {"schema": SCHEMA, "generations": [generation.document() for generation in generations]}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def operator_text(document: Mapping[str, Any], style: Style) -> str:
    """Return a published operator, one field a line."""
    lines: list[str] = []

    def walk(value: Any, depth: int, name: str) -> None:
        indent = "  " * depth
        if isinstance(value, dict):
            lines.append(f"{indent}{style.paint(for_terminal(name), bold=True)}:")
            for key, item in value.items():
                walk(item, depth + 1, key)
        else:
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            lines.append(f"{indent}{for_terminal(name)}: {for_terminal(shown)}")

    for key, item in document["operator"].items():
        walk(item, 0, key)
    if document["connection"]:
        walk(document["connection"], 0, "connection")
    return "\n".join(lines) + "\n"
