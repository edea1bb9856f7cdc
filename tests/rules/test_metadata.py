"""What must not change by accident: ids, names, severities, and which rules cannot be waived."""

from __future__ import annotations

from opsmail.check.rules import FLEET_RULES, OPERATOR_RULES, all_rules
from opsmail.check.rules.structure import STRUCTURE_RULES

RELEASED = """
OM001 error   unwaivable unreadable-file
OM002 error   unwaivable invalid-yaml
OM003 error   unwaivable duplicate-key
OM004 error   unwaivable not-one-document
OM005 error   unwaivable unsupported-yaml
OM006 error   unwaivable not-utf8
OM007 error   unwaivable too-large
OM008 error   unwaivable not-a-plain-file
OM009 error   unwaivable ambiguous-scalar
OM010 error   unwaivable invisible-character
OM101 error   waivable   unknown-field
OM102 error   waivable   missing-field
OM103 error   waivable   wrong-type
OM104 error   waivable   invalid-value
OM105 error   waivable   file-name-mismatch
OM106 error   waivable   unsupported-version
OM201 error   waivable   port-encryption-mismatch
OM202 warning waivable   nonstandard-port
OM203 warning waivable   cleartext-port
OM204 error   waivable   host-is-not-a-name
OM209 error   unwaivable server-not-approved
OM301 warning waivable   encryption-off
OM303 error   unwaivable microsoft-needs-tls12
OM401 error   unwaivable modern-needs-tls
OM402 error   unwaivable credentials-in-clear
OM403 warning waivable   microsoft-basic-retiring
OM501 error   waivable   sender-is-not-account
OM502 warning waivable   sender-differs
OM503 error   waivable   invalid-address
OM504 error   unwaivable sender-domain
OM601 error   unwaivable literal-secret
OM602 error   waivable   unknown-secret-scheme
OM604 error   unwaivable secret-not-for-server
OM701 error   unwaivable no-master
OM702 error   unwaivable several-masters
OM703 error   unwaivable master-disabled
OM704 error   unwaivable duplicate-operator
OM801 error   unwaivable invalid-waiver
OM802 error   unwaivable expired-waiver
OM803 warning unwaivable unused-waiver
"""


def test_rules_are_what_was_released() -> None:
    now = []
    for meta in all_rules().values():
        waivable = "unwaivable" if meta.unwaivable else "waivable"
        now.append(f"{meta.id} {meta.severity.label:7} {waivable:10} {meta.name}")
    assert now == RELEASED.split("\n")[1:-1]


def test_every_rule_says_what_it_is_for_and_stands_once() -> None:
    assert all(rule.check.__doc__ for rule in OPERATOR_RULES)
    assert all(rule.check.__doc__ for rule in FLEET_RULES)
    assert len(OPERATOR_RULES) + len(FLEET_RULES) + len(STRUCTURE_RULES) == len(all_rules())
    assert {meta.ruleset for meta in all_rules().values()} == {1}
