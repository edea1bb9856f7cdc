"""Results of live tests, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from gettext import NullTranslations
from typing import Any

from opsmail.live.result import Outcome, StageResult, TestResult
from opsmail.mail.peer import TlsFacts
from opsmail.mail.reply import Reply
from opsmail.messages import Message, msg
from opsmail.output.escape import for_terminal
from opsmail.output.style import Style

SCHEMA = "opsmail/test-results/v1"

_MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.INCONCLUSIVE: "?", Outcome.SKIPPED: "–"}
_COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.INCONCLUSIVE: "yellow", Outcome.SKIPPED: "cyan"}
_WORDS = {
    Outcome.PASSED: msg("passed"),
    Outcome.FAILED: msg("failed"),
    Outcome.INCONCLUSIVE: msg("inconclusive"),
    Outcome.SKIPPED: msg("skipped"),
}


def result_lines(result: TestResult, language: NullTranslations, style: Style, place: str | None = None) -> str:
    """Return one operator's result as text.

    Args:
        result: what was found.
        language: of the texts.
        style: how to paint.
        place: `file:line:column` of the field to change, for a failure.
    """

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    colour = _COLOURS[result.outcome]
    word = say(_WORDS[result.outcome])
    stages = " · ".join(_stage(stage, style) for stage in result.stages)
    lines = [f"{style.paint(_MARKS[result.outcome] + ' ' + for_terminal(result.operator), colour, bold=True)}  {word}  {stages}".rstrip()]
    if result.skipped is not None:
        lines.append(f"    {say(result.skipped)}")
    failure = result.failure
    if failure is not None:
        head = f"{failure.diagnosis.rule_id} {failure.diagnosis.name}"
        lines.append(f"    {style.paint(head, colour)}: {say(failure.detail)}")
        if failure.reply is not None:
            lines.append(f"    {say(msg('the server said'))}: {for_terminal(str(failure.reply))}")
        lines.append(f"    {say(msg('cause'))}: {say(failure.diagnosis.cause)}")
        lines.append(f"    {say(msg('remedy'))}: {say(failure.diagnosis.remedy)}")
        if place is not None:
            lines.append(f"    {say(msg('to change'))}: {for_terminal(place)} ({failure.diagnosis.path})")
    return "\n".join(lines) + "\n"


def _stage(stage: StageResult, style: Style) -> str:
    facts = [f"{stage.milliseconds} ms"]
    if stage.tls is not None and stage.tls.version:
        facts.insert(0, for_terminal(stage.tls.version))
    if stage.mechanism is not None:
        facts.insert(0, for_terminal(stage.mechanism))
    return style.paint(f"{stage.stage.value} ({', '.join(facts)})", _COLOURS[stage.outcome])


def closing_line(results: Sequence[TestResult]) -> Message:
    """Return the sentence that sums up."""
    counts = count(results)
    return msg(
        "{passed} passed, {failed} failed, {inconclusive} inconclusive, {skipped} skipped", **dict(counts.items())
    )


def count(results: Sequence[TestResult]) -> dict[str, int]:
    """Return how many results there are of each outcome."""
    return {outcome.value: sum(1 for result in results if result.outcome is outcome) for outcome in Outcome}


def as_json(results: Sequence[TestResult], evidence: Mapping[str, str]) -> str:
    """Return the results as JSON; texts stay English.

    Args:
        results: in the order they came; written in the order of names.
        evidence: operator to the file of its statement.
    """
    document = {
        "schema": SCHEMA,
        "summary": count(results),
        "results": [
            _result(result, evidence.get(result.operator)) for result in sorted(results, key=lambda item: item.operator)
        ],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _result(result: TestResult, evidence: str | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operator": result.operator,
        "digest": result.digest,
        "outcome": result.outcome.value,
        "depth": result.depth.value,
        "attempts": result.attempts,
        "milliseconds": result.milliseconds,
        "stages": [_stage_document(stage) for stage in result.stages],
        "failure": None,
        "skipped": None if result.skipped is None else str(result.skipped),
        "evidence": evidence,
    }
    failure = result.failure
    if failure is not None:
        document["failure"] = {
            "stage": failure.stage.value,
            "rule": failure.diagnosis.rule_id,
            "name": failure.diagnosis.name,
            "fault": failure.diagnosis.fault.value,
            "detail": str(failure.detail),
            "reply": _reply(failure.reply),
            "cause": str(failure.diagnosis.cause),
            "remedy": str(failure.diagnosis.remedy),
            "path": failure.diagnosis.path,
        }
    return document


def _stage_document(stage: StageResult) -> dict[str, Any]:
    document: dict[str, Any] = {
        "stage": stage.stage.value,
        "outcome": stage.outcome.value,
        "milliseconds": stage.milliseconds,
    }
    if stage.tls is not None:
        document["tls"] = tls_document(stage.tls)
    if stage.mechanism is not None:
        document["mechanism"] = stage.mechanism
    if stage.reply is not None:
        document["reply"] = _reply(stage.reply)
    return document


def tls_document(facts: TlsFacts) -> dict[str, Any]:
    """Return a TLS session and its certificate as plain data."""
    return {
        "version": facts.version,
        "cipher": facts.cipher,
        "certificate": {
            "subject": facts.subject,
            "issuer": facts.issuer,
            "not_after": None if facts.not_after is None else facts.not_after.isoformat(),
            "sha256": facts.sha256,
        },
    }


def _reply(reply: Reply | None) -> dict[str, Any] | None:
    return None if reply is None else {"code": reply.code, "enhanced": reply.enhanced, "text": reply.text}
