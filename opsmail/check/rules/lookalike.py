"""What a host name looks like to a person: after UTS #39, with the letters that IDNA 2008 allows in names.

Only names beyond ASCII pay for the tables of idna and for the file of confusable letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

#: Scripts that are written together in one word; Latin goes with each of them (UTS #39 section 5.2).
_TOGETHER = (
    frozenset({"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"CJK", "BOPOMOFO"}),
    frozenset({"CJK", "HANGUL"}),
)
_ASCII_LOOKS = str.maketrans({"0": "o", "1": "l", "I": "l"})


def readable(host: str) -> str:
    """Return a host name as a browser may show it: A-labels decoded, where they can be."""
    if host.isascii() and "xn--" not in host.lower():
        return host
    return ".".join(_decoded(label) for label in host.split("."))


def undecodable(host: str) -> str | None:
    """Return the first A-label that stands for no text (RFC 5891 section 5.3), None when there is none."""
    if "xn--" not in host:
        return None
    labels = (label for label in host.split(".") if label.startswith("xn--"))
    return next((label for label in labels if _decoded(label) == label), None)


def ascii_form(host: str) -> str:
    """Return a name so that it cannot be taken for another: in A-labels, or with code points."""
    import idna

    if host.isascii():
        return host
    try:
        return idna.encode(host.lower()).decode("ascii")
    except idna.IDNAError:
        return "".join(letter if letter.isascii() else f"<U+{ord(letter):04X}>" for letter in host)


def mixed_scripts(name: str) -> tuple[str, ...]:
    """Return the scripts of the first label that mixes some which are not written together; empty when none does."""
    for label in name.split("."):
        scripts = {_script(letter) for letter in label if letter.isalpha()}
        if len(scripts) > 1 and not any(scripts - {"LATIN"} <= group for group in _TOGETHER):
            return tuple(sorted(scripts))
    return ()


def alike(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` looks like or lies under the look of, without being it.

    Args:
        name: as a person sees it.
        known: names in lower-case ASCII.
    """
    look, around = skeleton(name), skeleton(_parent(name))
    lowered = name.lower()
    for other in known:
        if look == skeleton(other) and lowered != other:
            return other
        parent = _parent(other)
        if parent and around == skeleton(parent) and _parent(lowered) != parent:
            return other
    return None


@lru_cache(maxsize=4096)
def skeleton(text: str) -> str:
    """Return what two texts that look alike have in common (UTS #39 section 4), accents left out.

    It differs from the standard's in its direction: `rn` becomes `m`.
    """
    if not text.isascii():
        letters = _letters()
        plain = (letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
        text = "".join(letters.get(letter, letter) for letter in plain)
    return text.translate(_ASCII_LOOKS).lower().replace("rn", "m")


def _parent(host: str) -> str:
    """Return the domain around a host, empty where that is too short to tell anything."""
    parent = host.partition(".")[2]
    return parent if "." in parent else ""


def _decoded(label: str) -> str:
    import idna

    if not label.lower().startswith("xn--"):
        return label
    try:
        return idna.decode(label.lower())
    except (idna.IDNAError, UnicodeError):
        return label


@lru_cache(maxsize=1024)
def _script(letter: str) -> str:
    """Return the script of a letter, which is the first word of its name in all scripts that matter here."""
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0]


@cache
def _letters() -> Mapping[str, str]:
    """Return each letter beyond ASCII with the ASCII that it looks like."""
    from importlib.resources import files  # loads more than a check needs elsewhere

    result: dict[str, str] = {}
    for line in (files("opsmail") / "data" / "confusables.txt").read_text("utf-8").splitlines():
        look, _, points = line.partition(":")
        if points and not line.startswith("#"):
            result.update((chr(int(point, 16)), look) for point in points.split())
    return result
