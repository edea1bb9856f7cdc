"""Pages of the organisation's own rules, made of what the settings and the packages say of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from gettext import NullTranslations

from opsmail.check.pages import RulePage, Section, facts
from opsmail.check.ruleset import RuleSet
from opsmail.findings import RuleMeta
from opsmail.messages import Message, msg
from opsmail.settings.load import Settings
from opsmail.settings.organisation import OrganisationRule

#: A section's title and its lines.
_Told = tuple[Message, Sequence[Message | str]]


def page_of(
    meta: RuleMeta, rules: RuleSet, settings: Settings, language: NullTranslations | None = None
) -> RulePage | None:
    """Return the page of a rule that is the organisation's; None for one of opsmail's.

    Args:
        meta: the rule.
        rules: all rules of these settings.
        settings: where rules are written down.
        language: of what opsmail says in it; English without one.
    """
    for rule in settings.file.rules:
        if rule.id == meta.id:
            return _page(meta, _of_settings(rule, settings.name), language)
    package = rules.packages.get(meta.id)
    return None if package is None else _page(meta, _of_package(meta, rules, package), language)


def _page(meta: RuleMeta, told: Iterator[_Told], language: NullTranslations | None) -> RulePage:
    sections = []
    for title, lines in told:
        shown = title.render(language)
        text = "\n".join(line if isinstance(line, str) else line.render(language) for line in lines)
        sections.append(Section(str(title), text, "" if shown == str(title) else shown))
    line = facts(meta, language)
    markdown = f"# {meta.id} {meta.name}\n\n{line}\n"
    markdown += "".join(f"\n## {section.shown}\n\n{section.text}\n" for section in sections)
    return RulePage(meta.id, meta.name, line, tuple(sections), markdown)


def _of_settings(rule: OrganisationRule, name: str) -> Iterator[_Told]:
    yield msg("What it checks"), [_plain(rule.message)]
    if rule.when is not None:
        yield msg("For which operators"), [_block(rule.when)]
    yield msg("What has to be true"), [_block(rule.require)]
    where = msg("the file") if rule.at is None else msg("`{path}`", path=rule.at)
    yield msg("Where it points"), [msg("A finding stands at {where}.", where=where)]
    yield msg("Tests"), _tests(rule)
    yield msg("Who answers for it"), [msg("Your organisation: the rule stands in `{name}`.", name=name)]


def _tests(rule: OrganisationRule) -> list[Message]:
    lines = [msg("- `{file}`: expected to {expect}", file=test.file, expect=test.expect.value) for test in rule.tests]
    return lines or [msg("None: `opsmail policy test` has nothing to run.")]


def _of_package(meta: RuleMeta, rules: RuleSet, package: str) -> Iterator[_Told]:
    check = next(rule.check for rule in rules.functions() if rule.meta is meta)
    told = _plain(inspect.cleandoc(check.__doc__ or ""))
    yield msg("What it checks"), [told or msg("The package does not say: its rule has no docstring.")]
    named = msg("The package `{package}`, named by `policy.plugins` in the settings.", package=package)
    yield msg("Who answers for it"), [named]


def _block(text: str) -> str:
    return f"```cel\n{_plain(text.strip())}\n```"


def _plain(text: str) -> str:
    """Return a text that neither begins nor ends a block: three backticks would."""
    return text.replace("```", "'''")
