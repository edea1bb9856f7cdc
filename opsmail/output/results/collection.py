"""What a collection took away, for people and for programs."""

from __future__ import annotations

from gettext import NullTranslations

from opsmail.messages import msg, msgn
from opsmail.output.escape import for_terminal, json_text
from opsmail.publish.collection import Collection

SCHEMA = "opsmail/collection/v1"


def as_text(done: Collection, language: NullTranslations, *, dry_run: bool) -> str:
    """Return what went, or would go, and what is left."""
    went = msgn(
        "{count} generation of {environment} let go",
        "{count} generations of {environment} let go",
        done.let_go,
        environment=done.environment,
    )
    swept = msgn("{count} piece of content swept away", "{count} pieces of content swept away", done.swept)
    told = [msg("nothing was changed; this would be done:")] if dry_run else []
    told += [went, swept]
    told.append(
        msg("kept: generation {oldest} and later, {left} pieces of content", oldest=done.oldest, left=done.left)
        if done.oldest
        else msg("nothing is published in environment {environment}", environment=done.environment)
    )
    return "".join(f"{for_terminal(message.render(language))}\n" for message in told)


def as_json(done: Collection, *, dry_run: bool) -> str:
    """Return the same for programs."""
    return json_text(
        {
            "schema": SCHEMA,
            "environment": done.environment,
            "dry_run": dry_run,
            "oldest": done.oldest,
            "let_go": done.let_go,
            "swept": done.swept,
            "left": done.left,
        }
    )
