"""The organisation's JSON Schemas: read, looked at, and held against operator files as rule OM107.

What opsmail could not keep to is refused before anything is checked: a keyword that nobody knows, a format that is not
checked, a reference to somewhere else. A schema that demands less than its author believes is worse than none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry, Resource, Specification
from referencing.jsonschema import DRAFT7, DRAFT202012

from opsmail.check.disclosure import Disclosure
from opsmail.check.interface import DocumentRule, Problem
from opsmail.check.organisation.keywords import MOST_SECONDS, Budget, TooMuchError, strict
from opsmail.check.organisation.schema_faults import Examiner, SchemaFaultError
from opsmail.check.organisation.schema_problems import problem_of
from opsmail.check.rules.structure import STRUCTURE_RULES
from opsmail.check.ruleset import RuleSet
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.settings.faults import SettingsError
from opsmail.settings.load import Settings
from opsmail.source.document import Document

_META = STRUCTURE_RULES["OM107"]
#: Objects and lists in all schemas together, and how deep they are nested.
_MOST_PARTS, _DEEPEST = 1000, 40


@dataclass(frozen=True, slots=True)
class _Dialect:
    validator: type[Validator]
    specification: Specification[Any]


_NEWEST = "https://json-schema.org/draft/2020-12/schema"
_DIALECTS: Mapping[str, _Dialect] = {
    _NEWEST: _Dialect(Draft202012Validator, DRAFT202012),
    "http://json-schema.org/draft-07/schema": _Dialect(Draft7Validator, DRAFT7),
}


def schema_rules(settings: Settings) -> RuleSet:
    """Return the rule that holds operator files against the settings' schemas.

    Raises:
        SettingsError: a schema cannot be used.
    """
    schemas = {name: _parsed(name, settings.texts[name]) for name in settings.file.schema.extra}
    _require_small(schemas)
    dialect = _dialect(schemas)
    for name, schema in schemas.items():
        _require_valid(name, schema, dialect)
    registry = _registry(schemas, dialect)
    examiner = Examiner()
    for name, schema in schemas.items():
        resolver = registry.resolver_with_root(dialect.specification.create_resource(schema))
        try:
            examiner.examine(schema, resolver, dialect.specification)
        except SchemaFaultError as fault:
            raise _wrong(name, fault.path, fault.reason, fault.remedy) from None
    budget = Budget()
    kind = strict(dialect.validator, budget)
    disclosure = Disclosure.of(Operator)
    checks = [_Check(name, kind(schema, registry=registry), budget, disclosure) for name, schema in schemas.items()]

    def organisation_schema(document: Document) -> Iterator[Problem]:
        """What the organisation's own JSON Schemas demand."""
        for check in checks:
            yield from check.problems(document)

    return RuleSet(documents=(DocumentRule(_META, organisation_schema),))


@dataclass(frozen=True, slots=True)
class _Check:
    """One schema, ready for use."""

    name: str
    validator: Validator
    budget: Budget
    disclosure: Disclosure

    def problems(self, document: Document) -> list[Problem]:
        """Return what the schema finds in one file, each thing once.

        Raises:
            SettingsError: it does not come to an end.
        """
        self.budget.renew()
        try:
            found = [
                problem_of(error, self.name, self.disclosure) for error in self.validator.iter_errors(document.data)
            ]
        except (TooMuchError, RecursionError):
            raise _wrong(
                self.name,
                "$",
                msg("checking one file does not come to an end within {seconds} s", seconds=MOST_SECONDS),
                msg("look for references that lead back to themselves, or that multiply"),
            ) from None
        return list(dict.fromkeys(found))


def _parsed(name: str, text: str) -> Any:
    def constant(word: str) -> NoReturn:
        raise ValueError(f"{word} is no number of JSON")

    def number(digits: str) -> float:
        value = float(digits)
        return value if math.isfinite(value) else constant(digits[:20])

    try:
        return json.loads(text, parse_constant=constant, parse_float=number)
    except json.JSONDecodeError as error:
        reason = msg("not valid JSON: {reason}, line {line}", reason=error.msg, line=error.lineno)
    except ValueError as error:
        reason = msg("not valid JSON: {reason}", reason=str(error))
    except RecursionError:
        reason = msg("it is nested too deeply")
    raise _wrong(name, "$", reason, msg("correct the file"))


def _require_small(schemas: Mapping[str, Any]) -> None:
    """Count objects and lists before anything goes through them that calls itself."""
    count = 0
    for name, schema in schemas.items():
        waiting = [(schema, 1)]
        while waiting:
            value, depth = waiting.pop()
            if isinstance(value, dict | list):
                count += 1
                if count > _MOST_PARTS or depth > _DEEPEST:
                    reason = msg("more than {most} parts, or {depth} inside another", most=_MOST_PARTS, depth=_DEEPEST)
                    raise _wrong(name, "$", reason, msg("operator files are small: so is what describes them"))
                waiting += [(item, depth + 1) for item in (value.values() if isinstance(value, dict) else value)]


def _dialect(schemas: Mapping[str, Any]) -> _Dialect:
    """Return the dialect that all of them are written in, taken out of them: jsonschema would go by it again."""
    named = {
        name: str(schema.pop("$schema", _NEWEST)).rstrip("#") if isinstance(schema, dict) else _NEWEST
        for name, schema in schemas.items()
    }
    first = next(iter(named.values()))
    for name, uri in named.items():
        if uri not in _DIALECTS:
            known = ", ".join(f"`{item}`" for item in _DIALECTS)
            raise _wrong(name, "$.$schema", msg("this dialect is not supported"), msg("write {known}", known=known))
        if uri != first:
            remedy = msg("write `{uri}` into each; without `$schema` it is the newest one", uri=first)
            raise _wrong(name, "$.$schema", msg("the extra schemas are of different dialects"), remedy)
    return _DIALECTS[first]


def _require_valid(name: str, schema: Any, dialect: _Dialect) -> None:
    """Hold the schema against the schema of schemas."""
    meta = Draft202012Validator if dialect.validator is Draft202012Validator else Draft7Validator
    error = next(meta(meta.META_SCHEMA).iter_errors(schema), None)
    if error is not None:
        remedy = msg("compare it with what JSON Schema says of the keyword")
        raise _wrong(name, error.json_path, msg("JSON Schema does not allow this here"), remedy)


def _registry(schemas: Mapping[str, Any], dialect: _Dialect) -> Registry[Any]:
    """Return what references may lead to: the listed files by their `$id`, and nothing else on earth."""
    registry: Registry[Any] = Registry()
    for name, schema in schemas.items():
        resource: Resource[Any] = dialect.specification.create_resource(schema)
        uri = resource.id()
        if uri is None:
            continue
        if uri in registry:
            raise _wrong(name, "$.$id", msg("another schema has the same `$id`"), msg("give each one of its own"))
        registry = registry.with_resource(uri, resource)
    try:
        return registry.crawl()
    except ValueError:
        remedy = msg("write one like `https://empresa.com.br/operator.schema.json`")
        raise _wrong(", ".join(schemas), "$", msg("an `$id` is no URI"), remedy) from None


def _wrong(name: str, path: str, reason: Message, remedy: Message) -> SettingsError:
    return SettingsError(msg("{file}: {path}: {reason}", file=name, path=path[:200], reason=reason), hint=remedy)
