"""How a command makes a generation: who makes it, which key signs it, and what an attempt before has come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opsmail.cli.attempts import Attempts
from opsmail.cli.ci import Run
from opsmail.cli.consent import LONGEST_REASON
from opsmail.cli.proofs import generation_verifier, now, sign_generation, signing_key
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.cli.trusting import TrustChange
from opsmail.errors import OpsmailError
from opsmail.evidence.facts import format_time
from opsmail.evidence.keys import SigningKey
from opsmail.evidence.statement import Kind
from opsmail.messages import Message, msg, msgn
from opsmail.publish.gate import Refusal
from opsmail.publish.marks import Mark, MarkKind
from opsmail.publish.plan import Plan
from opsmail.publish.publisher import Act, Circumstances, Proofs, publish, record_refusal
from opsmail.secrets import open_secrets
from opsmail.settings.trust import record
from opsmail.store.generation import Generation, Published
from opsmail.store.interface import Store

_RULESET = "1"
#: Names or reasons that one event repeats.
MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class Publishing:
    """What the commands have in common that make a generation.

    Args:
        session: how to speak.
        revision: the commit, whose settings say which keys count.
        run: who acts.
        store: where to.
    """

    session: Session
    revision: Revision
    run: Run
    store: Store

    def circumstances(self, act: Act, reason: str) -> Circumstances:
        """Return what a generation that is made now says of how it came about."""
        settings = self.revision.settings
        return Circumstances(
            actor=self.run.actor,
            time=format_time(now()),
            ruleset=_RULESET,
            required=tuple(kind.value for kind in settings.file.gate.require),
            reason=reason,
            act=act,
            trust=record(settings),
        )

    def key(self) -> SigningKey:
        """Return the key that signs generations.

        Raises:
            OpsmailError: there is none here, or its signature would not count.
        """
        return signing_key(self.revision.settings, open_secrets(), Kind.GENERATION)

    def publish(
        self,
        published: Published,
        plan: Plan,
        wanted: Mapping[str, bytes],
        proofs: Proofs,
        circumstances: Circumstances,
        key: SigningKey,
    ) -> Generation:
        """Publish, and keep a note of the attempt until it is known what came of it; see `publisher.publish`."""
        attempts = Attempts(self.session.root)

        def sign(facts: Generation) -> bytes:
            envelope = sign_generation(facts, key)
            attempts.begin(facts, envelope)
            return envelope

        generation = publish(
            self.store,
            published,
            plan,
            wanted,
            proofs,
            circumstances,
            sign=sign,
            verify=generation_verifier(self.revision.settings),
        )
        attempts.end(generation.environment)
        return generation

    def tell_earlier(self) -> None:
        """Say what came of an attempt that nobody heard the end of."""
        earlier = Attempts(self.session.root).outcome(self.store, self.revision.settings.environment)
        if earlier is not None:
            self.session.console.say(earlier)

    def refuse(
        self, published: Published, plan: Plan, circumstances: Circumstances, refusals: Sequence[Refusal]
    ) -> None:
        """Say everything that stands in the way, and put the refusal into the event log."""
        console = self.session.console
        tell(self.session, refusals, msg("refused"))
        console.say(
            msgn("nothing was published: {count} reason", "nothing was published: {count} reasons", len(refusals))
        )
        reasons = [str(_told(refusal)) for refusal in refusals]
        try:
            record_refusal(self.store, published.head, plan, circumstances, reasons)
        except OpsmailError as error:
            # It stays a refusal, whatever becomes of the log.
            console.say(msg("the refusal was not recorded: {reason}", reason=error.message))


def mark_of(kind: MarkKind, published: Published, circumstances: Circumstances) -> Mark:
    """Return a mark that the next generation sets."""
    return Mark(
        kind=kind,
        generation=published.head.number + 1,
        actor=circumstances.actor,
        time=circumstances.time,
        reason=circumstances.reason,
    )


def with_event(circumstances: Circumstances, kind: str, facts: Mapping[str, object]) -> Circumstances:
    """Return circumstances with one more event that says who and when."""
    told = {**facts, "actor": circumstances.actor, "time": circumstances.time, "reason": circumstances.reason}
    return replace(circumstances, also=(*circumstances.also, (kind, told)))


def with_accepted(circumstances: Circumstances, trust: TrustChange) -> Circumstances:
    """Return circumstances with the event that tells which settings were accepted; the same where none had to be."""
    if not trust.loosened:
        return circumstances
    allowed = [str(what)[:LONGEST_REASON] for what in trust.loosened[:MOST_TOLD]]
    return with_event(circumstances, "accept-settings", {"settings": trust.digest, "allowed": allowed})


def tell(session: Session, refusals: Sequence[Refusal], word: Message) -> None:
    """Say why operators, or the whole, do not go live."""
    for refusal in refusals:
        session.console.error(OpsmailError(_told(refusal), hint=refusal.hint), word=word)


def _told(refusal: Refusal) -> Message:
    if refusal.operator is None:
        return refusal.message
    return msg("{operator}: {message}", operator=refusal.operator, message=refusal.message)
