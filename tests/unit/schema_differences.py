"""Where a published schema and the reader of a file are known to differ, each with its reason.

Everything else that they judge differently is a defect; `tests/unit/test_agreement.py` looks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from opsmail.references import SecretReference


@dataclass(frozen=True)
class Difference:
    """One known difference.

    Args:
        reason: why it cannot or should not go away.
        stricter: which of the two refuses what the other takes.
        concerns: whether a field, given by its dotted path and value, is such a case.
    """

    reason: str
    stricter: str
    concerns: Callable[[str, Any], bool]


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: `70000/starttls`, `999.0.0.1:25`, `[::1]:70000`
_NUMBERS = re.compile(r"\d{5}/\S+|([0-9.]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")


def _is_secret(path: str) -> bool:
    return path.endswith((".password", ".secret", ".pfx", ".passphrase", ".token_cache"))


def _is_literal(path: str, value: Any) -> bool:
    return _is_secret(path) and isinstance(value, str) and value != "" and SecretReference.parse(value).is_literal


_LITERAL = Difference(
    "a literal secret is no fault of shape: OM601 refuses it without repeating it", "schema", _is_literal
)
_SCHEMAS_LACK = (
    Difference(
        "to JSON Schema 587.0 is a whole number; no YAML or TOML reader makes such a float of `587`",
        "reader",
        lambda path, value: isinstance(value, float) and value.is_integer(),
    ),
    Difference(
        "`$` in a pattern of Python's `re` lets a line end pass; in ECMAScript's, which editors use, it does not",
        "reader",
        lambda path, value: isinstance(value, str) and value.endswith("\n"),
    ),
    Difference(
        "a pattern cannot tell 2027-02-30 from a date",
        "reader",
        lambda path, value: isinstance(value, str) and _DAY.fullmatch(value) is not None,
    ),
)
OPERATOR = (_LITERAL, *_SCHEMAS_LACK)
SETTINGS = (
    *_SCHEMAS_LACK,
    Difference(
        "a pattern counts digits, not up to 65535 or 255",
        "reader",
        lambda path, value: isinstance(value, str) and _NUMBERS.fullmatch(value) is not None,
    ),
)


def known(differences: tuple[Difference, ...], stricter: str, document: Any) -> bool:
    """Return whether one of the differences explains that only the stricter of the two refuses a document."""
    found = [item for item in differences if item.stricter == stricter]
    return any(item.concerns(path, value) for path, value in _fields(document, "") for item in found)


def _fields(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield f"{path}.{name}.", name  # a name can be odd too; the path is no field's
            yield from _fields(item, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _fields(item, f"{path}.{index}")
    else:
        yield path, value
