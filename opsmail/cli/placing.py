"""Where new operator files go."""

from __future__ import annotations

from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.settings.load import Settings
from opsmail.source.tree import is_around, is_folder_name


def operators_folder(session: Session, settings: Settings, folder: str | None) -> str:
    """Return the folder for new files, from the root.

    Args:
        session: where the root is.
        settings: name the operators folders.
        folder: as it was typed; None for the first of these.

    Raises:
        UsageError: nobody would look there.
    """
    folders = settings.file.operators
    chosen = folders[0] if folder is None else session.relative(folder)
    below = next((known for known in folders if is_around(known, chosen)), None)
    inner = [] if below is None else chosen.removeprefix(below).strip("/").split("/")
    if below is None or not all(map(is_folder_name, filter(None, inner))):
        raise UsageError(
            msg("operators are not looked for in {folder}", folder=chosen),
            hint=msg("name one of these or a folder in it: {folders}", folders=", ".join(folders)),
        )
    return chosen
