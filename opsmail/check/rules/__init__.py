"""All rules. The order is that of their ids; packages add theirs through the entry point `opsmail.rules`."""

from __future__ import annotations

from opsmail.check.interface import FleetRule, OperatorRule
from opsmail.check.rules import authentication, encryption, fleet, secrets, sender, server
from opsmail.check.rules.structure import STRUCTURE_RULES
from opsmail.findings import RuleMeta

OPERATOR_RULES: tuple[OperatorRule, ...] = (
    server.port_encryption_mismatch,
    server.nonstandard_port,
    server.cleartext_port,
    server.host_is_not_a_name,
    server.server_not_approved,
    encryption.encryption_off,
    encryption.microsoft_needs_tls12,
    authentication.modern_needs_tls,
    authentication.credentials_in_clear,
    authentication.microsoft_basic_retiring,
    sender.sender_is_not_account,
    sender.sender_differs,
    sender.invalid_address,
    sender.sender_domain,
    secrets.literal_secret,
    secrets.unknown_secret_scheme,
    secrets.secret_not_for_server,
)
FLEET_RULES: tuple[FleetRule, ...] = (
    fleet.no_master,
    fleet.several_masters,
    fleet.master_disabled,
    fleet.duplicate_operator,
)


def all_rules() -> dict[str, RuleMeta]:
    """Return every rule's metadata by id, in the order of ids."""
    metas = [
        *STRUCTURE_RULES.values(),
        *(rule.meta for rule in OPERATOR_RULES),
        *(rule.meta for rule in FLEET_RULES),
    ]
    return {meta.id: meta for meta in sorted(metas, key=lambda meta: meta.id)}
