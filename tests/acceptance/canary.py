"""Looking for secrets in what a program leaves behind, in every form in which they could have got there."""

import base64
import html
import json
import quopri
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

# Shorter pieces of base64 could stand in anything.
SHORTEST = 6


class Canary:
    """Finds secrets in bytes: as they are, escaped, and in base64 up to twice, as envelopes in a snapshot are.

    Args:
        secrets: name to value; the name is all that a finding tells.
    """

    def __init__(self, secrets: Mapping[str, str | bytes]) -> None:
        self._forms = [(form, name) for name, secret in secrets.items() for form in sorted(forms(secret))]

    def found(self, content: bytes) -> str | None:
        """Return the name of a secret that is in `content`, None when there is none."""
        return next((name for form, name in self._forms if form in content), None)

    def found_below(self, folders: Iterable[Path]) -> Iterator[tuple[Path, str]]:
        """Yield every file that holds a secret, with the secret's name. Private keys' own files are passed over."""
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.is_symlink() and path.suffix != ".key":
                    name = self.found(path.read_bytes()) or self.found(str(path).encode())
                    if name is not None:
                        yield path, name


def key_secrets(name: str, pem: str) -> dict[str, str | bytes]:
    """Return what of a private key must never be seen: its text and the 32 octets that it consists of."""
    raw = load_pem_private_key(pem.encode(), None).private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return {f"{name} (text)": pem.splitlines()[1], f"{name} (octets)": raw}


def forms(secret: str | bytes) -> set[bytes]:
    """Return every form of `secret` that is looked for."""
    raw = {secret} if isinstance(secret, bytes) else written(secret)
    once = set().union(*(cores(form) for form in raw))
    twice = set().union(*(cores(form) for form in once))
    octets = {form for item in raw for form in (item.hex().encode(), item.hex().upper().encode(), percent(item))}
    return {form for form in raw | octets | once | twice if len(form) >= SHORTEST}


def written(secret: str) -> set[bytes]:
    """Return a text in the ways in which programs write one down."""
    texts = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    texts |= {quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret), ascii(secret)[1:-1]}
    raw = {text.encode() for text in texts} | {secret.encode("utf-16-le"), quopri.encodestring(secret.encode())}
    return raw | {secret.encode("latin-1")} if all(ord(character) < 256 for character in secret) else raw


def percent(raw: bytes) -> bytes:
    return "".join(f"%{octet:02X}" for octet in raw).encode()


def cores(raw: bytes) -> set[bytes]:
    """Return the base64 of `raw` at each of the three alignments, without the characters that its neighbours share."""
    found = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        core = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return {core for core in found if len(core) >= SHORTEST}
