"""Plans, for people, for pull requests and for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from gettext import NullTranslations
from typing import Any

from opsmail.messages import Message, msg
from opsmail.output.escape import for_terminal, json_text
from opsmail.output.style import Style
from opsmail.publish.limits import Violation
from opsmail.publish.pins import Revoked
from opsmail.publish.plan import Action, Change, FieldChange, Plan
from opsmail.publish.saved import document

_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
_COLOURS = {Action.CREATE: "green", Action.UPDATE: "yellow", Action.DELETE: "red"}
_WORDS = {Action.CREATE: msg("create"), Action.UPDATE: msg("update"), Action.DELETE: msg("delete")}
_LONGEST_VALUE = 80
_PLAIN = re.compile(r"\S+")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._]+")
_ACTIVE = frozenset("\\`*_{}[]()<>#+!|@:/&~")


def as_json(plan: Plan) -> str:
    """Return the plan as it is saved."""
    return json_text(document(plan))


def as_text(plan: Plan, limits: Sequence[Violation], language: NullTranslations, style: Style) -> str:
    """Return the plan in words, with the limits that `publish` would refuse it for."""

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    lines = [say(_heading(plan)), "", *changes_text(plan.changes, language, style)]
    if plan.changes:
        lines.append("")
    lines.append(say(summary(plan)))
    lines += [style.paint(say(told), "yellow") for told in _remarks(plan)]
    for violation in limits:
        refusal = msg("publish would refuse: {reason}", reason=violation.message)
        lines.append(f"{style.paint(say(refusal), 'yellow')}  ({for_terminal(violation.option)})")
    return "\n".join(lines) + "\n"


def changes_text(changes: Sequence[Change], language: NullTranslations, style: Style) -> Iterator[str]:
    """Yield the lines that tell changes, field by field."""
    for change in changes:
        name = style.paint(
            f"{_SIGNS[change.action]} {for_terminal(change.operator)}", _COLOURS[change.action], bold=True
        )
        if change.action is Action.UPDATE:
            yield name
            yield from (f"    {for_terminal(field_text(field))}" for field in change.fields)
        else:
            yield f"{name}  {for_terminal(_telling(change, language))}"


def _remarks(plan: Plan) -> Iterator[Message]:
    for operator in plan.held:
        yield msg("held: `{operator}` stays as it is published, whatever git says", operator=operator)
    yield from map(revoked, plan.revoked)


def revoked(item: Revoked) -> Message:
    """Return the sentence about an operator that is published and not allowed any more."""
    return msg(
        "revoked: `{operator}` is published, and the settings do not allow it any more: {reason}",
        operator=item.operator,
        reason=item.reason,
    )


def as_markdown(plan: Plan, limits: Sequence[Violation], language: NullTranslations) -> str:
    """Return the plan for a pull request's comment.

    Its first line, which nobody sees, is the same for every plan of an environment: by it a later comment finds the one
    to replace. Every value stands in a code span, where nothing in it acts.
    """
    lines = [
        f"<!-- opsmail plan {_NOT_IN_A_NAME.sub('-', plan.environment)} -->",
        f"### opsmail: {_inert(summary(plan).render(language))}",
        "",
        _inert(_heading(plan).render(language)),
    ]
    if plan.changes:
        head = " | ".join(word.render(language) for word in (msg("operator"), msg("change")))
        lines += ["", f"| | {head} |", "|---|---|---|"]
        for change in plan.changes:
            lines.append(
                f"| {_WORDS[change.action].render(language)} | {_code(change.operator)} | {_cell(change, language)} |"
            )
    for told in _remarks(plan):
        lines += ["", f"**{_inert(told.render(language))}**"]
    for violation in limits:
        lines += ["", f"**{_inert(violation.message.render(language))}**: {_code(violation.option)}"]
    return "\n".join(lines) + "\n"


def summary(plan: Plan) -> Message:
    """Return the sentence that sums a plan up."""
    return msg(
        "{create} to create, {update} to update, {delete} to delete, {unchanged} unchanged",
        create=len(plan.with_action(Action.CREATE)),
        update=len(plan.with_action(Action.UPDATE)),
        delete=len(plan.with_action(Action.DELETE)),
        unchanged=plan.unchanged,
    )


def _heading(plan: Plan) -> Message:
    base = msg("generation {number}", number=plan.base) if plan.base else msg("nothing published yet")
    return msg(
        "environment {environment}, {base}, commit {commit}",
        environment=plan.environment,
        base=base,
        commit=plan.commit[:12],
    )


def _telling(change: Change, language: NullTranslations) -> str:
    """Return what tells most of an operator that comes or goes: its address, its server, its login."""
    values = {field.path: field.before if field.after is None else field.after for field in change.fields}
    told = msg(
        "{address} at {host}:{port}, {encryption}, authentication {type}",
        address=values.get("sender.address"),
        host=values.get("server.host"),
        port=values.get("server.port"),
        encryption=values.get("server.encryption"),
        type=values.get("authentication.type"),
    )
    extras = [msg("master")] if values.get("role") == "master" else []
    extras += [] if values.get("enabled") else [msg("switched off")]
    return ", ".join(message.render(language) for message in (told, *extras))


def field_text(field: FieldChange) -> str:
    """Return one field's change in words: `server.port 25 → 587`."""
    return f"{field.path} {_value(field.before)} → {_value(field.after)}"


def _value(value: Any) -> str:
    if value is None:
        return "–"
    # A text with spaces is quoted, so that it is seen where it ends.
    shown = value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= _LONGEST_VALUE else shown[:_LONGEST_VALUE] + "…"


def _cell(change: Change, language: NullTranslations) -> str:
    if change.action is Action.UPDATE:
        return "<br>".join(_code(field_text(field)) for field in change.fields)
    return _code(_telling(change, language))


def _code(text: str) -> str:
    """Return a code span that nothing in `text` can leave: fenced by more backticks than it has in a row.

    A bar would end the cell of a table even there; it is shown as the broken bar.
    """
    shown = for_terminal(text).replace("|", "¦")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def _inert(text: str) -> str:
    """Return text in which nothing is Markdown, HTML, a mention or a link."""
    return "".join(f"&#{ord(character)};" if character in _ACTIVE else character for character in for_terminal(text))
