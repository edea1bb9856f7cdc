"""Results of live tests, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from gettext import NullTranslations

from opsmail.evidence.facts import format_time
from opsmail.live.result import Failure, Outcome, StageResult, TestResult
from opsmail.mail.oauth.answers import OAuthError
from opsmail.mail.oauth.claims import Claims
from opsmail.mail.peer import TlsFacts
from opsmail.mail.receipt import Receipt
from opsmail.mail.reply import Reply
from opsmail.messages import Message, msg, msgn
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.results import document
from opsmail.output.style import Style
from opsmail.shape import encode

_MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.INCONCLUSIVE: "?", Outcome.SKIPPED: "–"}
_COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.INCONCLUSIVE: "yellow", Outcome.SKIPPED: "cyan"}
#: A server's certificate that ends so soon is told of: who runs it may have forgotten.
NOTICE_DAYS = 14
#: So many lines of a transcript are shown with a failure.
_TRANSCRIPT_LINES = 40
_WORDS = {
    Outcome.PASSED: msg("passed"),
    Outcome.FAILED: msg("failed"),
    Outcome.INCONCLUSIVE: msg("inconclusive"),
    Outcome.SKIPPED: msg("skipped"),
}


def result_text(result: TestResult, language: NullTranslations, style: Style, place: str | None = None) -> str:
    """Return one operator's result: a line, and what to do about it where it did not pass.

    Args:
        result: what was found.
        language: of the texts.
        style: how to paint.
        place: `file:line:column` of the field to change, for a failure.
    """

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    colour = _COLOURS[result.outcome]
    name = style.paint(f"{_MARKS[result.outcome]} {for_terminal(result.operator)}", colour, bold=True)
    lines = [f"{name}  {say(_verdict(result))}"]
    if result.skipped is not None:
        lines.append(f"    {say(result.skipped)}")
    elif result.failure is None:
        lines[0] += "".join(f"  {for_terminal(fact)}" for fact in _facts(result))
        lines += [f"    {say(notice)}" for notice in _ends_soon(result)]
    else:
        lines += [f"    {line}" for line in _explained(result.failure, say, style, place)]
        lines += [f"    {line}" for line in _said(result.transcript, say)]
    return "\n".join(lines) + "\n"


def _verdict(result: TestResult) -> Message:
    word, milliseconds = _WORDS[result.outcome], result.milliseconds
    if result.outcome is Outcome.SKIPPED:
        return word
    if result.failure is None:
        return msg("{passed} in {milliseconds} ms", passed=word, milliseconds=milliseconds)
    stage = result.failure.stage.value
    return msg("{failed} at {stage} after {milliseconds} ms", failed=word, stage=stage, milliseconds=milliseconds)


def _facts(result: TestResult) -> list[str]:
    """Return what was seen on the way: TLS version, mechanism, the server's last answer, and the arrival."""
    versions = [stage.tls.version for stage in result.stages if stage.tls is not None]
    mechanisms = [stage.mechanism for stage in result.stages if stage.mechanism is not None]
    replies = [str(stage.reply) for stage in result.stages if stage.reply is not None]
    arrived = [fact for stage in result.stages if stage.receipt is not None for fact in _arrival(stage.receipt)]
    return [*versions, *mechanisms, *replies[-1:], *arrived]


def _ends_soon(result: TestResult) -> Iterator[Message]:
    """Yield what works today and will not for long."""
    for stage in result.stages:
        days = None if stage.tls is None else stage.tls.days_left
        if days is not None and days <= NOTICE_DAYS:
            yield msgn(
                "the server's certificate ends in {count} day, by the clock of this machine",
                "the server's certificate ends in {count} days, by the clock of this machine",
                days,
            )


def _arrival(receipt: Receipt) -> list[str]:
    verdicts = (("spf", receipt.spf), ("dkim", receipt.dkim), ("dmarc", receipt.dmarc))
    return [receipt.protocol or "–", *(f"{method}={verdict}" for method, verdict in verdicts if verdict is not None)]


def _explained(failure: Failure, say: Callable[[Message], str], style: Style, place: str | None) -> list[str]:
    diagnosis = failure.diagnosis
    rule = style.paint(f"{diagnosis.rule_id} {diagnosis.name}", _COLOURS[failure.outcome])
    lines = [f"{rule}: {say(failure.detail)}"]
    # A detail that quotes the reply says it all.
    if failure.reply is not None and str(failure.reply) not in str(failure.detail):
        lines.append(f"{say(msg('the server said'))}: {for_terminal(str(failure.reply))}")
    if failure.challenge is not None:
        lines.append(f"{say(msg('its reason'))}: {for_terminal(failure.challenge)}")
    if failure.oauth is not None:
        lines += _refusal(failure.oauth, say)
    lines.append(f"{say(msg('cause'))}: {say(diagnosis.cause)}")
    lines.append(f"{say(msg('remedy'))}: {say(diagnosis.remedy)}")
    if place is not None and diagnosis.path:
        lines.append(f"{say(msg('to change'))}: {for_terminal(place)} ({diagnosis.path})")
    return lines


def _said(transcript: Sequence[str], say: Callable[[Message], str]) -> list[str]:
    """Return the end of what was said; the whole is to be had with `--transcript`."""
    if not transcript:
        return []
    end = transcript[-_TRANSCRIPT_LINES:]
    cut = ["  …"] if len(end) < len(transcript) else []
    return [f"{say(msg('what was said'))}:", *cut, *(f"  {for_terminal(line)}" for line in end)]


def _refusal(oauth: OAuthError, say: Callable[[Message], str]) -> list[str]:
    """Return an identity provider's own words, and the id by which its support finds the request."""
    told = (
        (msg("the identity provider said"), oauth.description),
        (msg("correlation id"), oauth.correlation_id),
    )
    return [f"{say(label)}: {for_terminal(text)}" for label, text in told if text]


def closing_line(results: Sequence[TestResult]) -> Message:
    """Return the sentence that sums up."""
    return msg("{passed} passed, {failed} failed, {inconclusive} inconclusive, {skipped} skipped", **count(results))


def count(results: Sequence[TestResult]) -> dict[str, int]:
    """Return how many results there are of each outcome."""
    return {outcome.value: sum(1 for result in results if result.outcome is outcome) for outcome in Outcome}


def as_json(results: Sequence[TestResult], evidence: Mapping[str, str], *, complete: bool) -> str:
    """Return the results as JSON; texts stay English.

    Args:
        results: in the order they came; written in the order of names.
        evidence: operator to the file of its statement.
        complete: whether the run has come to its end.
    """
    whole = document.Document(
        schema=document.SCHEMA,
        complete=complete,
        summary=document.Summary(**count(results)),
        results=tuple(
            _result(result, evidence.get(result.operator)) for result in sorted(results, key=lambda item: item.operator)
        ),
    )
    return json_text(encode(whole))


def _result(result: TestResult, evidence: str | None) -> document.Result:
    return document.Result(
        operator=for_program(result.operator),
        digest=result.digest,
        outcome=result.outcome,
        depth=result.depth,
        attempts=result.attempts,
        milliseconds=result.milliseconds,
        stages=tuple(_stage(stage) for stage in result.stages),
        failure=None if result.failure is None else _failure(result.failure),
        skipped=None if result.skipped is None else _text(result.skipped),
        evidence=() if evidence is None else (evidence,),
    )


def _failure(failure: Failure) -> document.Failure:
    diagnosis = failure.diagnosis
    return document.Failure(
        stage=failure.stage,
        rule=diagnosis.rule_id,
        name=diagnosis.name,
        fault=diagnosis.fault,
        detail=_text(failure.detail),
        reply=None if failure.reply is None else _reply(failure.reply),
        challenge=None if failure.challenge is None else for_program(failure.challenge),
        oauth=None if failure.oauth is None else _oauth(failure.oauth),
        cause=_text(diagnosis.cause),
        remedy=_text(diagnosis.remedy),
        path=diagnosis.path,
    )


def _stage(stage: StageResult) -> document.StageResult:
    return document.StageResult(
        stage=stage.stage,
        outcome=stage.outcome,
        milliseconds=stage.milliseconds,
        tls=None if stage.tls is None else _tls(stage.tls),
        mechanism=None if stage.mechanism is None else for_program(stage.mechanism),
        reply=None if stage.reply is None else _reply(stage.reply),
        claims=None if stage.claims is None else _claims(stage.claims),
        receipt=None if stage.receipt is None else _receipt(stage.receipt),
    )


def _receipt(receipt: Receipt) -> document.Receipt:
    return document.Receipt(
        sender=for_program(receipt.sender),
        protocol=receipt.protocol,
        tls=receipt.tls,
        authenticated=receipt.authenticated,
        verifier=for_program(receipt.verifier),
        spf=receipt.spf,
        dkim=receipt.dkim,
        dmarc=receipt.dmarc,
    )


def _claims(claims: Claims) -> document.Claims:
    return document.Claims(
        audiences=tuple(for_program(audience) for audience in claims.audiences),
        permissions=tuple(for_program(permission) for permission in claims.permissions),
        tenant=for_program(claims.tenant),
        application=for_program(claims.application),
        expires=format_time(claims.expires),
    )


def _oauth(oauth: OAuthError) -> document.OAuth:
    return document.OAuth(
        error=for_program(oauth.error),
        codes=oauth.codes,
        description=for_program(oauth.description),
        correlation_id=for_program(oauth.correlation_id),
    )


def _tls(facts: TlsFacts) -> document.Tls:
    certificate = document.Certificate(
        subject=for_program(facts.subject),
        issuer=for_program(facts.issuer),
        not_after=None if facts.not_after is None else format_time(facts.not_after),
        sha256=facts.sha256,
        days_left=facts.days_left,
    )
    return document.Tls(version=facts.version, cipher=facts.cipher, certificate=certificate)


def _reply(reply: Reply) -> document.Reply:
    return document.Reply(code=reply.code, enhanced=reply.enhanced, text=for_program(reply.text))


def _text(message: Message) -> str:
    return for_program(str(message))
