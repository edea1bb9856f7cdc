"""Many operators at once: in parallel over servers, one after the other over a mailbox, and only where the pins allow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cached_property

from opsmail.evidence.facts import Depth
from opsmail.live.pins import require_pins
from opsmail.live.result import Outcome, TestResult
from opsmail.live.stages import Trial, run_trial, skipped_because
from opsmail.mail.diagnosis import Diagnosis, ReplyTable
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import StageError
from opsmail.mail.submission import Deadlines, Submission
from opsmail.mail.tls import TrustStores
from opsmail.mail.transcript import Transcript
from opsmail.operator.digest import EffectiveOperator, canonical_host
from opsmail.operator.model import Operator
from opsmail.secrets import Secrets
from opsmail.settings.load import Settings


@dataclass(frozen=True, kw_only=True)
class LiveTest:
    """One run over several operators.

    Args:
        settings: of the change; they say how tests are sent, and complete the operators.
        trusted: whose catalogue decides where credentials may go.
        secrets: the schemes that resolve here.
        compose: makes the test message of an operator for a recipient.
        recipient: where test messages go.
        depth: how far to go.
    """

    settings: Settings
    trusted: Settings
    secrets: Secrets
    compose: Callable[[EffectiveOperator, str], EmailMessage]
    recipient: str
    depth: Depth = Depth.SEND

    def run(self, operators: Sequence[Operator]) -> Iterator[TestResult]:
        """Test `operators` and yield each result as it comes.

        Raises:
            NotPinnedError: one of them asks for what the trusted catalogue does not allow; then none is tested.
        """
        for operator in operators:
            require_pins(operator, self.trusted)
        # Completed by the trusted catalogue, too: what a change says of addresses and certificates does not count.
        effective = [self.trusted.effective(operator) for operator in operators]
        ready = []
        for item in effective:
            reason = skipped_because(item, self.depth)
            if reason is None:
                ready.append(item)
            else:
                yield TestResult(item.operator.operator, item.digest, Outcome.SKIPPED, self.depth, skipped=reason)
        yield from self._run_all(ready)

    def _run_all(self, effective: Sequence[EffectiveOperator]) -> Iterator[TestResult]:
        live = self.settings.file.live
        turns = _Turns(effective, live.per_host)
        trust = TrustStores()
        active: set[Submission] = set()
        lock = threading.Lock()
        stopped = threading.Event()

        def one(item: EffectiveOperator) -> TestResult:
            with turns.turn(item):
                transcript = Transcript()
                submission = self._submission(item, trust, transcript)
                with lock:
                    if stopped.is_set():
                        submission.abort()
                    active.add(submission)
                try:
                    return run_trial(self._trial(item), submission, transcript, self.secrets, self._diagnose)
                finally:
                    with lock:
                        active.discard(submission)

        pool = ThreadPoolExecutor(max_workers=min(live.concurrency, max(1, len(effective))), thread_name_prefix="live")
        pending = {pool.submit(one, item) for item in effective}
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            # Interrupted, or the caller has enough: whoever still talks to a server hangs up.
            stopped.set()
            with lock:
                for submission in active:
                    submission.abort()
            pool.shutdown(wait=True, cancel_futures=True)

    def _submission(self, item: EffectiveOperator, trust: TrustStores, transcript: Transcript) -> Submission:
        seconds = float(self.settings.file.live.timeout_seconds)
        domain = item.operator.sender.address.rpartition("@")[2]
        deadlines = Deadlines(total=seconds)
        return Submission(Endpoint.of(item), trust, deadlines, client_name=domain, observer=transcript)

    def _trial(self, item: EffectiveOperator) -> Trial:
        return Trial(item, self.recipient, self.compose(item, self.recipient), self.depth)

    def _diagnose(self, error: StageError, endpoint: Endpoint) -> Diagnosis:
        return self._replies.diagnose(error, endpoint)

    @cached_property
    def _replies(self) -> ReplyTable:
        return ReplyTable.load()


class _Turns:
    """Who may talk when: one conversation per mailbox, so that a wrong password is tried once, and a few per server."""

    def __init__(self, effective: Sequence[EffectiveOperator], per_host: int) -> None:
        self._mailboxes = {_mailbox(item): threading.Lock() for item in effective}
        self._hosts = {_host(item): threading.BoundedSemaphore(per_host) for item in effective}

    def turn(self, item: EffectiveOperator) -> ExitStack:
        """Wait for the mailbox, then for the server; in this order for everyone, so nobody waits in a circle."""
        stack = ExitStack()
        stack.enter_context(self._mailboxes[_mailbox(item)])
        stack.enter_context(self._hosts[_host(item)])
        return stack


def _host(item: EffectiveOperator) -> str:
    return canonical_host(item.operator.server.host)


def _mailbox(item: EffectiveOperator) -> tuple[str, str]:
    operator = item.operator
    return _host(item), (operator.username or operator.sender.address).lower()
