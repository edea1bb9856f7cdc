"""Generations and operators as they were published."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any

from opsmail.messages import Message, msg
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.style import Style
from opsmail.store.generation import Generation

SCHEMA = "opsmail/history/v1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One generation of a history.

    Args:
        number: its place.
        digest: the SHA-256 of what is signed.
        generation: what it says; None where that cannot be believed.
        problem: why it cannot.
    """

    number: int
    digest: str
    generation: Generation | None
    problem: Message | None = None


def as_text(entries: Sequence[Entry], language: NullTranslations, style: Style) -> str:
    """Return the generations, in the order they are given."""

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    lines = []
    for entry in entries:
        number = style.paint(str(entry.number).rjust(5), "yellow", bold=True)
        generation = entry.generation
        if generation is None:
            problem = say(msg("not to be trusted: {problem}", problem=entry.problem))
            lines.append(f"{number}  {style.paint(problem, 'red')}")
            continue
        facts = (generation.time, generation.actor, generation.commit[:12])
        told = "  ".join(for_terminal(fact) for fact in facts)
        lines.append(f"{number}  {told}  {say(msg('{count} operators', count=generation.operators))}")
        if generation.reason:
            lines.append(f"       {for_terminal(generation.reason)}")
        if not generation.required:
            lines.append(f"       {say(msg('published without any evidence required'))}")
    return "\n".join(lines or [say(msg("nothing is published yet"))]) + "\n"


def as_json(entries: Sequence[Entry]) -> str:
    """Return the generations as JSON, in the order they are given."""
    generations = [
        {"number": entry.number, "digest": entry.digest, "problem": _problem(entry), **_facts(entry)}
        for entry in entries
    ]
    return json_text({"schema": SCHEMA, "generations": generations})


def operator_text(document: Mapping[str, Any], language: NullTranslations, style: Style) -> str:
    """Return a published operator, one field a line; the catalogue's part stands under `connection`."""
    shown = {**document["operator"], "connection": document["connection"]}
    return "".join(f"{line}\n" for line in _tree(shown, "", language, style))


def _tree(fields: Mapping[str, Any], indent: str, language: NullTranslations, style: Style) -> Iterator[str]:
    for name, value in fields.items():
        label = f"{indent}{style.paint(for_terminal(name), bold=True)}:"
        if isinstance(value, dict):
            yield label if value else f"{label} –"
            yield from _tree(value, f"{indent}  ", language, style)
        else:
            yield f"{label} {for_terminal(_shown(value, language))}"


def _shown(value: Any, language: NullTranslations) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    # A certificate, for example: what it says can be had as JSON.
    return msg("({count} lines)", count=value.count("\n")).render(language) if "\n" in value else value


def _facts(entry: Entry) -> dict[str, Any]:
    return {} if entry.generation is None else entry.generation.document()


def _problem(entry: Entry) -> str | None:
    return None if entry.problem is None else for_program(str(entry.problem))
