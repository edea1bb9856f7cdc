"""Questions to a person at a terminal."""

from __future__ import annotations

import sys

import click

from opsmail.cli.console import Console
from opsmail.messages import msg
from opsmail.scaffold.draft import Draft
from opsmail.scaffold.questions import Ask, Question


def on_terminal() -> bool:
    """Whether somebody is there to answer."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def ask_on(console: Console) -> Ask:
    """Return what asks on standard error until the answer is one; Enter alone takes what stands in brackets."""

    def ask(question: Question, draft: Draft) -> str:
        likely = question.likely(draft)
        choices = question.choices(draft)
        if choices:
            console.say(msg("  known: {choices}", choices=", ".join(choices)))
        while True:
            answer: str = click.prompt(
                console.text(question.text),
                default="" if likely is None and question.optional else likely,
                show_default=likely is not None,
                err=True,
            ).strip()
            wrong = question.wrong(answer, draft)
            if wrong is None:
                return answer
            console.say(msg("  {wrong}", wrong=wrong))

    return ask
