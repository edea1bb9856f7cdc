"""What an organisation adds to opsmail's rules: JSON Schemas, conditions in the settings, packages."""

from __future__ import annotations

from opsmail.check.rules import OWN_RULES
from opsmail.check.ruleset import RuleSet
from opsmail.errors import UsageError, install_hint
from opsmail.messages import msg
from opsmail.settings.load import Settings

#: What the extra `cel` brings.
_CEL_PACKAGES = ("cel_expr_python", "google")


def rules_of(settings: Settings) -> RuleSet:
    """Return opsmail's rules and those that the settings add; what they do not use is not even imported.

    Raises:
        SettingsError: a rule or schema is wrong.
        UsageError: what it needs is not installed.
    """
    rules = OWN_RULES
    if settings.file.schema.extra:
        from opsmail.check.organisation.schemas import schema_rules

        rules += schema_rules(settings)
    if settings.file.rules:
        rules += _conditions(settings)
    if settings.file.policy.plugins:
        from opsmail.check.organisation.packages import package_rules

        rules += package_rules(settings)
    return rules


def _conditions(settings: Settings) -> RuleSet:
    try:
        from opsmail.check.organisation.conditions import condition_rules
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _CEL_PACKAGES:
            raise
        message = msg("the rules in {file} need a library that is not installed", file=settings.name)
        raise UsageError(message, hint=install_hint("cel")) from None
    return condition_rules(settings)
