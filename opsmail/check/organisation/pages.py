"""Pages of the organisation's own rules, made of what the settings and the packages say of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from opsmail.check.pages import RulePage, Section, facts
from opsmail.check.ruleset import RuleSet
from opsmail.findings import RuleMeta
from opsmail.settings.load import Settings
from opsmail.settings.organisation import OrganisationRule


def page_of(meta: RuleMeta, rules: RuleSet, settings: Settings) -> RulePage | None:
    """Return the page of a rule that is the organisation's; None for one of opsmail's.

    Args:
        meta: the rule.
        rules: all rules of these settings.
        settings: where rules are written down.
    """
    for rule in settings.file.rules:
        if rule.id == meta.id:
            return _page(meta, _of_settings(rule, settings.name))
    package = rules.packages.get(meta.id)
    return None if package is None else _page(meta, _of_package(meta, rules, package))


def _page(meta: RuleMeta, sections: Iterator[Section]) -> RulePage:
    all_sections = tuple(sections)
    head = f"# {meta.id} {meta.name}\n\n{facts(meta)}\n"
    markdown = head + "".join(f"\n## {section.title}\n\n{section.text}\n" for section in all_sections)
    return RulePage(meta.id, meta.name, facts(meta), all_sections, markdown)


def _of_settings(rule: OrganisationRule, name: str) -> Iterator[Section]:
    yield Section("What it checks", _plain(rule.message))
    if rule.when is not None:
        yield Section("For which operators", _block(rule.when))
    yield Section("What has to be true", _block(rule.require))
    where = "the file" if rule.at is None else f"`{rule.at}`"
    yield Section("Where it points", f"A finding stands at {where}.")
    tests = "".join(f"- `{test.file}`: expected to {test.expect.value}\n" for test in rule.tests)
    yield Section("Tests", tests.rstrip() or "None: `opsmail policy test` has nothing to run.")
    yield Section("Who answers for it", f"Your organisation: the rule stands in `{name}`.")


def _of_package(meta: RuleMeta, rules: RuleSet, package: str) -> Iterator[Section]:
    check = next(rule.check for rule in rules.functions() if rule.meta is meta)
    told = _plain(inspect.cleandoc(check.__doc__ or ""))
    yield Section("What it checks", told or "The package does not say: its rule has no docstring.")
    yield Section("Who answers for it", f"The package `{package}`, named by `policy.plugins` in the settings.")


def _block(text: str) -> str:
    return f"```cel\n{_plain(text.strip())}\n```"


def _plain(text: str) -> str:
    """Return a text that neither begins nor ends a block: three backticks would."""
    return text.replace("```", "'''")
