"""Canonical JSON (RFC 8785): one value, one row of bytes, so that its digest and signature hold everywhere.

Operators, evidence and manifests are written this way by the thousand. The library for it writes each octet in Python
and takes four times as long as `json`, whose encoder in C writes the same but where floats (section 3.2.2.3) or keys
beyond ASCII (section 3.2.3) come into it. Those, and what cannot be written at all, are left to the library.
"""

from __future__ import annotations

from json import JSONEncoder
from typing import Any

# Section 3.2.2.3: readers of JSON do not agree on integers beyond.
_LARGEST = 2**53 - 1

#: What is written in one way only, whatever it is; most of what there is.
_WRITTEN_ALIKE = frozenset((str, bool, type(None)))

# What holds itself has been found by `_is_plain`, which never comes to an end of it.
_ENCODER = JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":"))


def canonical_json(value: Any) -> bytes:
    """Return `value` in its canonical form.

    Args:
        value: plain data: None, bool, int, float, str, and lists, tuples and dicts of such.

    Raises:
        ValueError: it holds something else, an integer beyond 2^53, NaN or an infinity, or a lone surrogate.
        RecursionError: it is nested too deeply.
    """
    if _is_plain(value):
        try:
            return _ENCODER.encode(value).encode("utf-8")
        except UnicodeEncodeError:
            pass  # a lone surrogate: the library has the words for it
    import rfc8785  # hardly anybody needs it

    return rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    """Whether `json` writes `value`, as far as it can be written, in the way of RFC 8785."""
    kind = type(value)
    if kind is dict:
        for key in value:
            if type(key) is not str or not key.isascii():
                return False
        items = value.values()
    elif kind is list or kind is tuple:
        items = value
    elif kind is int:
        return bool(-_LARGEST <= value <= _LARGEST)
    else:
        return kind in _WRITTEN_ALIKE or isinstance(value, str)
    for item in items:  # noqa: SIM110 - `all` would halve the depth that Python 3.11 reaches
        if type(item) not in _WRITTEN_ALIKE and not _is_plain(item):
            return False
    return True
