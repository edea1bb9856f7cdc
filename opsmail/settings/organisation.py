"""What an organisation adds to opsmail's own rules: settings of its rules, schemas and packages."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from opsmail.constraints import Doc, Length, Pattern
from opsmail.messages import msg
from opsmail.settings.faults import Fault
from opsmail.values import dataclass

#: Ids of opsmail's own rules start with the first, those of rules in the settings with the second.
OWN_PREFIX, ORGANISATION_PREFIX = "OM", "ORG"

_Path = Annotated[str, Length(1, 300)]
#: So long, and nested as little as `opsmail.check.organisation.conditions` allows, a condition cannot explode.
_Condition = Annotated[str, Length(1, 1000)]

RuleId = Annotated[str, Pattern(r"[A-Z]{2,8}[0-9]{3}", msg("a rule id"), "OM502")]
RuleSelector = Annotated[str, Pattern(r"[A-Z]{2,8}[0-9]{0,3}", msg("a rule id or the start of one"), "OM502")]
OrganisationRuleId = Annotated[str, Pattern(r"ORG[0-9]{3}", msg("the id of a rule of your own"), "ORG001")]
RuleName = Annotated[
    str, Length(1, 60), Pattern(r"[a-z0-9]+(-[a-z0-9]+)*", msg("words with hyphens between them"), "finance-relay")
]
PackageName = Annotated[
    str,
    Length(1, 100),
    Pattern(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", msg("the name of an installed package"), "acme-opsmail-rules"),
]
_Field = Annotated[
    str,
    Length(1, 200),
    Pattern(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*", msg("a field of the operator file"), "server.host"),
]


class SeverityName(StrEnum):
    """The severities as settings write them."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Expectation(StrEnum):
    """What a rule has to say of a test's file."""

    FAIL = "fail"
    PASS = "pass"  # noqa: S105 - the opposite of fail


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """An operator file, and whether the rule finds something in it."""

    file: Annotated[_Path, Doc("File", "A whole operator file.", ("tests/policy/fin-bad.yaml",))]
    expect: Annotated[Expectation, Doc("Expectation", "`fail`: the rule finds something; `pass`: nothing.", ("fail",))]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRule:
    """A rule of the organisation's own: an operator for which `when` holds has to fulfil `require`."""

    id: Annotated[OrganisationRuleId, Doc("Rule id", "`ORG` and three digits; never given to another rule.")]
    name: Annotated[RuleName, Doc("Name", "A few words with hyphens; without one, the id.")] | None = None
    message: Annotated[
        str, Length(1, 300), Doc("Message", "What is wrong, told to whoever changed the operator's file.")
    ]
    severity: Annotated[SeverityName, Doc("Severity", "How much it matters.")] = SeverityName.ERROR
    when: (
        Annotated[
            _Condition,
            Doc("When", "Which operators it is for, in CEL; without it, all.", ("operator.labels.team == 'rh'",)),
        ]
        | None
    ) = None
    require: Annotated[
        _Condition,
        Doc("Require", "What has to be true of them, in CEL.", ("operator.server.host == 'smtp.empresa.com.br'",)),
    ]
    at: (
        Annotated[_Field, Doc("Place", "The field that a finding points at; without it, the file.", ("server.host",))]
        | None
    ) = None
    tests: Annotated[tuple[RuleTest, ...], Doc("Tests", "What `opsmail policy test` runs.")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraSchemas:
    """JSON Schemas that operator files have to fulfil besides opsmail's own."""

    extra: Annotated[
        tuple[_Path, ...], Doc("Extra schemas", "JSON Schemas in this repository.", (["schemas/empresa.schema.json"],))
    ] = ()


def leads_out(path: str) -> bool:
    """Whether a path, as settings write it, is not below their folder."""
    return path.startswith("/") or ".." in path.split("/") or "\\" in path


def outside(place: str, path: str) -> Fault:
    """Return the fault of a path that leads out."""
    message = msg("`{path}` leads out of the repository", path=path)
    return Fault(place, message, msg("name a file below the folder of opsmail.toml"))


def rule_faults(rules: tuple[OrganisationRule, ...]) -> Iterator[Fault]:
    """Yield what is wrong with the organisation's rules as a list, and with the files of their tests."""
    seen: dict[str, str] = {}
    for index, rule in enumerate(rules):
        for word, field in ((rule.id, "id"), (rule.name, "name")):
            if word is not None and word in seen:
                message = msg("two rules have the {field} `{word}`", field=field, word=word)
                yield Fault(f"rules.{index}.{field}", message, msg("give each a {field} of its own", field=field))
            elif word is not None:
                seen[word] = field
        for number, test in enumerate(rule.tests):
            if leads_out(test.file):
                yield outside(f"rules.{index}.tests.{number}.file", test.file)


def schema_faults(schemas: ExtraSchemas) -> Iterator[Fault]:
    """Yield the schemas that stand twice."""
    names = [posixpath.normpath(path) for path in schemas.extra]
    for index, path in enumerate(names):
        if path in names[:index]:
            yield Fault(f"schema.extra.{index}", msg("`{path}` stands twice", path=path), msg("delete one of the two"))


def selector_faults(field: str, selectors: tuple[str, ...], packages: tuple[str, ...]) -> Iterator[Fault]:
    """Yield the rules that a field names and nothing could bring.

    Args:
        field: path of the field.
        selectors: rule ids or the starts of them.
        packages: those that bring rules.
    """
    for selector in selectors:
        prefix = selector.rstrip("0123456789")
        if prefix not in (OWN_PREFIX, ORGANISATION_PREFIX) and not packages:
            message = msg("no rule has an id like `{selector}`", selector=selector)
            remedy = msg("opsmail's own start with `OM`, yours with `ORG`; packages with others are named in `plugins`")
            yield Fault(field, message, remedy)
