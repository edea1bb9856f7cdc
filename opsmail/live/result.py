"""What a live test found."""

from __future__ import annotations

from enum import StrEnum

from opsmail.evidence.facts import Depth
from opsmail.mail.diagnosis import Diagnosis
from opsmail.mail.failure import Stage
from opsmail.mail.oauth.answers import OAuthError
from opsmail.mail.oauth.claims import Claims
from opsmail.mail.peer import TlsFacts
from opsmail.mail.receipt import Receipt
from opsmail.mail.reply import Reply
from opsmail.messages import Message
from opsmail.values import dataclass


class Outcome(StrEnum):
    """What a test or a stage says.

    `INCONCLUSIVE` proves nothing either way. `SKIPPED` was not tried, such as a login that has just been refused to
    somebody else, and is never counted as passed.
    """

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage of a test.

    Args:
        stage: which one.
        outcome: what it says.
        milliseconds: how long it took.
        tls: the session and certificate, for the stage that made them.
        mechanism: the SASL mechanism, for the login.
        reply: the server's answer, for the stages that end with one.
        claims: what the access token says, for the stage that got one.
        receipt: how the message arrived, for the stage that looked.
    """

    stage: Stage
    outcome: Outcome
    milliseconds: int
    tls: TlsFacts | None = None
    mechanism: str | None = None
    reply: Reply | None = None
    claims: Claims | None = None
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test did not pass.

    Args:
        stage: where it ended.
        diagnosis: which rule, cause, remedy, field and whose fault.
        detail: what happened, in one sentence.
        reply: what the server said, if anything.
        oauth: the identity provider's refusal, if it gave one.
        challenge: the error that the server told inside a bearer exchange, as JSON.
        may_pass_again: whether another attempt is allowed and may pass.
    """

    stage: Stage
    diagnosis: Diagnosis
    detail: Message
    reply: Reply | None = None
    oauth: OAuthError | None = None
    challenge: str | None = None
    may_pass_again: bool = False

    @property
    def outcome(self) -> Outcome:
        """Failed where the settings or the provider have to change, inconclusive where another try may pass."""
        return Outcome.FAILED if self.diagnosis.fault.conclusive else Outcome.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class TestResult:
    """The test of one operator.

    Args:
        operator: its id.
        digest: of the effective operator that was tested, `sha256:` and hex.
        outcome: what the test says.
        depth: how far it was to go.
        stages: in their order, as far as it got.
        milliseconds: all together.
        attempts: how often it was tried; the stages are those of the last time.
        failure: why it did not pass; None for one that did.
        skipped: why it was not tried; None for one that was.
        message_id: the test message's; None where none was to be handed over.
        recipient: whom the message was for; None where nobody was to be named.
        transcript: what was said, without secrets.
    """

    __test__ = False  # not a test case, whatever pytest thinks of the name

    operator: str
    digest: str
    outcome: Outcome
    depth: Depth
    stages: tuple[StageResult, ...] = ()
    milliseconds: int = 0
    attempts: int = 1
    failure: Failure | None = None
    skipped: Message | None = None
    message_id: str | None = None
    recipient: str | None = None
    transcript: tuple[str, ...] = ()

    @property
    def login_refused(self) -> bool:
        """Whether the server said no to user and password, or token."""
        return self.failure is not None and self.failure.stage is Stage.AUTHENTICATE and self.failure.reply is not None
