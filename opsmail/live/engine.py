"""Many operators at once: in parallel over servers, one after the other over a mailbox, and only where pins allow."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import field, replace
from functools import cached_property

from opsmail.addresses import AddressError, parse_address
from opsmail.evidence.facts import Depth
from opsmail.live.limits import Limits
from opsmail.live.pins import require_pinned_peer, require_pins
from opsmail.live.probe import Probe
from opsmail.live.result import Outcome, TestResult
from opsmail.live.retries import WAITS, pause_before
from opsmail.live.trial import Compose, Trial, Watch, unwatched
from opsmail.live.turns import Turns
from opsmail.mail.diagnosis import Diagnosis, ReplyTable
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import StageError
from opsmail.mail.oauth.proxy import Proxy
from opsmail.mail.oauth.tokens import Tokens
from opsmail.mail.protocol import NEUTRAL_NAME
from opsmail.mail.submission import Deadlines, Submission
from opsmail.mail.tls import TrustStores
from opsmail.mail.transcript import Line, Transcript
from opsmail.mail.transport import Deadline
from opsmail.messages import Message, msg
from opsmail.operator.digest import EffectiveOperator
from opsmail.operator.model import Operator
from opsmail.providers import Providers, load_providers
from opsmail.secrets import Secrets
from opsmail.settings.load import Settings
from opsmail.values import dataclass


@dataclass(frozen=True, kw_only=True)
class LiveTest:
    """One run over several operators.

    Args:
        settings: how tests are sent, and the catalogue that decides where credentials may go.
        secrets: the schemes that resolve here.
        compose: makes the test message of an operator.
        recipient: where test messages go; not looked at where `depth` is less than the envelope.
        depth: how far to go.
        seconds: for the whole run; None for as long as it takes. What goes on then is stopped, what has not begun is
            skipped.
        providers: whose limits are kept.
        waits: seconds before the second and each further attempt, before jitter.
        watch: is told of each operator's stages as they end, those of each attempt.
    """

    settings: Settings
    secrets: Secrets
    compose: Compose
    recipient: str
    depth: Depth = Depth.SEND
    seconds: float | None = None
    providers: Providers = field(default_factory=load_providers)
    waits: tuple[float, ...] = WAITS
    watch: Watch = unwatched

    def run(self, operators: Sequence[Operator]) -> Generator[TestResult, None, None]:
        """Test `operators` and return a generator of the results as they come; see `batches`."""
        return _singly(self.batches(operators))

    def batches(
        self, operators: Sequence[Operator], patience: float | None = None
    ) -> Generator[Sequence[TestResult], None, None]:
        """Test `operators` and return a generator of the results as they come, those together that came together.

        Closing it, or an exception in it, ends all conversations within a second.

        Args:
            operators: who is tested.
            patience: seconds after which a batch comes that may be empty, so that whoever waits can do something else;
                None for as long as it takes.

        Raises:
            NotPinnedError: one of them, or the probe mailbox, asks for what the catalogue does not allow; then none is
                tested.
            UsageError: a receipt is wanted, and there is no probe mailbox.
        """
        require_pins(operators, self.settings)
        trust, proxy = TrustStores(), self.settings.file.live.proxy
        tokens = Tokens(self.secrets, trust, proxy=None if proxy is None else Proxy.parse(proxy))
        probe = Probe(self.settings, self.secrets, trust) if self.depth.reaches(Depth.RECEIPT) else None
        shared = _Shared(trust, tokens, probe, _Conversations())
        return self._batches([self.settings.effective(operator) for operator in operators], shared, patience)

    def _batches(
        self, operators: Sequence[EffectiveOperator], shared: _Shared, patience: float | None
    ) -> Generator[Sequence[TestResult], None, None]:
        live = self.settings.file.live
        turns = Turns(operators, Limits(live.per_host, self.providers, self.depth.reaches(Depth.SEND)))
        pool = ThreadPoolExecutor(live.concurrency, thread_name_prefix="live")
        talking: dict[Future[TestResult], EffectiveOperator] = {}
        end = None if self.seconds is None else time.monotonic() + self.seconds

        def start() -> None:
            while len(talking) < live.concurrency and (item := turns.take()) is not None:
                talking[pool.submit(self._test, item, shared)] = item

        try:
            start()
            while talking or turns.rest() is not None:
                # Where there is no room anyway, who has rested waits for an end too.
                rested = turns.rest() if len(talking) < live.concurrency else None
                left = None if end is None else max(0.0, end - time.monotonic())
                waits = (wait for wait in (rested, left, patience) if wait is not None)
                done = _wait(talking, min(waits, default=None))
                results = []
                if end is not None and time.monotonic() >= end:
                    end = None
                    shared.stop()
                    results += [self._late(item) for item in turns.give_up()]
                for future in done:
                    item, result = talking.pop(future), future.result()
                    results.append(result)
                    if result.login_refused:
                        # Each further failure brings the account nearer to being locked.
                        results += [self._spared(other, item) for other in turns.withdraw(item)]
                    turns.end(item)
                # Before the results are handed out: whoever gets them may take a while.
                start()
                yield results
        finally:
            shared.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            shared.close()

    def _test(self, item: EffectiveOperator, shared: _Shared) -> TestResult:
        """Test an operator, again where that is allowed and may help; everything together has one deadline."""
        live, began = self.settings.file.live, time.monotonic()
        deadline = Deadline(live.timeout_seconds)
        said: tuple[str, ...] = ()
        attempt = 1
        while True:
            result = self._attempt(item, deadline.end - time.monotonic(), shared)
            said += result.transcript
            pause = pause_before(attempt + 1, self.waits)
            # What would be cut off says less than what the server said now.
            fits = pause + result.milliseconds / 1000 < deadline.end - time.monotonic()
            allowed = result.failure is not None and result.failure.may_pass_again and attempt <= live.retries
            if not (allowed and fits) or shared.conversations.stopped.wait(pause):
                took = round((time.monotonic() - began) * 1000)
                return replace(result, attempts=attempt, milliseconds=took, transcript=said)
            attempt += 1
            said += (str(Line("*", f"attempt {attempt}, after {pause:.1f} s")),)

    def _attempt(self, item: EffectiveOperator, seconds: float, shared: _Shared) -> TestResult:
        transcript = Transcript()
        submission = Submission(
            Endpoint.of(item),
            shared.trust,
            Deadlines(total=seconds),
            client_name=_client_name(item.operator),
            observer=transcript,
        )
        trial = Trial(
            effective=item,
            recipient=self.recipient,
            depth=self.depth,
            compose=self.compose,
            secrets=self.secrets,
            tokens=shared.tokens,
            probe=shared.probe,
            watch=self.watch,
            confirm=lambda connected: require_pinned_peer(connected, item.operator, self.settings),
            diagnose=self._diagnose,
        )
        with shared.conversations.going(submission):
            return trial.run(submission, transcript)

    def _late(self, item: EffectiveOperator) -> TestResult:
        return self._skipped(
            item, msg("the time for the run, {seconds} s, was over before its turn", seconds=self.seconds)
        )

    def _spared(self, item: EffectiveOperator, refused: EffectiveOperator) -> TestResult:
        name = refused.operator.operator
        return self._skipped(
            item, msg("the same login has just been refused for `{operator}`; once is enough", operator=name)
        )

    def _skipped(self, item: EffectiveOperator, reason: Message) -> TestResult:
        return TestResult(
            operator=item.operator.operator,
            digest=item.digest,
            outcome=Outcome.SKIPPED,
            depth=self.depth,
            attempts=0,
            skipped=reason,
        )

    def _diagnose(self, error: StageError, endpoint: Endpoint) -> Diagnosis:
        return self._replies.diagnose(error, endpoint)

    @cached_property
    def _replies(self) -> ReplyTable:
        return ReplyTable.load()


def _singly(batches: Generator[Sequence[TestResult], None, None]) -> Generator[TestResult, None, None]:
    with closing(batches):
        for batch in batches:
            yield from batch


def _wait(talking: Collection[Future[TestResult]], seconds: float | None) -> set[Future[TestResult]]:
    """Return who has come to an end; nobody where that takes longer than `seconds`."""
    if talking:
        return wait(talking, seconds, return_when=FIRST_COMPLETED).done
    time.sleep(seconds or 0)
    return set()


class _Conversations:
    """Those that are going on, so that all of them can be ended at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._going: set[Submission] = set()
        #: Set once all of them have been ended.
        self.stopped = threading.Event()

    @contextmanager
    def going(self, submission: Submission) -> Iterator[None]:
        with self._lock:
            if self.stopped.is_set():
                submission.abort()
            self._going.add(submission)
        try:
            yield
        finally:
            with self._lock:
                self._going.discard(submission)

    def stop(self) -> None:
        """Make whoever talks to a server hang up, now and from now on."""
        with self._lock:
            self.stopped.set()
            for submission in self._going:
                submission.abort()


@dataclass(frozen=True)
class _Shared:
    """What the tests of one run have in common."""

    trust: TrustStores
    tokens: Tokens
    probe: Probe | None
    conversations: _Conversations

    def stop(self) -> None:
        """Make whoever waits for anybody stop, now and from now on."""
        self.conversations.stop()
        self.tokens.abort()
        if self.probe is not None:
            self.probe.abort()

    def close(self) -> None:
        """Close what is kept open between tests; nobody talks any more."""
        if self.probe is not None:
            self.probe.close()


def _client_name(operator: Operator) -> str:
    try:
        return parse_address(operator.sender.address).domain
    except AddressError:
        return NEUTRAL_NAME  # that the sender is no address is told where it is sent
