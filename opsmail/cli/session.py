"""What every command starts from: where the repository is, its settings, and how to speak."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from gettext import NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING

from opsmail.cli.console import Console
from opsmail.errors import UsageError
from opsmail.messages import msg
from opsmail.settings.files import FILE_NAME
from opsmail.source.worktree import WorkTree
from opsmail.values import dataclass

if TYPE_CHECKING:
    from opsmail.settings.load import Settings


@dataclass(frozen=True)
class Session:
    """The circumstances of one command.

    Args:
        root: the folder of the settings file.
        config: the settings file's name in it.
        environment: which environment to work for.
        console: how to speak.
    """

    root: Path
    config: str
    environment: str
    console: Console

    @classmethod
    def open(cls, config: Path | None, environment: str, language: NullTranslations, color: str) -> Session:
        """Find the repository from the options.

        Raises:
            UsageError: the settings file that was named does not exist.
        """
        console = Console(language, color)
        if config is not None:
            if not config.is_file():
                raise UsageError(
                    msg("there is no settings file {path}", path=str(config)),
                    hint=msg("name an existing file with --config, or leave the option out"),
                )
            return cls(config.absolute().parent, config.name, environment, console)
        here = _here()
        root = next((folder for folder in (here, *here.parents) if (folder / FILE_NAME).is_file()), here)
        return cls(root, FILE_NAME, environment, console)

    @property
    def worktree(self) -> WorkTree:
        """The files on disk."""
        return WorkTree(self.root)

    def settings(self) -> Settings:
        """The settings of the working tree."""
        from opsmail.settings.load import load_settings  # a check that remembers its result needs no settings

        return load_settings(self.worktree, self.environment, self.config)

    def relative(self, path: str) -> str:
        """Return a path that the user typed as it is told from the root, with `/`."""
        if not path:
            raise UsageError(msg("a path is empty"), hint=msg("leave it out, or name a file or folder"))
        return Path(os.path.relpath(_here() / path, self.root)).as_posix()


def today() -> date:
    """Return the day by UTC, the same on every machine of a pipeline."""
    return datetime.now(UTC).date()


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError(
            msg("the folder that opsmail runs in is gone"), hint=msg("change to a folder that exists")
        ) from None
