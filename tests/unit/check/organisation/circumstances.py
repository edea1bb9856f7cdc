"""Checks under settings with an organisation's own rules and schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from opsmail.check.engine import check
from opsmail.check.interface import Change, Context, Fleet
from opsmail.check.result import Member
from opsmail.errors import UsageError
from opsmail.findings import Finding
from opsmail.operator.model import Operator
from opsmail.providers import Providers
from opsmail.settings.load import Settings
from opsmail.source.tree import SourceFile
from tests.builders import DAY, SCHEMES, SETTINGS, operator_text, settings_of

Rule = Mapping[str, Any]


def settings_with(
    *rules: Rule, schemas: Mapping[str, Any] | None = None, top: str = "", files: Mapping[str, str] | None = None
) -> Settings:
    """Return settings with rules of an organisation's own.

    Args:
        rules: `id` and `message` are filled in where they lack.
        schemas: extra JSON Schemas by path; a text is the file as it is.
        top: more of `opsmail.toml`.
        files: more files, by path.
    """
    contents = {
        path: schema if isinstance(schema, str) else json.dumps(schema) for path, schema in (schemas or {}).items()
    }
    head = f"schema.extra = {json.dumps(list(contents))}\n" if contents else ""
    tables = "".join(_table({"id": f"ORG{n:03}", "message": "not so", **rule}) for n, rule in enumerate(rules, 1))
    return settings_of(f"{head}{SETTINGS}\n{tables}{top}", {**contents, **(files or {})})


def _table(rule: Rule) -> str:
    return "[[rules]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in rule.items()) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(item)}' for key, item in value.items())} }}"
    return json.dumps(value)


def found(
    settings: Settings,
    *texts: str,
    whole: bool = True,
    base: Sequence[Operator] | None = None,
    ids: Sequence[str] = ("OM107", "ORG", "ACME"),
) -> list[Finding]:
    """Return the findings of the organisation's rules: of one correct operator, or of files with these texts."""
    names = ["rh", "b", "c", "d"]
    contents = texts or (operator_text(),)
    sources = [SourceFile(f"operators/{name}.yaml", text.encode()) for name, text in zip(names, contents, strict=False)]
    before = Fleet(tuple(Member("", item, item.operator, item.role.value) for item in base or ()), whole=True)
    change = None if base is None else Change(before, {"default": settings}, {"default": settings})
    context = Context(settings, Providers(()), DAY, SCHEMES, change=change)
    result = check(sources, context, whole=whole)
    return [finding for finding in result.findings if finding.rule.id.startswith(tuple(ids))]


def told(*arguments: Any, **options: Any) -> list[str]:
    """Return what `found` found, as text."""
    return [str(finding.message) for finding in found(*arguments, **options)]


def refused(settings: Settings, *texts: str) -> list[str]:
    """Return what is wrong with settings that cannot be used, each with its hint."""
    with pytest.raises(UsageError) as caught:
        found(settings, *texts)
    return [f"{error} | {error.hint}" for error in (caught.value, *caught.value.further)]
