"""The test of one operator, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from opsmail.findings import RuleMeta, Severity
from opsmail.evidence.facts import Depth
from opsmail.live.result import Failure, Outcome, StageResult, TestResult
from opsmail.mail.diagnosis import Diagnosis, Fault
from opsmail.mail.endpoint import Credentials, Endpoint
from opsmail.mail.failure import Stage, StageError
from opsmail.mail.peer import TlsFacts
from opsmail.mail.reply import Reply
from opsmail.mail.submission import Submission
from opsmail.mail.transcript import Transcript
from opsmail.messages import Message, msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import BasicAuthentication, ModernAuthentication
from opsmail.secrets import SecretError, Secrets, password

Clock = Callable[[], float]
#: Says what a stage's error at an endpoint means.
Diagnose = Callable[[StageError, Endpoint], Diagnosis]
UNRESOLVABLE_SECRET = RuleMeta("OM606", "unresolvable-secret", Severity.ERROR)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one operator's test needs.

    Args:
        effective: the operator with its connection.
        recipient: where the test message goes.
        message: the test message.
        depth: how far to go.
    """

    effective: EffectiveOperator
    recipient: str
    message: EmailMessage
    depth: Depth


def run_trial(
    trial: Trial,
    submission: Submission,
    transcript: Transcript,
    secrets: Secrets,
    diagnose: Diagnose,
    clock: Clock = time.monotonic,
) -> TestResult:
    """Test one operator and return what was found; a failing stage ends it.

    Args:
        trial: what to test. That the destination is allowed has been checked before.
        submission: a fresh conversation with the operator's server.
        transcript: the observer that the submission was given.
        secrets: resolved only once the server has proven who it is.
        diagnose: says what a failed stage means.
        clock: in seconds.
    """
    runner = _Runner(trial, submission, secrets, diagnose, clock)
    started = clock()
    failure = runner.run()
    operator = trial.effective.operator
    return TestResult(
        operator=operator.operator,
        digest=trial.effective.digest,
        outcome=Outcome.PASSED if failure is None else failure.outcome,
        depth=trial.depth,
        stages=tuple(runner.stages),
        milliseconds=round((clock() - started) * 1000),
        failure=failure,
        message_id=str(trial.message["Message-ID"]) if trial.depth is Depth.SEND else None,
        transcript=tuple(str(line) for line in transcript.lines),
    )


class _Runner:
    def __init__(
        self, trial: Trial, submission: Submission, secrets: Secrets, diagnose: Diagnose, clock: Clock
    ) -> None:
        self.trial = trial
        self.submission = submission
        self.secrets = secrets
        self.diagnose = diagnose
        self.clock = clock
        self.stages: list[StageResult] = []

    def run(self) -> Failure | None:
        """Go through the stages; return why they ended early."""
        steps: tuple[tuple[Stage, Depth, Callable[[], _Facts]], ...] = (
            (Stage.RESOLVE, Depth.RESOLVE, self._resolve),
            (Stage.CONNECT, Depth.TLS, self._connect),
            (Stage.TLS, Depth.TLS, self._secure),
            (Stage.AUTHENTICATE, Depth.AUTHENTICATE, self._authenticate),
            (Stage.ENVELOPE, Depth.ENVELOPE, self._envelope),
            (Stage.SEND, Depth.SEND, self._send),
        )
        with self.submission:
            for stage, depth, step in steps:
                if not self.trial.depth.reaches(depth) or self._is_absent(stage):
                    continue
                failure = self._step(stage, step)
                if failure is not None:
                    return failure
            self.submission.quit()
        return None

    def _is_absent(self, stage: Stage) -> bool:
        """An internal relay may have neither TLS nor login; a stage that does not exist is not one that passed."""
        operator = self.trial.effective.operator
        return (stage is Stage.TLS and self.submission.endpoint.encryption == "none") or (
            stage is Stage.AUTHENTICATE and operator.username is None
        )

    def _step(self, stage: Stage, step: Callable[[], _Facts]) -> Failure | None:
        started = self.clock()
        failure: Failure | None = None
        facts = _Facts()
        try:
            facts = step()
        except StageError as error:
            diagnosis = self.diagnose(error, self.submission.endpoint)
            failure = Failure(error.stage, diagnosis, error.detail, error.reply)
            facts = _Facts(tls=error.tls, reply=error.reply)
        except SecretError as error:
            failure = Failure(stage, unresolvable(self.trial.effective), error.message)
        outcome = Outcome.PASSED if failure is None else failure.outcome
        milliseconds = round((self.clock() - started) * 1000)
        self.stages.append(StageResult(stage, outcome, milliseconds, facts.tls, facts.mechanism, facts.reply))
        return failure

    def _resolve(self) -> _Facts:
        self.submission.resolve()
        return _Facts()

    def _connect(self) -> _Facts:
        self.submission.connect()
        return _Facts()

    def _secure(self) -> _Facts:
        return _Facts(tls=self.submission.secure())

    def _authenticate(self) -> _Facts:
        done = self.submission.authenticate(self._credentials())
        return _Facts(mechanism=done.mechanism, reply=done.reply)

    def _credentials(self) -> Credentials:
        authentication = self.trial.effective.operator.authentication
        if not isinstance(authentication, BasicAuthentication):
            raise TypeError(authentication)  # `skipped_because` has sent the others away
        secret = password(self.secrets.resolve(authentication.password), authentication.password)
        return Credentials(authentication.username, secret)

    def _envelope(self) -> _Facts:
        self.submission.envelope(
            self.trial.effective.operator.sender.address, [self.trial.recipient], self.trial.message
        )
        return _Facts()

    def _send(self) -> _Facts:
        return _Facts(reply=self.submission.send(self.trial.message))


@dataclass(frozen=True, slots=True)
class _Facts:
    tls: TlsFacts | None = None
    mechanism: str | None = None
    reply: Reply | None = None


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


def skipped_because(effective: EffectiveOperator, depth: Depth) -> Message | None:
    """Return why an operator cannot be tested by this version, None when it can."""
    if isinstance(effective.operator.authentication, ModernAuthentication) and depth.reaches(Depth.AUTHENTICATE):
        return msg("modern authentication cannot be tested yet; `--depth tls` tests the way to the server")
    return None
