"""All rules of opsmail, in the order of their ids; what an organisation adds is in `opsmail.check.organisation`."""

from __future__ import annotations

from opsmail.check.interface import DocumentRule, FleetRule, OperatorRule, SettingsRule
from opsmail.check.rules import (
    approvals,
    authentication,
    change,
    credentials,
    encryption,
    endpoints,
    fleet,
    hosts,
    microsoft,
    runtimes,
    secrets,
    sender,
    server,
    shared,
    text,
)
from opsmail.check.rules.structure import STRUCTURE_RULES
from opsmail.check.ruleset import RuleSet
from opsmail.findings import RuleMeta

DOCUMENT_RULES: tuple[DocumentRule, ...] = (text.secret_in_text,)
OPERATOR_RULES: tuple[OperatorRule, ...] = (
    server.port_encryption_mismatch,
    server.nonstandard_port,
    server.cleartext_port,
    server.host_is_not_a_name,
    endpoints.provider_endpoint,
    hosts.misspelt_provider,
    hosts.local_host,
    hosts.lookalike_host,
    server.server_not_approved,
    hosts.unknown_host_suffix,
    encryption.encryption_off,
    encryption.microsoft_needs_tls12,
    runtimes.runtime_cannot_tls12,
    runtimes.runtime_cannot_implicit_tls,
    authentication.modern_needs_tls,
    authentication.credentials_in_clear,
    authentication.microsoft_basic_retiring,
    microsoft.modern_needs_microsoft,
    microsoft.cloud_mismatch,
    microsoft.shared_tenant,
    credentials.username_form,
    credentials.app_password,
    credentials.long_lived_secret,
    authentication.none_not_approved,
    credentials.expiring_credential,
    sender.sender_is_not_account,
    sender.sender_differs,
    sender.invalid_address,
    sender.sender_domain,
    sender.free_mail_sender,
    sender.reply_to_elsewhere,
    secrets.literal_secret,
    secrets.unknown_secret_scheme,
    secrets.secret_not_for_server,
)
FLEET_RULES: tuple[FleetRule, ...] = (
    shared.shared_secret,
    secrets.unresolvable_secret,
    fleet.no_master,
    fleet.several_masters,
    fleet.master_disabled,
    fleet.duplicate_operator,
    shared.over_provider_limit,
    shared.same_settings,
    change.credential_destination_changed,
)
SETTINGS_RULES: tuple[SettingsRule, ...] = (approvals.approval_overdue, change.policy_loosened)
OWN_RULES = RuleSet(DOCUMENT_RULES, OPERATOR_RULES, FLEET_RULES, SETTINGS_RULES, tuple(STRUCTURE_RULES.values()))


def all_rules() -> dict[str, RuleMeta]:
    """Return the metadata of opsmail's own rules by id, in the order of ids."""
    return OWN_RULES.metas()
