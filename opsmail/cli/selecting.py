"""Which findings a run of `check` tells: `--select`, `--ignore` and `--profile`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opsmail.check.judging import JudgingOptions
from opsmail.check.result import CheckResult
from opsmail.cli.console import Console
from opsmail.cli.options import bundled
from opsmail.errors import UsageError
from opsmail.expressions import expression
from opsmail.findings import RuleMeta
from opsmail.messages import msg, msgn
from opsmail.shape import nearest, shown

if TYPE_CHECKING:
    from opsmail.settings.load import Settings

_SELECTOR = expression(r"[a-z]{2,8}[0-9]{0,3}", re.IGNORECASE)
#: As `opsmail.settings.model` has them, which a run that remembers its result does not load.
PROFILES = ("recommended", "strict", "minimal")
Function = TypeVar("Function", bound=Callable[..., Any])


def judging_options(function: Function) -> Function:
    """Add `--select`, `--ignore` and `--profile`, and pass what they say as `judging`."""

    @click.option(
        "--select",
        multiple=True,
        metavar="RULES",
        help="Tell these rules only, ids or their beginnings: `--select OM2,OM601`. May be given several times.",
    )
    @click.option(
        "--ignore",
        multiple=True,
        metavar="RULES",
        help="Do not tell these rules: `--ignore OM408,OM5`. Unwaivable rules cannot be ignored.",
    )
    @click.option(
        "--profile",
        type=click.Choice(PROFILES),
        help="Judge by this profile instead of the settings': `--profile strict`.",
    )
    def wrapper(
        *arguments: Any, select: Sequence[str], ignore: Sequence[str], profile: str | None, **options: Any
    ) -> Any:
        judging = JudgingOptions(tuple(_selectors("--select", select)), tuple(_selectors("--ignore", ignore)), profile)
        return function(*arguments, judging=judging, **options)

    return bundled(function, wrapper)


_LIKE_AN_ID = expression("om([0-9o]{3})")


def unknown_rule(text: str, rules: Mapping[str, RuleMeta]) -> UsageError:
    """Return the error of a text that names no rule, with the one that was probably meant."""
    known = {meta.id.lower(): meta for meta in rules.values()} | {meta.name: meta for meta in rules.values()}
    like = _LIKE_AN_ID.fullmatch(text.lower())
    # The letter O is easily typed for a nought.
    guess = nearest(text if like is None else f"om{like[1].replace('o', '0')}", list(known))
    if guess is None:
        hint = msg("`opsmail rule` lists all of them")
    else:
        hint = msg("did you mean {id} ({name})? `opsmail rule` lists all", id=known[guess].id, name=known[guess].name)
    return UsageError(msg("there is no rule `{id}`", id=shown(text)), hint=hint)


def require_rules(judging: JudgingOptions, settings: Settings, console: Console) -> None:
    """Return when `--select` and `--ignore` can do what they say; what they can do in part only is told.

    Args:
        judging: what they say.
        settings: those that judge; an organisation's own rules are theirs.
        console: where to tell.

    Raises:
        UsageError: there is no such rule, none is left, or one of them cannot be ignored.
    """
    if not (judging.select or judging.ignore):
        return
    from opsmail.check.organisation import rules_of
    from opsmail.check.severity import Judge

    rules, judge = rules_of(settings).metas(), Judge(settings.file.policy)
    for selector in (*judging.select, *judging.ignore):
        if not any(rule.startswith(selector) for rule in rules):
            raise unknown_rule(selector, rules)
    unwaivable = {rule for rule, meta in rules.items() if judge.is_unwaivable(meta)}
    kept: dict[str, None] = {}
    for selector in judging.ignore:
        meant = [rule for rule in rules if rule.startswith(selector)]
        if unwaivable.issuperset(meant):
            raise UsageError(
                msg("{rule} cannot be ignored, because it is unwaivable", rule=selector),
                hint=msg("`opsmail rule {rule}` says how to correct what it finds", rule=meant[0]),
            )
        kept |= dict.fromkeys(rule for rule in meant if rule in unwaivable)
    selected = [rule for rule in rules if rule.startswith(judging.select or ("",))]
    if all(rule.startswith(judging.ignore) and rule not in unwaivable for rule in selected):
        raise UsageError(
            msg("--ignore leaves nothing of what --select names"), hint=msg("give --ignore only a part of these rules")
        )
    if kept:
        console.say(msg("unwaivable, and so not ignored: {rules}", rules=", ".join(kept)))


def say_partial(judging: JudgingOptions, result: CheckResult, console: Console) -> None:
    """Say that a run with `--select` told a part only, and which files the selected rules could not look at."""
    if not judging.select:
        return
    console.say(msg("partial: only findings of {rules} are told", rules=", ".join(judging.select)))
    unseen = sum(member.operator is None and member.facts is None for member in result.members)
    if unseen:
        console.say(
            msgn(
                "{count} file is not a valid operator, so not all of these rules looked at it",
                "{count} files are not valid operators, so not all of these rules looked at them",
                unseen,
            )
        )


def _selectors(option: str, texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for piece in map(str.strip, text.split(",")):
            if not piece:
                hint = msg("for example `{option} OM201`", option=option)
                raise UsageError(msg("{option} names no rule", option=option), hint=hint)
            yield piece.upper() if _SELECTOR.fullmatch(piece) else piece
