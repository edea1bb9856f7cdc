"""Acme's own rules."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.interface import Context, Problem, operator_rule
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.operator.model import Operator


@operator_rule("ACME001", "no-shared-mailbox", Severity.ERROR)
def no_shared_mailbox(operator: Operator, context: Context) -> Iterator[Problem]:
    """At Acme no operator sends from the mailbox that everybody reads.

    Replies to `all@` go to four thousand people.
    """
    if operator.sender.address.startswith("all@"):
        yield Problem(
            "sender.address",
            msg("`{address}` is everybody's mailbox", address=operator.sender.address),
            label=msg("read by all"),
            help=msg("send from the team's own mailbox"),
        )


RULES = (no_shared_mailbox,)
