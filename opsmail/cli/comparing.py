"""Options that set findings against what is known: a revision, or a baseline."""

from __future__ import annotations

from typing import Any

import click

from opsmail.cli.options import Function, bundled
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class Comparing:
    """What findings are set against; see the options' help.

    Args:
        base: the revision to compare with.
        new_only: whether only findings are told that it does not have.
        trust: the revision whose settings judge.
        baseline: the file of known findings, as it was typed.
        write_baseline: whether it is written.
    """

    base: str | None = None
    new_only: bool = False
    trust: str | None = None
    baseline: str | None = None
    write_baseline: bool = False

    @property
    def judge(self) -> str | None:
        """The revision whose settings judge; None where the change's own do."""
        return self.base if self.trust is None else self.trust


def comparing_options(function: Function) -> Function:
    """Add the options, and pass what they say as `comparing`."""

    @click.option(
        "--base",
        metavar="REV",
        help="Compare with this revision: what the change does to waivers, settings and destinations of credentials is "
        "told too, and operators are judged by the settings, catalogue and waivers of REV, not by the change's own.",
    )
    @click.option("--new-only", is_flag=True, help="Tell only findings that the revision of --base does not have.")
    @click.option(
        "--trust",
        metavar="REV",
        help="Judge by the settings, catalogue and waivers of this revision; they beat those of --base.",
    )
    @click.option(
        "--baseline",
        metavar="FILE",
        help="Leave out the findings that this file has, for adopting opsmail on an old fleet. "
        "With --base or --trust, only what the revision's file has too.",
    )
    @click.option(
        "--write-baseline",
        is_flag=True,
        help="Write the findings of now to the file of --baseline (opsmail-baseline.json without it); from a file that "
        "exists, what is gone is taken out and nothing is added.",
    )
    def wrapper(
        *arguments: Any,
        base: str | None,
        new_only: bool,
        trust: str | None,
        baseline: str | None,
        write_baseline: bool,
        **options: Any,
    ) -> Any:
        return function(*arguments, comparing=Comparing(base, new_only, trust, baseline, write_baseline), **options)

    return bundled(function, wrapper)
