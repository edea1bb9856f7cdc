"""Whoever changes what is published is asked first, on a terminal; elsewhere they have to have said so."""

from __future__ import annotations

import sys

import click

from opsmail.cli.console import Console
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
    if not _agrees(console, question):
        raise RefusedError(msg("not published"))


def _agrees(console: Console, question: Message) -> bool:
    """Return what the person answers, in their language: click asks for y and n only. Without an answer it is no."""
    yes, no = console.text(msg("yes")), console.text(msg("no"))
    asked = f"{console.text(question)} [{yes[0]}/{no[0].upper()}]"
    while True:
        answer = str(click.prompt(asked, default=no, show_default=False, err=True)).strip().lower()
        if answer in (yes, yes[0], no, no[0]):
            return answer in (yes, yes[0])
        console.say(msg("answer {yes} or {no}", yes=yes, no=no))


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
