"""Options of `test` that say which operators."""

from __future__ import annotations

from typing import Any

import click

from opsmail.check.result import CheckResult, Member
from opsmail.cli.choosing import changed, named, stale, unproven
from opsmail.cli.language import of_context
from opsmail.cli.options import Function, bundled
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.evidence.facts import Depth
from opsmail.live.shards import Shard
from opsmail.messages import Message, msg
from opsmail.settings.notation import Duration
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which operators were asked for; see the options' help.

    Args:
        names: by name.
        everyone: all of them.
        unproven: those that `publish` would refuse.
        changed: those that differ from `base`.
        base: a revision.
        stale: those whose last proof is older than this.
        shard: the part of the fleet that this job takes; None for the whole.
    """

    names: tuple[str, ...] = ()
    everyone: bool = False
    unproven: bool = False
    changed: bool = False
    base: str | None = None
    stale: Duration | None = None
    shard: Shard | None = None

    def require_sense(self, *, published: bool) -> None:
        """Return when the options go together.

        Args:
            published: whether what the store serves is tested.

        Raises:
            UsageError: they do not.
        """
        if sum((bool(self.names), self.everyone, self.unproven, self.changed, self.stale is not None)) > 1:
            raise UsageError(
                msg("operators, --all, --unproven, --changed and --stale exclude each other"),
                hint=msg("give one of them"),
            )
        if published and (self.unproven or self.changed or self.stale is not None or self.shard is not None):
            raise UsageError(
                msg("--published goes with names, or with all operators"),
                hint=msg("leave --unproven, --changed, --stale and --shard out"),
            )
        if self.changed and self.base is None:
            raise UsageError(
                msg("--changed needs a revision to compare with"), hint=msg("add --base, for example --base main")
            )
        if self.base is not None and not self.changed:
            raise UsageError(msg("--base goes with --changed"), hint=msg("add --changed, or leave --base out"))
        if self.names and self.shard is not None:
            raise UsageError(msg("operators that are named are not split"), hint=msg("leave --shard out"))

    def pick(self, session: Session, revision: Revision, checked: CheckResult, depth: Depth) -> list[Member]:
        """Return those of a commit's operators that were asked for.

        Args:
            session: where evidence is.
            revision: the commit.
            checked: its check.
            depth: how far a test has to have gone that is not stale.

        Raises:
            UsageError: nobody has one of the names, or there is no such revision.
        """
        if self.unproven:
            members = unproven(session, revision, checked)
        elif self.base is not None:
            members = changed(session, revision, checked, self.base)
        elif self.stale is not None:
            members = stale(session, revision, checked, self.stale.length, depth)
        else:
            members = named(self.names, checked)
        if self.shard is None:
            return members
        # By the whole fleet: jobs whose evidence differs must still agree on who tests whom.
        part = self.shard.pick(map(_key, checked.members))
        return [member for member in members if _key(member) in part]


def _key(member: Member) -> str:
    return member.name or member.file


def selecting_options(function: Function) -> Function:
    """Add the argument and the options, and pass what they say as `selection`."""

    @click.argument("operators", nargs=-1)
    @click.option("--all", "everyone", is_flag=True, help="Test every operator.  [default without names]")
    @click.option(
        "--unproven", is_flag=True, help="Test the master, and those that `publish` would refuse as unproven."
    )
    @click.option("--changed", is_flag=True, help="Test the master, and those that differ from --base.")
    @click.option("--base", metavar="REV", help="With --changed: the revision to compare with.")
    @click.option(
        "--stale",
        type=_Parsed("AGE", Duration.parse, msg("a number of minutes, hours or days, for example 7d")),
        help="Test those that have no proof of this --depth from the last AGE, for example 7d.",
    )
    @click.option(
        "--shard",
        type=_Parsed("I/N", Shard.parse, msg("a part of so many, for example 1/4")),
        help="Of those, test the I-th of N parts; the parts of all jobs together are everybody.",
    )
    def wrapper(
        *arguments: Any,
        operators: tuple[str, ...],
        everyone: bool,
        unproven: bool,
        changed: bool,
        base: str | None,
        stale: Duration | None,
        shard: Shard | None,
        **options: Any,
    ) -> Any:
        selection = Selection(
            names=operators,
            everyone=everyone,
            unproven=unproven,
            changed=changed,
            base=base,
            stale=stale,
            shard=shard,
        )
        return function(*arguments, selection=selection, **options)

    return bundled(function, wrapper)


class _Parsed(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.4
    """A value that a function makes of the text.

    Args:
        name: what the value is called in the help.
        parse: makes it, or raises ValueError.
        expected: what it has to be, in words.
    """

    def __init__(self, name: str, parse: Any, expected: Message) -> None:
        self.name = name
        self._parse = parse
        self._expected = expected

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value."""
        try:
            return self._parse(value)
        except ValueError:
            message = msg("{value!r} is not {expected}", value=value, expected=self._expected)
            self.fail(message.render(of_context(ctx)), param, ctx)
