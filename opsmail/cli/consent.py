"""Whoever changes what is published is asked first, on a terminal; elsewhere they have to have said so."""

from __future__ import annotations

import sys

import click

from opsmail.cli.session import Session
from opsmail.errors import RefusedError, UsageError
from opsmail.messages import Message, msg
from opsmail.output.results import plans
from opsmail.publish.plan import Plan

LONGEST_REASON = 500


def require_consent(session: Session, plan: Plan, question: Message, hint: Message) -> None:
    """Return when the person at the terminal agrees to the plan they are shown.

    Args:
        session: how to speak.
        plan: what they are shown.
        question: what they are asked.
        hint: what to do where nobody is there.

    Raises:
        RefusedError: nobody is there, or they do not agree.
    """
    console = session.console
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RefusedError(msg("nobody is there to be asked"), hint=hint)
    console.progress(plans.as_text(plan, (), console.language, console.style))
    if not click.confirm(console.text(question), err=True):
        raise RefusedError(msg("not published"))


def require_text(reason: str) -> None:
    """Return when a reason is one that a history can show.

    Raises:
        UsageError: it is too long, or not one line of text.
    """
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise UsageError(
            msg("the reason is longer than {limit} characters, or not one line of text", limit=LONGEST_REASON),
            hint=msg("say it in a sentence"),
        )
