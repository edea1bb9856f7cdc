"""The form's page: a shell without data, which the script fills."""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations

from opsmail.html import render_page
from opsmail.messages import Message, msg

_TEXTS: Mapping[str, Message] = {
    "title": msg("E-mail operators"),
    "operators": msg("Operators"),
    "search": msg("Search"),
    "new": msg("New operator"),
    "choose": msg("Choose an operator, or make a new one."),
    "closed": msg("This page has no key. Open the address that `opsmail edit` printed; it works once."),
    "gone": msg("The form is not running any more. Start `opsmail edit` again."),
    "changes": msg("What saving changes in the file"),
    "no_changes": msg("Nothing is changed."),
    "general": msg("About the whole file"),
    "save": msg("Save"),
    "saved": msg("Saved. Commit the file and open a pull request."),
    "test": msg("Test e-mail sending"),
    "testing": msg("Sending a test message…"),
    "passed": msg("The test message was sent."),
    "failed": msg("The test message was not sent."),
    "optional": msg("optional"),
    "example": msg("Example"),
    "none": msg("nothing chosen"),
    "secret": msg("Never type a password here: only where it is kept. `opsmail secrets` tells how to put it there."),
}


def render(language: NullTranslations, *, allow_test: bool) -> str:
    """Return the page.

    Args:
        language: of its texts.
        allow_test: whether it offers test messages.
    """
    texts = {name: message.render(language) for name, message in _TEXTS.items()}
    return render_page("form", language, also="connect-src 'self'; img-src data:; ", say=texts, allow_test=allow_test)
