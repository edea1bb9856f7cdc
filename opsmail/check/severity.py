"""How much a finding matters under the settings' policy."""

from __future__ import annotations

from opsmail.findings import RuleMeta, Severity
from opsmail.settings.model import Policy


class Judge:
    """Judges severities by one policy.

    Args:
        policy: ignored rules, severities by rule, and additions to the unwaivable ones.
    """

    def __init__(self, policy: Policy) -> None:
        self._ignored = tuple(policy.ignore)
        self._unwaivable = tuple(policy.unwaivable)
        self._severities = {rule: Severity[name.name] for rule, name in policy.severity.items()}

    def severity(self, meta: RuleMeta, proposed: Severity | None = None) -> Severity | None:
        """Return the severity of a finding, None when the policy ignores its rule.

        Args:
            meta: the rule.
            proposed: the severity that the rule itself gives this finding, where it is not its usual one.
        """
        own = meta.severity if proposed is None else proposed
        chosen = self._severities.get(meta.id, own)
        if self.is_unwaivable(meta):
            return max(chosen, own)
        return None if meta.id.startswith(self._ignored) else chosen

    def is_unwaivable(self, meta: RuleMeta) -> bool:
        """Whether the rule can be neither waived, ignored nor lowered."""
        return meta.unwaivable or meta.id.startswith(self._unwaivable)
