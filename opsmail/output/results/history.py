"""Generations and operators as they were published."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from gettext import NullTranslations
from typing import Any

from opsmail.messages import Message, msg
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.results import marks
from opsmail.output.style import Style
from opsmail.publish.marks import Marks
from opsmail.publish.verification import Verification
from opsmail.store.generation import Generation
from opsmail.values import dataclass

SCHEMA = "opsmail/history/v1"
VERIFICATION_SCHEMA = "opsmail/history-verification/v1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One generation of a history.

    Args:
        number: its place.
        digest: the SHA-256 of what is signed.
        generation: what it says; None where that cannot be believed.
        problem: why it cannot.
        marks: those that it set.
    """

    number: int
    digest: str
    generation: Generation | None
    problem: Message | None = None
    marks: Marks = field(default_factory=dict)


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
        act = "" if generation.act == "publish" else f"{for_terminal(generation.act)}, "
        lines.append(f"{number}  {told}  {act}{say(msg('{count} operators', count=generation.operators))}")
        if generation.reason:
            lines.append(f"       {for_terminal(generation.reason)}")
        lines += [
            f"       {say(marks.told(name, mark))}" for name, items in sorted(entry.marks.items()) for mark in items
        ]
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


def verification_as_text(verification: Verification, language: NullTranslations, style: Style) -> str:
    """Return what a walk through the history has found."""
    if verification.breaks:
        lines = [style.paint(for_terminal(told.render(language)), "red") for told in verification.breaks]
    else:
        head = verification.head
        whole = msg(
            "the history is whole up to generation {generations} and event {events}",
            generations=0 if head is None else head.number,
            events=0 if head is None else head.events,
        )
        lines = [for_terminal(whole.render(language))]
    if verification.oldest > 1:
        before = msg(
            "generations before {oldest} were let go by a collection; what they held cannot be known any more",
            oldest=verification.oldest,
        )
        lines.append(for_terminal(before.render(language)))
    return "\n".join(lines) + "\n"


def verification_as_json(verification: Verification) -> str:
    """Return the same for programs."""
    head = verification.head
    return json_text(
        {
            "schema": VERIFICATION_SCHEMA,
            "generations": None if head is None else head.number,
            "oldest": verification.oldest,
            "events": None if head is None else head.events,
            "breaks": [for_program(str(told)) for told in verification.breaks],
        }
    )


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
    if entry.generation is None:
        return {}
    return {**entry.generation.document(), "set": list(marks.as_plain(entry.marks))}


def _problem(entry: Entry) -> str | None:
    return None if entry.problem is None else for_program(str(entry.problem))
