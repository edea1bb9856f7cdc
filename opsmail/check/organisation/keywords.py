"""JSON Schema's keywords as opsmail takes them: bounded in time, strict with numbers, formats and line ends.

jsonschema brings the keywords. Here stand those that it takes too lightly or too slowly (its `pattern` explodes, its
`format` is silent, 587.0 is an integer to it), and those whose errors would not say which field they mean.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, wraps
from typing import Any

from jsonschema import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from opsmail.check.organisation.formats import FORMATS
from opsmail.check.organisation.patterns import Pattern

#: Of the processor's time, for one file and one schema; an ordinary one takes a few thousandths.
MOST_SECONDS = 0.5
#: All schemas together; so many are kept ready.
MOST_PATTERNS = 200

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class TooMuchError(Exception):
    """A schema takes longer for one file than any sensible one."""


class Budget:
    """The time for checking one file; begins when it is renewed."""

    def __init__(self) -> None:
        self._end = 0.0

    def renew(self) -> None:
        """Begin with the next file."""
        self._end = time.process_time() + MOST_SECONDS

    def spend(self) -> None:
        """Go on.

        Raises:
            TooMuchError: the time is up.
        """
        if time.process_time() > self._end:
            raise TooMuchError


@lru_cache(maxsize=MOST_PATTERNS)
def compiled(pattern: str) -> Pattern:
    """Return a pattern ready for use; raises PatternError."""
    return Pattern(pattern)


def strict(validator: type[Validator], budget: Budget) -> type[Validator]:
    """Return a validator class of the same dialect that takes the keywords as this module does.

    Args:
        validator: jsonschema's class for the dialect.
        budget: asked at each keyword, and for each name that patterns are looked for in.
    """

    def counted(keyword: Keyword) -> Keyword:
        @wraps(keyword)
        def checked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError] | None:
            budget.spend()
            return keyword(validator, value, instance, schema)

        return checked

    names = _Names(budget)
    own = {**_OWN, "patternProperties": names.pattern_properties, "additionalProperties": names.additional}
    keywords = {name: counted(keyword) for name, keyword in {**validator.VALIDATORS, **own}.items()}
    types = validator.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number})
    made: type[Validator] = extend(validator, keywords, type_checker=types)  # type: ignore[no-untyped-call]  # by jsonschema
    return made


class _Names:
    """The keywords that look for patterns in the names of fields, of which a file may have thousands."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def pattern_properties(
        self, validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any
    ) -> Iterator[ValidationError]:
        for pattern, inner in patterns.items() if isinstance(instance, dict) else ():
            for name in self._matching(pattern, instance):
                yield from _of_field(validator, inner, instance, name)

    def additional(self, validator: Any, inner: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not isinstance(instance, dict):
            return
        named = set(schema.get("properties", ()))
        for pattern in schema.get("patternProperties", ()):
            named.update(self._matching(pattern, instance))
        for name in instance:
            if name not in named:
                yield from _of_field(validator, inner, instance, name)

    def _matching(self, pattern: str, names: Mapping[str, Any]) -> Iterator[str]:
        for name in names:
            self._budget.spend()
            if compiled(pattern).is_in(name):
                yield name


def _is_integer(checker: object, value: object) -> bool:
    return type(value) is int


def _is_number(checker: object, value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _of_field(validator: Any, inner: Any, instance: Any, name: str) -> Iterator[ValidationError]:
    """Hold one field against its schema; for `false` jsonschema does not say which field that is."""
    if inner is False:
        yield ValidationError(name)
    else:
        yield from validator.descend(instance[name], inner, path=name)


def _properties(validator: Any, properties: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
    for name, inner in properties.items() if isinstance(instance, dict) else ():
        if name in instance:
            yield from _of_field(validator, inner, instance, name)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not compiled(pattern).is_in(instance):
        yield ValidationError("")


def _format(validator: Any, name: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not FORMATS[name](instance):
        yield ValidationError("")


def _required(validator: Any, names: list[str], instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        yield from (ValidationError(name) for name in names if name not in instance)


def _dependent(validator: Any, dependents: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Take what a field demands of others: names or, in draft-07's keyword, a schema of the whole."""
    for name in dependents.keys() & instance.keys() if isinstance(instance, dict) else ():
        demanded = dependents[name]
        if isinstance(demanded, list):
            yield from _required(validator, demanded, instance, schema)
        else:
            yield from validator.descend(instance, demanded, schema_path=name)


def _property_names(validator: Any, inner: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    for name in instance if isinstance(instance, dict) else ():
        if next(validator.descend(name, inner), None) is not None:
            yield ValidationError(name)


def _unique(validator: Any, wanted: object, instance: Any, schema: Any) -> Iterator[ValidationError]:
    # Compared as text, so that a long list takes no longer than it is; 1, 1.0 and true are three values.
    if wanted and isinstance(instance, list):
        texts = {json.dumps(item, sort_keys=True) for item in instance}
        if len(texts) < len(instance):
            yield ValidationError("")


_OWN: Mapping[str, Keyword] = {
    "properties": _properties,
    "pattern": _pattern,
    "format": _format,
    "required": _required,
    "dependentRequired": _dependent,
    "dependencies": _dependent,
    "propertyNames": _property_names,
    "uniqueItems": _unique,
}
