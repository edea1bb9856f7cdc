"""`opsmail keygen`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.options import session_options
from opsmail.cli.session import Session
from opsmail.errors import RefusedError, UnavailableError
from opsmail.evidence.keys import SigningKey
from opsmail.messages import msg


@click.command("keygen", epilog="Example:  opsmail keygen ci --folder keys")
@click.argument("name", default="opsmail")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to write the two files."
)
@session_options
def command(name: str, folder: Path, session: Session) -> int:
    """Make an Ed25519 key pair for signing evidence: NAME.key, which stays secret, and NAME.pub.pem for the repository."""
    private, public = folder / f"{name}.key", folder / f"{name}.pub.pem"
    existing = [path for path in (private, public) if path.exists()]
    if existing:
        raise RefusedError(
            msg("{path} exists and is not overwritten", path=str(existing[0])), hint=msg("choose another name or folder")
        )
    key = SigningKey.generate()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.pem())
        public.write_text(key.public.pem(), encoding="ascii")
    except OSError as error:
        raise UnavailableError(
            msg("the keys cannot be written to {folder}: {reason}", folder=str(folder), reason=error.strerror or "?")
        ) from error
    say = session.console.say
    say(msg("{path}: the private key. Store it as the secret OPSMAIL_SIGNING_KEY of your CI, then delete it here", path=str(private)))
    say(msg("{path}: the public key. Commit it and name it under `[[gate.keys]]` in opsmail.toml", path=str(public)))
    return ExitCode.DONE
