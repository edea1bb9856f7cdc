"""Which rules a check runs, as a value: opsmail's own, and what the organisation adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from opsmail.check.interface import DocumentRule, FleetRule, OperatorRule, Rule, SettingsRule
from opsmail.findings import RuleMeta
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules by what they look at.

    Args:
        documents: those that look at a file's text.
        operators: at one operator.
        fleets: at all operators together.
        settings: at the settings.
        found: metadata of those that are found by reading, decoding and waiving.
        packages: which package a rule comes from, by id; opsmail's own and those of the settings are not in it.
    """

    documents: tuple[DocumentRule, ...] = ()
    operators: tuple[OperatorRule, ...] = ()
    fleets: tuple[FleetRule, ...] = ()
    settings: tuple[SettingsRule, ...] = ()
    found: tuple[RuleMeta, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)

    def __add__(self, other: RuleSet) -> RuleSet:
        """Return the rules of both."""
        return RuleSet(
            self.documents + other.documents,
            self.operators + other.operators,
            self.fleets + other.fleets,
            self.settings + other.settings,
            self.found + other.found,
            {**self.packages, **other.packages},
        )

    def functions(self) -> tuple[Rule, ...]:
        """Return the rules that are functions."""
        return (*self.documents, *self.operators, *self.fleets, *self.settings)

    def metas(self) -> dict[str, RuleMeta]:
        """Return every rule's metadata by id, in the order of ids."""
        metas = [*self.found, *(rule.meta for rule in self.functions())]
        return {meta.id: meta for meta in sorted(metas, key=lambda meta: meta.id)}
