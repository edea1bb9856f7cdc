"""`file:///run/secrets/name`: a secret in a file that only its owner may read."""

from __future__ import annotations

import os
import stat

from opsmail.messages import Message, msg
from opsmail.references import SecretReference
from opsmail.secrets.interface import Secret, SecretError

_MAX_BYTES = 64 * 1024


class FileSecrets:
    """Secrets from files: absolute, plain, not readable by others."""

    def resolve(self, reference: SecretReference) -> Secret:
        """Return the file's text without its last line end."""
        path = reference.locator
        if not os.path.isabs(path) or os.path.normpath(path) != path:
            raise _refused(reference, msg("its path is not absolute and plain"), msg("write `file:///folder/name`"))
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a path"
            raise _refused(reference, msg("{reason}", reason=reason), msg("put the secret's file there")) from error
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise _refused(reference, msg("it is not a plain file"), msg("name a file"))
            if os.name == "posix" and facts.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
                raise _refused(
                    reference, msg("other users may read or change it"), msg("`chmod 600 {path}`", path=path)
                )
            if facts.st_size > _MAX_BYTES:
                raise _refused(reference, msg("it is larger than {limit} KiB", limit=_MAX_BYTES // 1024), None)
            content = os.read(descriptor, _MAX_BYTES)
        finally:
            os.close(descriptor)
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            # Without the cause: its `object` is the secret.
            raise _refused(reference, msg("it is not UTF-8 text"), None) from None
        return Secret(text.removesuffix("\n").removesuffix("\r"))


def _refused(reference: SecretReference, reason: Message, hint: Message | None) -> SecretError:
    return SecretError(
        msg("`{reference}` does not resolve: {reason}", reference=str(reference), reason=reason), hint=hint
    )
