"""What must not change by accident: ids, names, severities, and which rules cannot be waived."""

from __future__ import annotations

from opsmail.check.rules import DOCUMENT_RULES, FLEET_RULES, OPERATOR_RULES, SETTINGS_RULES, all_rules
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
OM107 error   waivable   organisation-schema
OM201 error   waivable   port-encryption-mismatch
OM202 warning waivable   nonstandard-port
OM203 warning waivable   cleartext-port
OM204 error   waivable   host-is-not-a-name
OM205 error   waivable   provider-endpoint
OM206 warning waivable   misspelt-provider
OM207 warning waivable   local-host
OM208 error   unwaivable lookalike-host
OM209 error   unwaivable server-not-approved
OM210 note    waivable   unknown-host-suffix
OM211 warning waivable   approval-overdue
OM301 warning waivable   encryption-off
OM302 error   waivable   obsolete-name
OM303 error   unwaivable microsoft-needs-tls12
OM304 error   waivable   runtime-cannot-tls12
OM305 warning waivable   runtime-cannot-implicit-tls
OM401 error   unwaivable modern-needs-tls
OM402 error   unwaivable credentials-in-clear
OM403 warning waivable   microsoft-basic-retiring
OM404 error   unwaivable modern-needs-microsoft
OM405 error   unwaivable cloud-mismatch
OM406 error   waivable   shared-tenant
OM407 warning waivable   username-form
OM408 note    waivable   app-password
OM409 note    waivable   long-lived-secret
OM410 error   unwaivable none-not-approved
OM411 warning waivable   expiring-credential
OM501 error   waivable   sender-is-not-account
OM502 warning waivable   sender-differs
OM503 error   waivable   invalid-address
OM504 error   unwaivable sender-domain
OM505 warning waivable   free-mail-sender
OM506 note    waivable   reply-to-elsewhere
OM601 error   unwaivable literal-secret
OM602 error   waivable   unknown-secret-scheme
OM603 warning waivable   shared-secret
OM604 error   unwaivable secret-not-for-server
OM605 error   unwaivable secret-in-text
OM606 error   waivable   unresolvable-secret
OM701 error   unwaivable no-master
OM702 error   unwaivable several-masters
OM703 error   unwaivable master-disabled
OM704 error   unwaivable duplicate-operator
OM705 warning waivable   over-provider-limit
OM706 note    waivable   same-settings
OM801 error   unwaivable invalid-waiver
OM802 error   unwaivable expired-waiver
OM803 warning unwaivable unused-waiver
OM804 note    unwaivable new-waiver
OM805 warning unwaivable policy-loosened
OM806 warning unwaivable credential-destination-changed
"""


def test_rules_are_what_was_released() -> None:
    now = []
    for meta in all_rules().values():
        waivable = "unwaivable" if meta.unwaivable else "waivable"
        now.append(f"{meta.id} {meta.severity.label:7} {waivable:10} {meta.name}")
    assert now == RELEASED.split("\n")[1:-1]


def test_every_rule_says_what_it_is_for_and_stands_once() -> None:
    assert all((rule.check_server or rule.check).__doc__ for rule in OPERATOR_RULES)
    assert all(rule.check.__doc__ for rule in DOCUMENT_RULES)
    assert all(rule.check.__doc__ for rule in FLEET_RULES)
    assert all(rule.check.__doc__ for rule in SETTINGS_RULES)
    kinds = (STRUCTURE_RULES, DOCUMENT_RULES, OPERATOR_RULES, FLEET_RULES, SETTINGS_RULES)
    assert sum(map(len, kinds)) == len(all_rules())
    assert {meta.ruleset for meta in all_rules().values()} == {1}
