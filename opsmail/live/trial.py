"""The test of one operator, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cached_property, partial

from opsmail.evidence.facts import Depth
from opsmail.findings import RuleMeta, Severity
from opsmail.live.probe import Probe
from opsmail.live.result import Failure, Outcome, StageResult, TestResult
from opsmail.live.retries import may_pass_again
from opsmail.mail.diagnosis import Diagnosis, Fault
from opsmail.mail.endpoint import BearerCredentials, Credentials, Endpoint
from opsmail.mail.failure import Failure as MailFailure
from opsmail.mail.failure import Kind, Stage, StageError
from opsmail.mail.message import TestMessage
from opsmail.mail.oauth.claims import Claims
from opsmail.mail.oauth.tokens import AccessToken, Tokens
from opsmail.mail.peer import TlsFacts
from opsmail.mail.receipt import Receipt
from opsmail.mail.reply import Reply
from opsmail.mail.submission import Submission
from opsmail.mail.transcript import Transcript
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import ModernAuthentication, NoAuthentication
from opsmail.secrets import SecretError, Secrets, password
from opsmail.values import dataclass

Clock = Callable[[], float]
#: Makes the test message of an operator for a recipient.
Compose = Callable[[EffectiveOperator, str], TestMessage]
#: Is told of each stage of an operator when it ends, in the thread that tests it: be quick and do not raise.
Watch = Callable[[str, StageResult], None]
#: Says what a stage's error at an endpoint means.
Diagnose = Callable[[StageError, Endpoint], Diagnosis]
#: Returns when a connection leads where the operator's credential may go, and raises otherwise.
Confirm = Callable[[Submission], None]
UNRESOLVABLE_SECRET = RuleMeta("OM606", "unresolvable-secret", Severity.ERROR)


def unwatched(operator: str, stage: StageResult) -> None:
    """Watch nothing: the result tells all stages when it is there."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a stage has shown."""

    tls: TlsFacts | None = None
    mechanism: str | None = None
    reply: Reply | None = None
    claims: Claims | None = None
    receipt: Receipt | None = None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One operator's test. That its destination is allowed has been checked before.

    Args:
        effective: the operator with its connection.
        recipient: where the test message goes.
        depth: how far to go.
        compose: makes the test message.
        secrets: resolved only once the server has proven who it is.
        tokens: where access tokens come from, at the same moment.
        confirm: asked right before a secret is read.
        diagnose: says what a failed stage means.
        probe: where the message is looked for; None where it is not.
        watch: is told of each stage when it ends.
        clock: in seconds.
    """

    effective: EffectiveOperator
    recipient: str
    depth: Depth
    compose: Compose
    secrets: Secrets
    tokens: Tokens
    confirm: Confirm
    diagnose: Diagnose
    probe: Probe | None = None
    watch: Watch = unwatched
    clock: Clock = time.monotonic

    def run(self, submission: Submission, transcript: Transcript) -> TestResult:
        """Test the operator and return what was found; a failing stage ends it.

        Args:
            submission: a fresh conversation with the operator's server.
            transcript: the observer that the submission was given.
        """
        talk = _Talk(self, submission, transcript)
        started = self.clock()
        failure = talk.run()
        return TestResult(
            operator=self.effective.operator.operator,
            digest=self.effective.digest,
            outcome=Outcome.PASSED if failure is None else failure.outcome,
            depth=self.depth,
            stages=tuple(talk.stages),
            milliseconds=round((self.clock() - started) * 1000),
            failure=failure,
            message_id=talk.message_id,
            recipient=self.recipient if self.depth.reaches(Depth.ENVELOPE) else None,
            transcript=tuple(str(line) for line in transcript.lines),
        )


class _Talk:
    """A trial while it runs."""

    def __init__(self, trial: Trial, submission: Submission, transcript: Transcript) -> None:
        self.trial = trial
        self.submission = submission
        self.transcript = transcript
        self.operator = trial.effective.operator
        self.stages: list[StageResult] = []
        self.token: AccessToken | None = None
        #: Of the message that was handed over, or was about to be.
        self.message_id: str | None = None

    def run(self) -> Failure | None:
        """Go through the stages; return why they ended early."""
        with self.submission:
            for stage, step in self._steps():
                failure = self._step(stage, step)
                if failure is not None:
                    return failure
            self.submission.quit()
        return None

    def _steps(self) -> Iterator[tuple[Stage, Callable[[], _Facts]]]:
        """Yield the stages of this trial: without those beyond its depth, and those that an internal relay has not."""
        depth = self.trial.depth
        yield Stage.RESOLVE, self._resolve
        if depth.reaches(Depth.TLS):
            yield Stage.CONNECT, self._connect
            if self.submission.endpoint.encryption != "none":
                yield Stage.TLS, self._secure
        if depth.reaches(Depth.AUTHENTICATE):
            if isinstance(self.operator.authentication, ModernAuthentication):
                yield Stage.TOKEN, self._obtain
            if not isinstance(self.operator.authentication, NoAuthentication):
                yield Stage.AUTHENTICATE, self._authenticate
        if depth.reaches(Depth.ENVELOPE):
            yield Stage.ENVELOPE, self._envelope
        if depth.reaches(Depth.SEND):
            yield Stage.SEND, self._send
        if self.trial.probe is not None:
            yield Stage.RECEIPT, partial(self._receive, self.trial.probe)

    def _step(self, stage: Stage, step: Callable[[], _Facts]) -> Failure | None:
        clock = self.trial.clock
        started = clock()
        failure: Failure | None = None
        facts = _Facts()
        try:
            facts = step()
        except StageError as error:
            diagnosis = self.trial.diagnose(error, self._endpoint(stage))
            challenge = self.submission.authentication_error if stage is Stage.AUTHENTICATE else None
            again = may_pass_again(error)
            failure = Failure(stage, diagnosis, error.detail, error.reply, error.oauth, challenge, again)
            facts = _Facts(tls=error.tls, reply=error.reply)
        except SecretError as error:
            unresolved = PROBE_SECRET if stage is Stage.RECEIPT else unresolvable(self.trial.effective)
            failure = Failure(stage, unresolved, error.message)
        outcome = Outcome.PASSED if failure is None else failure.outcome
        milliseconds = round((clock() - started) * 1000)
        self.stages.append(
            StageResult(
                stage, outcome, milliseconds, facts.tls, facts.mechanism, facts.reply, facts.claims, facts.receipt
            )
        )
        self.trial.watch(self.operator.operator, self.stages[-1])
        return failure

    def _endpoint(self, stage: Stage) -> Endpoint:
        probe = self.trial.probe
        return probe.endpoint if stage is Stage.RECEIPT and probe is not None else self.submission.endpoint

    def _resolve(self) -> _Facts:
        self.submission.resolve()
        return _Facts()

    def _connect(self) -> _Facts:
        self.submission.connect()
        return _Facts()

    def _secure(self) -> _Facts:
        return _Facts(tls=self.submission.secure())

    def _obtain(self) -> _Facts:
        self.trial.confirm(self.submission)
        self.token = self.submission.obtain(partial(self.trial.tokens.fetch, self.trial.effective))
        return _Facts(claims=self.token.claims)

    def _authenticate(self) -> _Facts:
        self.trial.confirm(self.submission)
        done = self.submission.authenticate(self._credentials())
        return _Facts(mechanism=done.mechanism, reply=done.reply)

    def _credentials(self) -> Credentials | BearerCredentials:
        username = self.operator.username or ""
        if self.token is not None:
            return BearerCredentials(username, self.token.token)
        ((_, reference),) = self.operator.references()
        return Credentials(username, password(self.trial.secrets.resolve(reference), reference))

    def _envelope(self) -> _Facts:
        self.submission.envelope(self.operator.sender.address, [self.trial.recipient], self.message.content)
        return _Facts()

    @cached_property
    def message(self) -> TestMessage:
        """The one that the envelope is made for and that is handed over."""
        return self.trial.compose(self.trial.effective, self.trial.recipient)

    def _send(self) -> _Facts:
        self.message_id = self.message.message_id
        return _Facts(reply=self.submission.send(self.message.content))

    def _receive(self, probe: Probe) -> _Facts:
        self.submission.quit()  # its server does not wait with us
        try:
            receipt = probe.wait_for(str(self.message_id), self.transcript)
        except MailFailure as failure:
            raise failure.at(Stage.RECEIPT) from None
        sender = self.operator.sender.address
        if not receipt.is_from(sender):
            detail = msg("it arrived from {found}, not from {sender}", found=receipt.sender, sender=sender)
            raise MailFailure(Kind.SENDER_REWRITTEN, detail).at(Stage.RECEIPT)
        return _Facts(receipt=receipt)


#: What it means when the secret of the probe mailbox does not resolve on this machine.
PROBE_SECRET = Diagnosis(
    rule=UNRESOLVABLE_SECRET,
    cause=msg("the secret of the probe mailbox does not resolve here, so nobody can see whether the message arrived"),
    remedy=msg("store it where this machine looks for it, under the name that `[live.probe]` gives"),
    path="",
    fault=Fault.ENVIRONMENT,
)


def unresolvable(effective: EffectiveOperator) -> Diagnosis:
    """Return the diagnosis of a secret that does not resolve on this machine."""
    path = next((path for path, _ in effective.operator.references()), "authentication")
    return Diagnosis(
        rule=UNRESOLVABLE_SECRET,
        cause=msg("the operator's secret does not resolve here"),
        remedy=msg("store it where this machine looks for it, under the name that the file gives"),
        path=path,
        fault=Fault.ENVIRONMENT,
    )
