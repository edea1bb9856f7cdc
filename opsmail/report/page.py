"""The report as one HTML page that loads nothing: its style and its script are in it, named by their hashes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from gettext import NullTranslations
from typing import Any

from opsmail import __version__
from opsmail.findings import Finding, Severity
from opsmail.html import render_page
from opsmail.messages import Message, msg, msgn
from opsmail.operator.model import Encryption, ModernAuthentication, NoAuthentication, Operator, Role
from opsmail.report.endings import Ending
from opsmail.report.fleet import Fleet, Proof, Published, Row, State, Step

#: What ends within so many days is shown as near.
_SOON_DAYS = 30
#: So many endings are shown at once however far they are; the others open with a click.
_FEW = 10
_RULES_URL = "https://opsmail.readthedocs.io/rules/"

_STATES: Mapping[State, Message] = {
    State.BROKEN: msg("with errors"),
    State.UNPROVEN: msg("not proven"),
    State.WARNED: msg("with warnings"),
    State.GOOD: msg("in order"),
    State.DISABLED: msg("disabled"),
}
_PUBLISHED: Mapping[Published, Message] = {
    Published.SAME: msg("as it is here"),
    Published.OTHER: msg("another version"),
    Published.NOTHING: msg("not published"),
    Published.UNKNOWN: msg("not known"),
}
_ENCRYPTIONS: Mapping[Encryption, Message] = {
    Encryption.STARTTLS: msg("STARTTLS"),
    Encryption.IMPLICIT_TLS: msg("TLS from the start (SSL)"),
    Encryption.NONE: msg("not encrypted"),
}
_SEVERITIES: Mapping[Severity, State] = {
    Severity.ERROR: State.BROKEN,
    Severity.WARNING: State.WARNED,
    Severity.NOTE: State.DISABLED,
}


def render(fleet: Fleet, language: NullTranslations) -> str:
    """Return the page.

    Args:
        fleet: what it shows.
        language: of its texts.
    """
    return render_page("report", language, **_Words(language).everything(fleet))


class _Words:
    """The page's values as texts of one language."""

    def __init__(self, language: NullTranslations) -> None:
        self._language = language

    def say(self, message: Message) -> str:
        return message.render(self._language)

    def everything(self, fleet: Fleet) -> dict[str, Any]:
        near = sum((ending.day - fleet.today).days <= _SOON_DAYS for ending in fleet.endings)
        soonest = max(near, _FEW)
        return {
            "say": {name: self.say(message) for name, message in _texts(fleet).items()},
            "figures": [
                {"state": state.value, "word": self.say(word), "count": fleet.count(state)}
                for state, word in _STATES.items()
            ],
            "columns": [self.say(column) for column in _columns()],
            "rows": [self.row(row, fleet.today) for row in fleet.rows],
            "others": [self.finding(finding) for finding in fleet.others],
            "soonest": [self.ending(ending, fleet.today) for ending in fleet.endings[:soonest]],
            "later": [self.ending(ending, fleet.today) for ending in fleet.endings[soonest:]],
            "steps": None if fleet.steps is None else [self.step(step) for step in fleet.steps],
            "step_columns": [self.say(column) for column in _step_columns()],
        }

    def row(self, row: Row, today: date) -> dict[str, Any]:
        operator = row.operator
        return {
            "name": row.name,
            "state": row.state.value,
            "word": self.say(_STATES[row.state]),
            "findings": [self.finding(finding) for finding in row.findings],
            "proof": self.proof(row.proof, today),
            "tls": "" if row.proof is None else self.tls(row.proof),
            "published": self.say(_PUBLISHED[row.published]),
            **(_NOTHING if operator is None else self.settings(operator)),
        }

    def settings(self, operator: Operator) -> dict[str, str]:
        return {
            "title": operator.name or "",
            "role": self.say(msg("master")) if operator.role is Role.MASTER else "",
            "sender": operator.sender.address,
            "server": operator.server.host,
            "port": str(operator.server.port),
            "encryption": self.say(_ENCRYPTIONS[operator.server.encryption]),
            "login": self.say(_login(operator)),
        }

    def proof(self, proof: Proof | None, today: date) -> str:
        if proof is None:
            return self.say(msg("never"))
        days = (today - proof.time.date()).days
        age = self.say(msg("today") if days < 1 else msgn("{count} day ago", "{count} days ago", days))
        return age if proof.is_current else self.say(msg("{age}, with other settings", age=age))

    def tls(self, proof: Proof) -> str:
        tls = proof.facts.tls
        if tls is None or tls.not_after is None:
            return "" if tls is None else tls.version
        day = tls.not_after.date().isoformat()
        return self.say(msg("{version}, certificate until {day}", version=tls.version, day=day))

    def finding(self, finding: Finding) -> dict[str, str]:
        own = finding.rule.id.startswith("OM")
        return {
            "css": _SEVERITIES[finding.severity].value,
            "rule": finding.rule.id,
            "url": f"{_RULES_URL}{finding.rule.id}/" if own else "",
            "file": f"{finding.file}:{finding.span.line}",
            "text": self.say(finding.message),
        }

    def ending(self, ending: Ending, today: date) -> dict[str, str]:
        days = (ending.day - today).days
        when = "past" if days < 0 else "soon" if days <= _SOON_DAYS else "later"
        return {
            "when": when,
            "day": ending.day.isoformat(),
            "what": self.say(ending.what),
            "distance": self.say(_distance(days)),
            "whom": ", ".join(ending.operators),
            "source": ending.source,
        }

    def step(self, step: Step) -> dict[str, Any]:
        generation = step.generation
        if generation is None:
            return {
                "number": step.number,
                "problem": self.say(msg("not to be trusted: {problem}", problem=step.problem)),
            }
        told = [self.say(msgn("{count} operator", "{count} operators", generation.operators))]
        told += [generation.reason] if generation.reason else []
        told += [] if generation.required else [self.say(msg("published without any evidence required"))]
        return {
            "number": step.number,
            "problem": "",
            "time": generation.time,
            "actor": generation.actor,
            "commit": generation.commit[:12],
            "told": "; ".join(told),
        }


_NOTHING = dict.fromkeys(("title", "role", "sender", "server", "port", "encryption", "login"), "")


def _login(operator: Operator) -> Message:
    authentication = operator.authentication
    if isinstance(authentication, NoAuthentication):
        return msg("no login")
    if isinstance(authentication, ModernAuthentication):
        return msg("modern (OAuth 2.0): {username}", username=authentication.username)
    return msg("user and password: {username}", username=authentication.username)


def _distance(days: int) -> Message:
    if days < 0:
        return msgn("{count} day ago", "{count} days ago", -days)
    return msg("today") if days == 0 else msgn("in {count} day", "in {count} days", days)


def _texts(fleet: Fleet) -> dict[str, Message]:
    return {
        "title": msg("E-mail operators, environment {environment}", environment=fleet.environment),
        "made": msg(
            "Made on {time} (UTC) by opsmail {version}", time=f"{fleet.made:%Y-%m-%d %H:%M}", version=__version__
        ),
        "endings": msg("What ends"),
        "no_endings": msg("Nothing that opsmail knows of has an end."),
        "later": msg("Later"),
        "source": msg("who says so"),
        "operators": msg("Operators"),
        "search": msg("Search"),
        "state": msg("State"),
        "all_states": msg("all"),
        "shown": msg("{shown} of {all} shown"),
        "caption": msg(
            "Each operator as it is in the repository, its last test send, and what application servers read."
        ),
        "others": msg("Other findings"),
        "history": msg("What was published"),
        "history_caption": msg("The newest first."),
        "no_store": msg("The store does not answer, or there is none yet."),
        "no_history": msg("Nothing is published yet."),
    }


def _columns() -> Iterator[Message]:
    yield msg("Operator")
    yield msg("State")
    yield msg("Sender")
    yield msg("Server")
    yield msg("Login")
    yield msg("Last test send")
    yield msg("Published")


def _step_columns() -> Iterator[Message]:
    yield msg("Generation")
    yield msg("Time")
    yield msg("By")
    yield msg("Commit")
    yield msg("What")
