"""OM211: what IT approved until a day."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.interface import Context, Fleet, Problem, settings_rule
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.operator.digest import canonical_host


@settings_rule("OM211", "approval-overdue", Severity.WARNING)
def approval_overdue(fleet: Fleet, context: Context) -> Iterator[Problem]:
    """The day on which IT wanted to look at an approval again has passed."""
    used = {canonical_host(member.facts.host) for member in fleet.members if member.facts is not None}
    for index, entry in enumerate(context.settings.file.servers or ()):
        if entry.review_by is None or entry.review_by >= context.today:
            continue
        # Whoever checks a single file hears only of the approval that it rests on.
        if fleet.whole or canonical_host(entry.host) in used:
            yield Problem(
                f"servers.{index}.review_by",
                msg("the approval of `{host}` was to be reviewed by {date}", host=entry.host, date=entry.review_by),
                label=msg("overdue"),
                help=msg("let IT confirm the server and set a new `review_by`, or take the entry out"),
            )
