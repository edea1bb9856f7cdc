"""What a plain YAML scalar means: the YAML 1.2 core schema, less everything that two readers could take differently."""

from __future__ import annotations

import re
from functools import lru_cache

from opsmail.expressions import expression

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}
#: How everything starts that is not simply text.
NOT_TEXT = frozenset("-0123456789tfn~")
# At most 18 digits: the value fits 64 bits in every language that reads the published settings.
_INTEGER = expression(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = expression(r"-?(?:0|[1-9][0-9]{0,15})\.[0-9]{1,15}")
# Numbers to one YAML reader and something else to another: leading zero (octal in YAML 1.1), underscores, other bases,
# base 60 (1.1), exponents, signs, infinities.
_AMBIGUOUS = expression(
    r"[-+]?(?:0[0-9_]+|0[xob][0-9A-Fa-f_]+|[0-9]+_[0-9_]*|[0-9]+(?::[0-9]+)+|[0-9.]+[eE][-+]?[0-9]+|\.(?:inf|nan))"
    r"|\+[0-9.]+|[0-9]{19,}",
    re.IGNORECASE,
)
#: Truth values and null to a YAML 1.1 reader, in any case.
_YAML_1_1_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_KEY = expression(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def resolve_plain(text: str) -> Scalar:
    """Return the value of an unquoted scalar; whatever is not plainly a number, a truth value or null is text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in NOT_TEXT:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return float(text)
    return text


def is_ambiguous_number(text: str) -> bool:
    """Whether YAML readers disagree on the number that this unquoted text stands for."""
    return _AMBIGUOUS.fullmatch(text) is not None


def is_truth_word(text: str) -> bool:
    """Whether a reader of YAML 1.1 takes this unquoted text for a truth value or null."""
    return text.lower() in _YAML_1_1_WORDS


def is_quoted_key(text: str) -> bool:
    """Whether this, in quotes, is the name of a field: an ASCII word."""
    return _KEY.fullmatch(text) is not None


@lru_cache(maxsize=1024)  # files have the same few keys
def is_plain_key(text: str) -> bool:
    """Whether every YAML reader takes this, unquoted, for the same name: a word, and no truth value of YAML 1.1."""
    return is_quoted_key(text) and not is_truth_word(text)
