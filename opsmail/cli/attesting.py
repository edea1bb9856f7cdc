"""Evidence for the tests that passed."""

from __future__ import annotations

from pathlib import Path

from opsmail import __version__
from opsmail.cli.ci import Run
from opsmail.cli.proofs import now, signing_key
from opsmail.cli.session import Session
from opsmail.errors import OpsmailError
from opsmail.evidence.envelope import sign
from opsmail.evidence.facts import Context, ServerReply, TestSend, Tls
from opsmail.evidence.files import FOLDER, write_envelope
from opsmail.evidence.keys import SigningKey
from opsmail.evidence.statement import Kind, Statement
from opsmail.live.result import TestResult
from opsmail.mail.peer import TlsFacts
from opsmail.mail.reply import Reply
from opsmail.messages import msg
from opsmail.publish.plan import Origin
from opsmail.secrets import Secrets
from opsmail.settings.load import Settings
from opsmail.values import dataclass

#: What a statement keeps of a text that a server wrote.
_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Attester:
    """Signs a statement for each test that passed, and keeps it in `.opsmail/evidence`.

    Args:
        root: the repository's root.
        key: signs.
        environment: for which the tests were made.
        origin: what was tested.
        run: where.
    """

    root: Path
    key: SigningKey
    environment: str
    origin: Origin
    run: Run

    @classmethod
    def open(cls, session: Session, settings: Settings, origin: Origin, secrets: Secrets, run: Run) -> Attester | None:
        """Return what signs; None where there is no key to sign with, which is told."""
        try:
            key = signing_key(settings, secrets, Kind.TEST_SEND)
        except OpsmailError as error:
            session.console.say(msg("no evidence will be signed: {reason}", reason=error.message))
            return None
        return cls(session.root, key, settings.environment, origin, run)

    def attest(self, result: TestResult) -> str:
        """Sign that `result` passed, and return the path of its statement, from the root."""
        context = context_of(self.origin, self.environment, self.run)
        statement = Statement.test_send(result.operator, result.digest, context, _facts(result))
        path = write_envelope(self.root / FOLDER, sign(statement, self.key))
        return (FOLDER / path.name).as_posix()


def context_of(origin: Origin, environment: str, run: Run) -> Context:
    """Return what a statement that is made now says of where it comes from."""
    return Context(
        repository=origin.repository,
        environment=environment,
        settings_digest=origin.settings_digest,
        time=now(),
        version=__version__,
        commit=origin.commit,
        run=run.url,
    )


def _facts(result: TestResult) -> TestSend:
    sessions = [stage.tls for stage in result.stages if stage.tls is not None]
    mechanisms = [stage.mechanism for stage in result.stages if stage.mechanism is not None]
    replies = [stage.reply for stage in result.stages if stage.reply is not None]
    return TestSend(
        depth=result.depth,
        stages=tuple(stage.stage.value for stage in result.stages),
        tls=_tls(sessions[0]) if sessions else None,
        mechanism=mechanisms[0] if mechanisms else None,
        reply=_reply(replies[-1]) if replies else None,
        message_id=result.message_id,
        recipient=result.recipient,
    )


def _tls(facts: TlsFacts) -> Tls:
    return Tls(
        version=facts.version,
        cipher=facts.cipher,
        subject=facts.subject[:_LONGEST_TEXT],
        issuer=facts.issuer[:_LONGEST_TEXT],
        not_after=facts.not_after,
        sha256=facts.sha256,
    )


def _reply(reply: Reply) -> ServerReply:
    return ServerReply(code=reply.code, enhanced=reply.enhanced, text=reply.text[:_LONGEST_TEXT])
