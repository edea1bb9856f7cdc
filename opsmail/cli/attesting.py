"""Evidence for the tests that passed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opsmail import __version__
from opsmail.cli.ci import Run
from opsmail.cli.proofs import now, signing_key
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import OpsmailError
from opsmail.evidence.envelope import sign
from opsmail.evidence.files import FOLDER, write_envelope
from opsmail.evidence.keys import SigningKey
from opsmail.evidence.facts import Context, ServerReply, TestSend, Tls
from opsmail.evidence.statement import Kind, Statement
from opsmail.live.result import StageResult, TestResult
from opsmail.mail.peer import TlsFacts
from opsmail.mail.reply import Reply
from opsmail.messages import msg
from opsmail.secrets import Secrets

_LONGEST_TEXT = 1000


@dataclass(frozen=True)
class Attester:
    """Signs a statement for each test that passed, and keeps it in `.opsmail/evidence`.

    Args:
        root: the repository's root.
        key: signs.
        revision: what was tested.
        run: where.
    """

    root: Path
    key: SigningKey
    revision: Revision
    run: Run

    @classmethod
    def open(cls, session: Session, revision: Revision, secrets: Secrets, run: Run) -> Attester | None:
        """Return what signs; None where there is no key to sign with, which is told."""
        try:
            key = signing_key(revision.settings, secrets, Kind.TEST_SEND)
        except OpsmailError as error:
            session.console.say(msg("no evidence will be signed: {reason}", reason=error.message))
            return None
        return cls(session.root, key, revision, run)

    def attest(self, result: TestResult) -> dict[str, str]:
        """Sign that `result` passed, and return the operator with its statement's file, from the root."""
        origin = self.revision.origin()
        context = Context(
            repository=origin.repository,
            environment=self.revision.settings.environment,
            settings_digest=origin.settings_digest,
            time=now(),
            version=__version__,
            commit=origin.commit,
            run=self.run.url,
        )
        statement = Statement.test_send(result.operator, result.digest, context, _facts(result))
        path = write_envelope(self.root / FOLDER, sign(statement, self.key))
        return {result.operator: path.relative_to(self.root).as_posix()}


def _facts(result: TestResult) -> TestSend:
    tls = next((stage.tls for stage in result.stages if stage.tls is not None), None)
    return TestSend(
        depth=result.depth,
        stages=tuple(stage.stage.value for stage in result.stages),
        tls=None if tls is None else _tls(tls),
        mechanism=next((stage.mechanism for stage in result.stages if stage.mechanism is not None), None),
        reply=_last_reply(result.stages),
        message_id=result.message_id,
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


def _last_reply(stages: tuple[StageResult, ...]) -> ServerReply | None:
    reply: Reply | None = next((stage.reply for stage in reversed(stages) if stage.reply is not None), None)
    if reply is None:
        return None
    return ServerReply(code=reply.code, enhanced=reply.enhanced, text=reply.text[:_LONGEST_TEXT])
