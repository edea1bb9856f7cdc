"""An outside identity token that stands for a secret (federated identity): the CI system's own, or one from a place.

PyPI's `id` knows the CI systems: GitHub Actions, GitLab, Google Cloud, Buildkite, CircleCI.
"""

from __future__ import annotations

import queue
import re
import threading

from opsmail.mail.failure import Failure, Kind
from opsmail.mail.oauth.claims import payload, require_bearer
from opsmail.mail.transport import Deadline
from opsmail.messages import Message, msg, quoted
from opsmail.references import SecretReference
from opsmail.secrets import Secret, Secrets
from opsmail.values import dataclass

# How often a wait looks whether it should stop, in seconds.
_LOOK_AROUND = 0.2
# GitHub's subject of a run for a pull request: anyone who may open one gets it.
_PULL_REQUEST = re.compile(r"repo:.*:pull_request")


@dataclass(frozen=True, slots=True)
class IdentityTokens:
    """Where outside identity tokens come from.

    Args:
        audience: whom they are for.
        place: where one is kept; None for the CI system's own.
        secrets: resolve `place`.
        stopped: ends a wait early.
    """

    audience: str
    place: SecretReference | None
    secrets: Secrets
    stopped: threading.Event

    def take(self, deadline: Deadline) -> Secret:
        """Return a token, always a new one: they live for minutes.

        Raises:
            Failure: there is none here, or one that anyone may get.
            SecretError: the place does not resolve.
        """
        token = self._of_this_run(deadline) if self.place is None else self.secrets.resolve(self.place)
        _require_protected(token)
        return token

    def _of_this_run(self, deadline: Deadline) -> Secret:
        answers: queue.SimpleQueue[Secret | Message] = queue.SimpleQueue()
        # `id` waits as long as the CI system lets it wait, and cannot be interrupted.
        thread = threading.Thread(target=_ask, args=(self.audience, answers), name="identity token", daemon=True)
        thread.start()
        while not self.stopped.is_set():
            try:
                found = answers.get(timeout=min(_LOOK_AROUND, deadline.remaining()))
            except queue.Empty:
                continue
            if isinstance(found, Secret):
                return found
            raise Failure(
                Kind.IDENTITY_TOKEN_MISSING,
                msg("this run has no identity token for `{audience}` ({reason})", audience=self.audience, reason=found),
            )
        raise Failure(Kind.ABORTED, msg("stopped"))


def _ask(audience: str, answers: queue.SimpleQueue[Secret | Message]) -> None:
    """Put the token of this run into `answers`, or why there is none."""
    import id as identity

    try:
        token = identity.detect_credential(audience)
    except Exception as error:  # noqa: BLE001 - requests' and pydantic's errors come through as they are, with values in them
        answers.put(quoted(type(error).__name__))
        return
    answers.put(msg("no CI system that is known") if token is None else Secret(token))


def _require_protected(token: Secret) -> None:
    claims = payload(require_bearer(token.reveal()))
    if claims is None:
        raise Failure(Kind.IDENTITY_TOKEN_REFUSED, msg("the identity token is no JWT; it was not used"))
    subject = claims.get("sub")
    if isinstance(subject, str) and _PULL_REQUEST.fullmatch(subject):
        raise Failure(
            Kind.IDENTITY_TOKEN_REFUSED,
            msg("the identity token's subject is that of any pull request; it was not used"),
        )
