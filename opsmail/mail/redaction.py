"""Taking a secret out of what a server echoes: some answer a failed login with the line that carried the password."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

REDACTED = b"[redacted]"
#: The parts of a JWT have at least so many characters; shorter ones would be found in ordinary words.
SHORTEST_PART = 10

# What an encoded secret may stand in the middle of. The whole run goes, for its rest gives away the neighbouring bytes.
# It is walked octet by octet: as one expression around the secret it would cost a hostile server's long line its square
# in time.
_RUN_OCTETS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_%-")
# The enhanced status code that begins each line of a reply (RFC 2034): kept, and no part of what was wrapped.
_STATUS = re.compile(rb"^[245]\.\d{1,3}\.\d{1,3} ")


class Redactor:
    """Removes secrets, in the encodings that mail servers and their logs use, from lines of bytes.

    Known are: the text itself (UTF-8, Latin-1, JSON escapes), base64 and its URL-safe form at each of the three
    alignments (so inside a PLAIN or XOAUTH2 response too), percent-encoding, and hexadecimal. The parts of a JWT are
    looked for one by one too: a server that cuts what it echoes leaves some of them whole.

    Args:
        secrets: their texts. Empty ones are ignored.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        plain = {form for secret in secrets for piece in _pieces(secret) for form in _raw_forms(piece)}
        self._encoded = frozenset(form for raw in plain for form in _encoded_forms(raw)) - plain
        # Longest first, so that no shorter form leaves the end of a longer one behind. Searched one by one: compiling
        # them into one expression costs a millisecond for every login, and replies are short.
        self._forms = sorted(plain | self._encoded, key=len, reverse=True)

    def __call__(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return `lines` without the secrets.

        Of several lines that hold one, nothing but the enhanced status codes is kept: encoded text is wrapped at any
        place, and what stands on the next line may be the rest.
        """
        if len(lines) > 1:
            joined = b"".join(_STATUS.sub(b"", line).strip() for line in lines)
            if any(form in joined for form in self._forms):
                return [b"".join(_STATUS.findall(line)) + REDACTED for line in lines]
        return [self._clean(line) for line in lines]

    def _clean(self, line: bytes) -> bytes:
        for form in self._forms:
            if form in line:
                line = _without_runs(line, form) if form in self._encoded else line.replace(form, REDACTED)
        return line


def _without_runs(line: bytes, form: bytes) -> bytes:
    """Return `line` with every run of characters that holds `form` replaced."""
    pieces: list[bytes] = []
    position = 0
    while (start := line.find(form, position)) >= 0:
        end = start + len(form)
        while start > position and line[start - 1] in _RUN_OCTETS:
            start -= 1
        while end < len(line) and line[end] in _RUN_OCTETS:
            end += 1
        pieces += (line[position:start], REDACTED)
        position = end
    return b"".join((*pieces, line[position:]))


def _pieces(secret: str) -> set[str]:
    """Return a secret and, where it is a JWT, its three parts."""
    parts = secret.split(".")
    is_token = len(parts) == 3 and all(len(part) >= SHORTEST_PART for part in parts)
    return {secret, *parts} if is_token else {secret}


def _raw_forms(secret: str) -> set[bytes]:
    if not secret:
        return set()
    forms = {secret.encode("utf-8"), json.dumps(secret)[1:-1].encode("ascii")}
    if all(ord(character) < 0x100 for character in secret):
        forms.add(secret.encode("latin-1"))
    return forms


def _encoded_forms(raw: bytes) -> set[bytes]:
    percent, quoted = "%" + raw.hex("%"), quote(raw, safe="")
    spaces, slashes = quoted.replace("%20", "+"), quoted.replace("%2F", "/")
    forms = {quoted, spaces, slashes, percent, percent.upper(), raw.hex(), raw.hex().upper()}
    found = {form.encode("ascii") for form in forms}
    for before in range(3):
        found |= _base64_forms(raw, before)
    return found


def _base64_forms(raw: bytes, before: int) -> set[bytes]:
    """Return the base64 characters that depend on `raw` alone when `before` octets of its group of three precede it."""
    encoded = base64.b64encode(b"\0" * before + raw)
    first = -(-before * 8 // 6)
    last = (before + len(raw)) * 8 // 6
    core = encoded[first:last]
    # Two characters or fewer would be found in anything; a secret has at least four octets, which leave four.
    return {core, core.replace(b"+", b"-").replace(b"/", b"_")} if len(core) > 2 else set()
