"""How much a finding matters under the settings' policy, and to whoever runs the check."""

from __future__ import annotations

from opsmail.check.judging import EVERYTHING, JudgingOptions
from opsmail.findings import RuleMeta, Severity
from opsmail.settings.model import Policy, Profile


class Judge:
    """Judges severities by one policy.

    Args:
        policy: profile, ruleset, ignored rules, severities by rule, and additions to the unwaivable ones.
        options: what this run wants to be told.
    """

    def __init__(self, policy: Policy, options: JudgingOptions = EVERYTHING) -> None:
        self._ignored = (*policy.ignore, *options.ignore)
        self._unwaivable = tuple(policy.unwaivable)
        self._severities = {rule: Severity[name.name] for rule, name in policy.severity.items()}
        self._profile = policy.profile if options.profile is None else Profile(options.profile)
        self._ruleset = int(policy.ruleset)
        self._options = options

    def severity(self, meta: RuleMeta, proposed: Severity | None = None) -> Severity | None:
        """Return the severity of a finding, None when it is not told.

        Args:
            meta: the rule.
            proposed: the severity that the rule itself gives this finding, where it is not its usual one.
        """
        if self._is_unselected(meta):
            return None
        own = meta.severity if proposed is None else proposed
        chosen = self._severities.get(meta.id, self._usual(meta, own))
        if self.is_unwaivable(meta):
            return max(own, chosen or own)
        return None if meta.id.startswith(self._ignored) else chosen

    def _is_unselected(self, meta: RuleMeta) -> bool:
        return bool(self._options.select) and not meta.id.startswith(self._options.select)

    def _usual(self, meta: RuleMeta, own: Severity) -> Severity | None:
        """Return the severity where the policy names none for this rule."""
        if meta.ruleset > self._ruleset:
            return Severity.NOTE
        if self._profile is Profile.STRICT:
            return Severity(min(own + 1, Severity.ERROR))
        if self._profile is Profile.MINIMAL and own < Severity.ERROR:
            return None
        return own

    def is_unwaivable(self, meta: RuleMeta) -> bool:
        """Whether the rule can be neither waived, ignored nor lowered; a rule newer than the ruleset is not yet so."""
        return meta.ruleset <= self._ruleset and (meta.unwaivable or meta.id.startswith(self._unwaivable))

    def is_passed_over(self, meta: RuleMeta) -> bool:
        """Whether it is this run's options, not the policy, that keep findings of the rule from being told."""
        options = self._options
        quieter = options.profile == Profile.MINIMAL and meta.severity < Severity.ERROR
        return quieter or self._is_unselected(meta) or meta.id.startswith(options.ignore)
