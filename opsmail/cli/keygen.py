"""`opsmail keygen`."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.session import Session
from opsmail.errors import RefusedError, UnavailableError, UsageError
from opsmail.evidence.keys import SigningKey
from opsmail.messages import msg, quoted

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_OWNER_ONLY, _EVERYBODY = 0o600, 0o644


@click.command("keygen", cls=Command, epilog="Example:  opsmail keygen ci --folder keys")
@click.argument("name", default="opsmail")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to write the two files."
)
@session_options
def command(name: str, folder: Path, session: Session) -> int:
    """Make an Ed25519 key pair for signing evidence.

    NAME.key stays secret, NAME.pub.pem belongs into the repository.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            msg("`{name}` is not a name for a key", name=name), hint=msg("use letters, digits, `.`, `_` and `-`")
        )
    private, public = folder / f"{name}.key", folder / f"{name}.pub.pem"
    key = SigningKey.generate()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_new(private, key.pem(), _OWNER_ONLY)
        try:
            _write_new(public, key.public.pem(), _EVERYBODY)
        except BaseException:  # Ctrl-C too: no private key without its public one
            with suppress(OSError):
                private.unlink()
            raise
    except FileExistsError as error:
        raise RefusedError(
            msg("{path} exists and is not overwritten", path=error.filename),
            hint=msg("choose another name or folder"),
        ) from error
    except OSError as error:
        raise UnavailableError(
            msg("the keys cannot be written to {folder}: {reason}", folder=folder, reason=quoted(error.strerror)),
            hint=msg("name a folder that you may write to"),
        ) from error
    say = session.console.say
    say(
        msg(
            "{path}: the private key. Store it as the secret OPSMAIL_SIGNING_KEY of your CI, then delete it here",
            path=private,
        )
    )
    say(msg("{path}: the public key. Commit it and name it under `[[gate.keys]]` in opsmail.toml", path=public))
    return ExitCode.DONE


def _write_new(path: Path, text: str, mode: int) -> None:
    """Write a file that must not exist yet, not even as a link to somewhere."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
