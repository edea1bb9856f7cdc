"""Options of `publish` that allow what it would refuse, each of them one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from opsmail.cli.consent import require_text
from opsmail.cli.judging import Request
from opsmail.cli.options import Function, bundled
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.publish.limits import Allowances
from opsmail.publish.saved import SavedPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for; see the options' help.

    Args:
        allowed: which limits may be passed.
        accepted: the digest of the settings that are accepted; None where none are.
        skip_unproven: publish what is proven only.
        glass_reason: why operators go live unproven; None where none do.
        glass: which ones.
    """

    allowed: Allowances
    accepted: str | None
    skip_unproven: bool
    glass_reason: str | None
    glass: tuple[str, ...]

    def require_sense(self, *, saved: bool) -> None:
        """Return when the options go together.

        Args:
            saved: whether a saved plan is published.

        Raises:
            UsageError: they do not.
        """
        if saved and self.skip_unproven:
            raise UsageError(
                msg("a saved plan is published as it was saved or not at all"), hint=msg("leave --skip-unproven out")
            )
        if (self.glass_reason is None) != (not self.glass):
            raise UsageError(
                msg("--break-glass and --operator go together"),
                hint=msg('for example `--break-glass "Exchange is down, INC-4711" --operator rh-notificacoes`'),
            )
        if self.glass_reason is not None:
            require_text(self.glass_reason)
            if not self.glass_reason.strip():
                raise UsageError(msg("glass is not broken without a reason"), hint=msg("say it in a sentence"))

    def request(self, saved: SavedPlan | None, approved_deletes: frozenset[str]) -> Request:
        """Return what is asked for, with what a saved plan brings."""
        return Request(
            saved=saved,
            allowed=self.allowed.with_prune(approved_deletes),
            accepted=self.accepted,
            skip_unproven=self.skip_unproven,
            glass=frozenset(self.glass),
        )


def requesting_options(function: Function) -> Function:
    """Add the options, and pass what they say as `wish`."""

    @click.option(
        "--prune", multiple=True, metavar="OPERATOR", help="Delete this operator; may be given several times."
    )
    @click.option("--allow-many-updates", is_flag=True, help="Go over store.max_update_percent.")
    @click.option("--allow-many-deletes", is_flag=True, help="Go over store.max_delete_percent.")
    @click.option("--allow-many-changes", is_flag=True, help="Go over store.max_changes.")
    @click.option("--allow-empty", is_flag=True, help="Publish a fleet without operators.")
    @click.option("--allow-master-change", is_flag=True, help="Take the role of master from the present one.")
    @click.option(
        "--accept-settings",
        metavar="DIGEST",
        help="Accept that the settings with this digest allow more than those of the last publish.",
    )
    @click.option(
        "--skip-unproven",
        is_flag=True,
        help="Publish what is proven, and leave the rest as it is published; exits with 1 and lists it.",
    )
    @click.option(
        "--break-glass",
        metavar="REASON",
        help="Publish the operators of --operator without a test send; needs a key for that, and stays visible.",
    )
    @click.option("--operator", "glass", multiple=True, metavar="OPERATOR", help="With --break-glass: which operator.")
    def wrapper(
        *arguments: Any,
        prune: tuple[str, ...],
        allow_many_updates: bool,
        allow_many_deletes: bool,
        allow_many_changes: bool,
        allow_empty: bool,
        allow_master_change: bool,
        accept_settings: str | None,
        skip_unproven: bool,
        break_glass: str | None,
        glass: tuple[str, ...],
        **options: Any,
    ) -> Any:
        allowed = Allowances(
            many_updates=allow_many_updates,
            many_deletes=allow_many_deletes,
            many_changes=allow_many_changes,
            empty=allow_empty,
            master_change=allow_master_change,
            prune=frozenset(prune),
        )
        wish = Wish(
            allowed=allowed,
            accepted=accept_settings,
            skip_unproven=skip_unproven,
            glass_reason=break_glass,
            glass=glass,
        )
        return function(*arguments, wish=wish, **options)

    return bundled(function, wrapper)
