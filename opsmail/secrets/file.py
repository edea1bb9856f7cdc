"""`file:///run/secrets/name`: a secret in a file that other users cannot read."""

from __future__ import annotations

import os
import posixpath
import stat
from contextlib import suppress
from pathlib import Path

from opsmail.messages import Message, msg, quoted
from opsmail.references import SecretReference
from opsmail.secrets.interface import Secret, SecretError, not_resolved

_MAX_BYTES = 64 * 1024
_OTHERS = stat.S_IRWXO | stat.S_IWGRP


class FileSecrets:
    """Secrets from files: absolute, plain, out of other users' reach."""

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the file's text without its last line end."""
        _require_plain(reference)
        try:
            secret = _text(_content(reference))
        except (OSError, ValueError) as error:
            reason = quoted(getattr(error, "strerror", None) or "not a path")
            raise not_resolved(reference, reason, msg("put the secret's file there")) from None
        if secret is None:
            raise not_resolved(
                reference, msg("it is not UTF-8 text"), msg("store the text itself, as UTF-8 without a mark")
            )
        return secret

    def keep(self, reference: SecretReference, secret: Secret) -> None:
        """Write the file anew, readable by its owner alone."""
        _require_plain(reference)
        path = Path(reference.locator)
        if path.is_symlink():
            raise _unwritable(reference, msg("it is a link"), msg("name the file itself"))
        try:
            _replace(path, secret)
        except (OSError, ValueError) as error:
            reason = quoted(getattr(error, "strerror", None) or "not a path")
            hint = msg("make the folder, and let this user write there")
            raise _unwritable(reference, reason, hint) from None


def _require_plain(reference: SecretReference) -> None:
    path = reference.locator
    if reference.field is not None:
        raise not_resolved(reference, msg("a file has no fields"), msg("write `file://{path}`", path=path))
    # One spelling for one file: in another, a secret that the settings keep for themselves is not recognised.
    if path.startswith("//") or posixpath.normpath(path) != path:
        raise not_resolved(reference, msg("its path is not absolute and plain"), msg("write `file:///folder/name`"))


def _replace(path: Path, secret: Secret) -> None:
    """Put a new file in the place of the old one: a reader sees the one or the other, and never half of one."""
    import tempfile  # with what it loads a tenth of the start of `check`, which writes no secret

    # Made with mode 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secret.reveal())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:  # Ctrl-C too: no half-written secret stays
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _content(reference: SecretReference) -> bytes:
    """Return what is in the file. Everything is judged on the open file, so nothing can be exchanged in between.

    Links are followed: Kubernetes mounts each secret as one.
    """
    path = reference.locator
    # O_NONBLOCK: opening a named pipe waits for a writer otherwise.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise not_resolved(reference, msg("it is not a plain file"), msg("name a file"))
        if facts.st_mode & _OTHERS:
            hint = msg("`chmod 600 {path}`", path=path)
            raise not_resolved(reference, msg("other users may read or change it"), hint)
        if facts.st_size > _MAX_BYTES:
            reason = msg("it is larger than {limit} KiB", limit=_MAX_BYTES // 1024)
            raise not_resolved(reference, reason, msg("a password or a key is shorter: store that alone"))
        return file.read(_MAX_BYTES)


def _text(content: bytes) -> Secret | None:
    """Return the text without its line end; None for what is no text, or begins with a byte order mark."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if text.startswith("\ufeff"):
        return None
    return Secret(text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n"))


def _unwritable(reference: SecretReference, reason: Message, hint: Message) -> SecretError:
    return SecretError(msg("`{reference}` cannot be written: {reason}", reference=reference, reason=reason), hint=hint)
