"""`check -`: an operator file from standard input, as editors hand over what is not saved yet."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opsmail.cli.session import Session
from opsmail.errors import UnavailableError, UsageError
from opsmail.messages import Message, msg, quoted
from opsmail.source.tree import MAX_BYTES, SourceFile, name_problem, too_large
from opsmail.values import dataclass

if TYPE_CHECKING:
    from opsmail.check.sources import Files

#: What stands for standard input where a path is expected.
STANDARD_INPUT = "-"
#: The name of what does not say whose file it is.
_NAMELESS = "stdin"


@dataclass(frozen=True, slots=True)
class GivenFile:
    """The files of a tree with the given text in the place of one of them, which need not be there.

    Args:
        source: the given text under its path.
        files: all others.
    """

    source: SourceFile
    files: Files

    def read(self, path: str) -> bytes | None:
        """Return the content of one file, None when there is none."""
        if path != self.source.path:
            return self.files.read(path)
        return None if self.source.problem is not None else self.source.content


def is_given(paths: Sequence[str], name: str | None) -> bool:
    """Whether standard input is what is to be checked.

    Args:
        paths: as they were typed.
        name: `--stdin-filename`.

    Raises:
        UsageError: that, and something else.
    """
    if STANDARD_INPUT in paths:
        if len(paths) > 1:
            raise UsageError(
                msg("standard input and paths do not go together"),
                hint=msg("`opsmail check -` checks standard input; run it again for the rest"),
            )
        return True
    if name is not None:
        raise UsageError(
            msg("--stdin-filename is for standard input"),
            hint=msg("`opsmail check - --stdin-filename operators/x.yaml` reads it"),
        )
    return False


def given_file(session: Session, folder: str, name: str | None) -> SourceFile:
    """Read an operator file from standard input.

    Args:
        session: the circumstances.
        folder: the operators folder, for a text without a name.
        name: whose place it takes, as it was typed; None for the file of the operator that it describes.

    Raises:
        UnavailableError: standard input cannot be read.
    """
    content = _content(session)
    path = _path(content, folder) if name is None else session.relative(name)
    problem = too_large() if len(content) > MAX_BYTES else name_problem(path)
    return SourceFile(path, b"" if problem is not None else content, problem)


def _content(session: Session) -> bytes:
    """Return standard input, as it is; one byte over the limit tells that there is more."""
    if sys.stdin is None:
        raise _unreadable(msg("it is closed"))
    if sys.stdin.isatty():
        session.console.say(msg("type the operator file, then Ctrl-D on a line of its own"))
    content = b""
    try:
        # Not by `sys.stdin`, which on a terminal would wait for a second Ctrl-D.
        while len(content) <= MAX_BYTES and (piece := os.read(sys.stdin.fileno(), MAX_BYTES + 1 - len(content))):
            content += piece
    except OSError as error:
        raise _unreadable(quoted(error.strerror or str(error))) from error
    return content


def _unreadable(reason: Message) -> UnavailableError:
    return UnavailableError(
        msg("standard input cannot be read: {reason}", reason=reason),
        hint=msg("for example `opsmail check - < operators/x.yaml`"),
    )


def _path(content: bytes, folder: str) -> str:
    from opsmail.operator.model import claimed_id
    from opsmail.source.reader import read_document

    document, _ = read_document(content)
    name = None if document is None else claimed_id(document.data)
    path = f"{folder}/{name}.yaml"
    return path if name is not None and name_problem(path) is None else f"{folder}/{_NAMELESS}.yaml"
