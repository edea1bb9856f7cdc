"""One page about one operator: what it sends with, since when, what changed, its proof, what ends, the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from gettext import NullTranslations
from typing import Any

from opsmail.evidence.facts import TestSend, format_time
from opsmail.evidence.statement import Statement
from opsmail.findings import Finding
from opsmail.messages import Message, msg
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.results import marks
from opsmail.output.results.plans import field_text
from opsmail.output.style import Style
from opsmail.publish.marks import Mark
from opsmail.publish.plan import FieldChange
from opsmail.settings.model import ServerEntry
from opsmail.shape import encode
from opsmail.store.generation import Generation
from opsmail.values import dataclass

SCHEMA = "opsmail/why/v1"
_WIDTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is known of one operator.

    Args:
        operator: its id.
        environment: where.
        generation: the number of the published one; 0 where there is none.
        document: what applications send with, or would; as `EffectiveOperator.document` gives it.
        since: the generation that brought it; None where it is not published.
        maybe_earlier: whether it may have come earlier, with a generation that is not kept any more.
        changed: what that one changed of it.
        entry: of the catalogue; None without one.
        findings: of its file, waived ones included.
        proof: the newest test send of exactly this document; None without one.
        ends: what ends when, the soonest first.
        pending: what git has changed since; None where git does not have it.
        marks: that it has.
        revoked: what the settings do not allow of it any more; None where they allow it.
        back: the number of the generation before it changed; None where there is no way back.
    """

    operator: str
    environment: str
    generation: int
    document: Mapping[str, Any]
    since: Generation | None
    maybe_earlier: bool
    changed: Sequence[FieldChange]
    entry: ServerEntry | None
    findings: Sequence[Finding]
    proof: Statement | None
    ends: Sequence[tuple[date, Message]]
    pending: Sequence[FieldChange] | None
    marks: Sequence[Mark]
    revoked: str | None
    back: int | None

    @property
    def command_back(self) -> str | None:
        """What brings back what was before."""
        if self.back is None:
            return None
        where = "" if self.environment == "default" else f" --env {self.environment}"
        return f"opsmail rollback {self.back} --operator {self.operator}{where}"


def as_text(page: Page, language: NullTranslations, style: Style) -> str:
    """Return the page; what is wrong comes first."""
    where = msg(
        "{operator} in {environment}, generation {number}",
        operator=page.operator,
        environment=page.environment,
        number=page.generation or "–",
    )
    lines = [style.paint(for_terminal(where.render(language)), bold=True)]
    lines += [style.paint(for_terminal(told.render(language)), "red") for told in _alarms(page)]
    for label, told in _facts(page):
        name = for_terminal(label.render(language)).ljust(_WIDTH)
        lines.append(f"{style.paint(name, 'cyan')} {for_terminal(told.render(language))}")
    return "\n".join(lines) + "\n"


def as_json(page: Page) -> str:
    """Return the same for programs."""
    since = page.since
    return json_text(
        {
            "schema": SCHEMA,
            "operator": page.operator,
            "environment": page.environment,
            "generation": page.generation,
            "sends": page.document,
            "since": None if since is None else _origin(since),
            "maybe_earlier": page.maybe_earlier,
            "changed": [encode(field) for field in page.changed],
            "catalogue": None if page.entry is None else encode(page.entry),
            "findings": [_finding(finding) for finding in page.findings],
            "proof": None if page.proof is None else _proof(page.proof),
            "ends": [{"day": day.isoformat(), "what": for_program(str(what))} for day, what in page.ends],
            "pending": None if page.pending is None else [encode(field) for field in page.pending],
            "marks": list(marks.as_plain({page.operator: tuple(page.marks)})),
            "revoked": page.revoked,
            "back": page.command_back,
        }
    )


def _alarms(page: Page) -> Iterator[Message]:
    if page.since is None:
        yield msg("it is not published: this is what git says")
    elif page.pending is None:
        yield msg("it is published, and git does not have it")
    if page.document["operator"]["enabled"] is False:
        yield msg("it is switched off: applications do not send with it")
    if page.revoked is not None:
        yield msg("revoked: the settings do not allow it any more: {reason}", reason=page.revoked)
    yield from (marks.told(page.operator, mark) for mark in page.marks)


def _facts(page: Page) -> Iterator[tuple[Message, Message]]:
    yield from ((msg("sends"), told) for told in _sends(page.document))
    if page.since is not None:
        since = _since(page.since)
        yield msg("since"), msg("{generation}, or earlier", generation=since) if page.maybe_earlier else since
    yield from ((msg("changed"), msg("{field}", field=field_text(field))) for field in page.changed)
    if page.pending:
        yield from ((msg("git has"), msg("{field}", field=field_text(field))) for field in page.pending)
    yield msg("catalogue"), _entry(page.entry)
    for finding in page.findings:
        yield msg("rule"), _told(finding)
    yield msg("proof"), _proven(page.proof)
    for day, what in page.ends:
        yield msg("ends"), msg("{day}: {what}", day=day.isoformat(), what=what)
    yield msg("back"), msg("{command}", command=page.command_back or "–")


def _sends(document: Mapping[str, Any]) -> Iterator[Message]:
    operator, connection = document["operator"], document["connection"]
    yield msg(
        "as {address} by {host}:{port}, {encryption}, TLS {tls} or newer",
        address=operator["sender"]["address"],
        host=operator["server"]["host"],
        port=operator["server"]["port"],
        encryption=operator["server"]["encryption"],
        tls=operator["server"]["minimum_tls"],
    )
    login = operator["authentication"]
    told = ", ".join(
        f"{name} {value if isinstance(value, str) else ' '.join(map(str, value.values()))}"
        for name, value in login.items()
        if name != "type"
    )
    yield msg("authentication {type}: {told}", type=login["type"], told=told or "–")
    for name, value in connection.items():
        if value:
            yield msg("connection {name}: {value}", name=name, value=_short(value))


def _short(value: object) -> object:
    return msg("({count} lines)", count=value.count("\n")) if isinstance(value, str) and "\n" in value else value


def _since(generation: Generation) -> Message:
    return msg(
        "generation {number} ({act}), {time}, by {actor}, commit {commit}{reason}",
        number=generation.number,
        act=generation.act,
        time=generation.time,
        actor=generation.actor,
        commit=generation.commit[:12],
        reason=f": {generation.reason}" if generation.reason else "",
    )


def _entry(entry: ServerEntry | None) -> Message:
    if entry is None:
        return msg("no entry for its server")
    return msg(
        "{host}: {connections}; {authentication}; approved by {who}, ticket {ticket}, review by {day}",
        host=entry.host,
        connections=", ".join(map(str, entry.connections)),
        authentication=", ".join(kind.value for kind in entry.authentication),
        who=entry.approved_by or "–",
        ticket=entry.ticket or "–",
        day=entry.review_by or "–",
    )


def _told(finding: Finding) -> Message:
    waived = "" if finding.waived is None else msg(" (waived: {reason})", reason=finding.waived.reason)
    return msg(
        "{severity}[{rule}] {file}:{line}: {message}{waived}",
        severity=finding.severity.label,
        rule=finding.rule.id,
        file=finding.file,
        line=finding.span.line,
        message=finding.message,
        waived=waived,
    )


def _proven(proof: Statement | None) -> Message:
    if proof is None or not isinstance(proof.facts, TestSend):
        return msg("no test send of exactly this is known")
    facts = proof.facts
    return msg(
        "test as far as `{depth}` at {time}, {tls}, to {recipient}, answered {reply}",
        depth=facts.depth.value,
        time=format_time(proof.context.time),
        tls="–" if facts.tls is None else facts.tls.version,
        recipient=facts.recipient or "–",
        reply="–" if facts.reply is None else f"{facts.reply.code} {facts.reply.text}",
    )


def _origin(generation: Generation) -> dict[str, Any]:
    facts = ("number", "act", "time", "actor", "commit", "reason")
    return {name: getattr(generation, name) for name in facts}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.id,
        "severity": finding.severity.label,
        "message": for_program(str(finding.message)),
        "file": for_program(finding.file),
        "line": finding.span.line,
        "waived": finding.waived is not None,
    }


def _proof(proof: Statement) -> dict[str, Any]:
    return {"time": format_time(proof.context.time), "commit": proof.context.commit, "facts": proof.predicate}
