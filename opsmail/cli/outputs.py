"""`--format FORMAT[:FILE]`, the same for every command that has results."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from opsmail.cli.console import Console
from opsmail.errors import UnavailableError, UsageError
from opsmail.messages import msg, quoted
from opsmail.output.style import Style

Function = TypeVar("Function", bound=Callable[..., Any])


class Output(NamedTuple):
    """One way in which results are written.

    Args:
        format: its name.
        file: where to; None for standard output.
    """

    format: str
    file: Path | None

    def style(self, console: Console) -> Style:
        """Return how to write there: a file is never painted."""
        return console.style_on(sys.stdout) if self.file is None else Style(color=False)

    def write(self, console: Console, text: str) -> None:
        """Write a rendered result.

        Raises:
            UnavailableError: the file cannot be written.
        """
        if self.file is None:
            console.result(text)
            return
        try:
            _write_whole(self.file, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise UnavailableError(
                msg("{file} cannot be written: {reason}", file=self.file, reason=quoted(error.strerror)),
                hint=msg("name a file in a folder that exists"),
            ) from error


def _write_whole(file: Path, data: bytes) -> None:
    """Write a file whole or not at all, and never through a link: in somebody's checkout it may lead anywhere."""
    if file.exists() and not file.is_file():  # a device or a pipe, such as /dev/stdout
        file.write_bytes(data)
        return
    if file.is_symlink():
        raise OSError(errno.ELOOP, "it is a link")
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def format_option(names: str, default: str = "text") -> Callable[[Function], Function]:
    """Return the decorator that adds `--format`, whose texts come as `formats`.

    Args:
        names: the formats of the command, as its help lists them.
        default: the one of them that the command chooses by itself.
    """
    text = f"{names}; may be given several times.  [default: {default}]"
    return click.option("--format", "formats", multiple=True, metavar="FORMAT[:FILE]", help=text)


def parse_outputs(texts: Sequence[str], known: Collection[str]) -> list[Output]:
    """Return the outputs that were asked for.

    Args:
        texts: as they were typed.
        known: the formats of this command.

    Raises:
        UsageError: an unknown format, or two for one place.
    """
    outputs = []
    for text in texts:
        name, _, file = text.partition(":")
        if name not in known:
            raise UsageError(
                msg("there is no format `{name}`", name=name),
                hint=msg("known: {names}", names=", ".join(sorted(known))),
            )
        outputs.append(Output(name, Path(file) if file else None))
    places = [output.file for output in outputs]
    if places.count(None) > 1:
        raise UsageError(
            msg("two formats would go to standard output"),
            hint=msg("give one of them a file: `--format json:findings.json`"),
        )
    if len({None if place is None else os.path.realpath(place) for place in places}) < len(places):
        raise UsageError(msg("two formats would go to one file"), hint=msg("give each a file of its own"))
    return outputs
