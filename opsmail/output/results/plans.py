"""Plans, for people, for pull requests and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any

from opsmail.messages import Message, msg
from opsmail.output.escape import for_terminal
from opsmail.output.style import Style
from opsmail.publish.limits import Violation
from opsmail.publish.plan import Action, Change, FieldChange, Plan

_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
_COLOURS = {Action.CREATE: "green", Action.UPDATE: "yellow", Action.DELETE: "red"}
_LONGEST_VALUE = 80


def as_json(plan: Plan) -> str:
    """Return the plan as it is saved."""
    return json.dumps(plan.document(), indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def as_text(plan: Plan, limits: Sequence[Violation], language: NullTranslations, style: Style) -> str:
    """Return the plan in words, with the limits that `publish` would refuse it for."""

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    base = msg("generation {number}", number=plan.base) if plan.base else msg("nothing published yet")
    lines = [
        say(
            msg(
                "environment {environment}, {base}, commit {commit}",
                environment=plan.environment,
                base=base,
                commit=plan.commit[:12],
            )
        ),
        "",
    ]
    for change in plan.changes:
        lines.append(style.paint(f"{_SIGNS[change.action]} {for_terminal(change.operator)}", _COLOURS[change.action], bold=True))
        lines += [f"    {field_text(field)}" for field in change.fields]
    if plan.changes:
        lines.append("")
    lines.append(say(summary(plan)))
    for violation in limits:
        lines.append(
            style.paint(say(msg("publish would refuse: {reason}", reason=violation.message)), "yellow")
            + f"  ({for_terminal(violation.option)})"
        )
    return "\n".join(lines) + "\n"


def as_markdown(plan: Plan, limits: Sequence[Violation], language: NullTranslations) -> str:
    """Return the plan for a pull request's comment; every value stands in a code span, where nothing in it acts."""
    lines = [f"### opsmail: {summary(plan).render(language)}", ""]
    if plan.changes:
        lines += ["| | operator | change |", "|---|---|---|"]
        lines += [f"| {change.action.value} | {_code(change.operator)} | {_fields(change)} |" for change in plan.changes]
    for violation in limits:
        lines += ["", f"**{_inert(violation.message.render(language))}**: {_code(violation.option)}"]
    return "\n".join(lines) + "\n"


def summary(plan: Plan) -> Message:
    """Return the sentence that sums a plan up."""
    counts = {action.value: len(plan.with_action(action)) for action in Action}
    return msg(
        "{create} to create, {update} to update, {delete} to delete, {unchanged} unchanged",
        **(counts | {"unchanged": plan.unchanged}),
    )


def field_text(field: FieldChange) -> str:
    """Return one field's change in words: `server.port 25 → 587`."""
    return for_terminal(f"{field.path} {_value(field.before)} → {_value(field.after)}")


def _value(value: Any) -> str:
    if value is None:
        return "–"
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= _LONGEST_VALUE else shown[:_LONGEST_VALUE] + "…"


def _fields(change: Change) -> str:
    return "<br>".join(_code(field_text(field)) for field in change.fields)


def _code(text: str) -> str:
    """Return a code span that nothing in `text` can leave: fenced by more backticks than it has, table bars written out."""
    shown = for_terminal(text).replace("|", "&#124;") if "|" in text else for_terminal(text)
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in shown).split()), default=0)
    fence = "`" * (longest + 1)
    padding = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def _inert(text: str) -> str:
    """Return text in which nothing is Markdown, HTML, a mention or a link."""
    return "".join(f"&#{ord(character)};" if character in "\\`*_{}[]()<>#+!|@:/&~" else character for character in for_terminal(text))
