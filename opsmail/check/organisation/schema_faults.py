"""What in a schema cannot be kept to, with its JSON path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from referencing import Specification
from referencing._core import Resolved, Resolver
from referencing.exceptions import Unresolvable

from opsmail.check.organisation.formats import FORMATS
from opsmail.check.organisation.keywords import MOST_PATTERNS, compiled
from opsmail.check.organisation.pattern_syntax import PatternError
from opsmail.messages import Message, msg
from opsmail.shape import nearest, shown

#: Keywords that hold a schema (or, in draft-07, a list of them), a list, or a table of schemas.
_ONE = frozenset(
    ("not", "if", "then", "else", "additionalProperties", "propertyNames", "contains", "items", "additionalItems")
)
_LIST = frozenset(("allOf", "anyOf", "oneOf", "prefixItems", "items"))
_TABLE = frozenset(("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"))
_VALUES = frozenset(
    (
        *("type", "const", "enum", "pattern", "format", "minLength", "maxLength", "required", "dependentRequired"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minProperties"),
        *("maxProperties", "minItems", "maxItems", "uniqueItems", "minContains", "maxContains"),
    )
)
_ABOUT = frozenset(
    (
        *("$ref", "$id", "$anchor", "$schema", "$comment", "title", "description", "default", "examples"),
        *("deprecated", "readOnly", "writeOnly"),
    )
)
KNOWN = _ONE | _LIST | _TABLE | _VALUES | _ABOUT


class SchemaFaultError(Exception):
    """A schema cannot be used.

    Args:
        path: where in it, as a JSON path.
        reason: why.
        remedy: what to do.
    """

    def __init__(self, path: str, reason: Message, remedy: Message) -> None:
        super().__init__(path)
        self.path = path
        self.reason = reason
        self.remedy = remedy


class Examiner:
    """Looks at schemas, each part once, before they are used."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._patterns: set[str] = set()

    def examine(self, root: Any, resolver: Resolver[Any], specification: Specification[Any]) -> None:
        """Look at each schema in a file, and at those that it refers to.

        Args:
            root: the file as data.
            resolver: knows all listed files, and nothing else.
            specification: of the dialect, so that an `$id` inside counts.

        Raises:
            SchemaFaultError: the first fault.
        """
        waiting = [(root, resolver, "$")]
        while waiting:
            schema, around, path = waiting.pop()
            if isinstance(schema, bool) or id(schema) in self._seen:
                continue
            if not isinstance(schema, dict):
                raise SchemaFaultError(path, msg("no schema is here"), msg("a schema is an object, `true` or `false`"))
            self._seen.add(id(schema))
            here = around.in_subresource(specification.create_resource(schema))
            for name, value in schema.items():
                self._judge(name, value, f"{path}.{name}")
            if "$ref" in schema:
                target = _resolved(schema["$ref"], here, f"{path}.$ref")
                waiting.append((target.contents, target.resolver, f"{path}.$ref"))
            waiting += [(inner, here, where) for inner, where in _inner(schema, path)]

    def _judge(self, name: str, value: Any, path: str) -> None:
        if name == "$schema":  # of a file it was read, and taken out
            raise SchemaFaultError(path, msg("`$schema` stands inside a file"), msg("write it at the top, once"))
        if name not in KNOWN and not name.startswith("x-"):
            guess = nearest(name, sorted(KNOWN))
            remedy = msg("did you mean `{guess}`?", guess=guess) if guess else msg("your own notes start with `x-`")
            raise SchemaFaultError(path, msg("opsmail does not know the keyword `{name}`", name=shown(name)), remedy)
        if name == "format" and value not in FORMATS:
            known = ", ".join(f"`{item}`" for item in FORMATS)
            reason = msg("the format `{name}` is not checked", name=shown(value))
            raise SchemaFaultError(path, reason, msg("checked are {known}; use `pattern` for others", known=known))
        for pattern in (value,) if name == "pattern" else value if name == "patternProperties" else ():
            self._patterns.add(pattern)
            if len(self._patterns) > MOST_PATTERNS:
                reason = msg("more than {most} patterns", most=MOST_PATTERNS)
                raise SchemaFaultError(path, reason, msg("use `enum`, or fewer of them"))
            _compile(pattern, path)


def _compile(pattern: str, path: str) -> None:
    try:
        compiled(pattern)
    except PatternError as error:
        reason = msg("the pattern `{pattern}` cannot be used: {reason}", pattern=shown(pattern), reason=error.reason)
        raise SchemaFaultError(path, reason, msg("write it another way; `not` with a `pattern` excludes")) from None


def _resolved(reference: str, resolver: Resolver[Any], path: str) -> Resolved[Any]:
    try:
        return resolver.lookup(reference)
    except (Unresolvable, ValueError, LookupError, TypeError):
        reason = msg("`{reference}` leads nowhere", reference=shown(reference))
        remedy = msg("refer to a part of this schema, or to the `$id` of one in `schema.extra`; nothing is fetched")
        raise SchemaFaultError(path, reason, remedy) from None


def _inner(schema: dict[str, Any], path: str) -> Iterator[tuple[Any, str]]:
    """Yield the schemas directly in this one, each with its path."""
    for name, value in schema.items():
        where = f"{path}.{name}"
        if name in _LIST and isinstance(value, list):
            yield from ((item, f"{where}[{index}]") for index, item in enumerate(value))
        elif name in _ONE:
            yield value, where
        elif name in _TABLE:
            # In draft-07 a dependency may be a list of names.
            yield from ((item, f"{where}.{key}") for key, item in value.items() if not isinstance(item, list))
