"""OM603, OM705 and OM706: what several operators have in common."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from opsmail.check.interface import Context, Fleet, FleetProblem, Mark, Member, Problem, fleet_rule
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.operator.digest import canonical_host
from opsmail.operator.model import ModernAuthentication, Operator
from opsmail.references import SecretReference
from opsmail.settings.catalogue import environment_name
from opsmail.shape import encode

#: More places help nobody.
_MOST_MARKS = 10


def _readable(fleet: Fleet) -> Iterator[tuple[Member, Operator]]:
    return ((member, member.operator) for member in fleet.members if member.operator is not None)


@fleet_rule("OM603", "shared-secret", Severity.WARNING)
def shared_secret(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """One secret for several accounts: at most one of them can be right."""
    first: dict[SecretReference, tuple[str, str, Member]] = {}
    for member, operator in _readable(fleet):
        for path, reference in operator.references():
            if reference.is_literal:
                continue
            account = _account(operator, path)
            known, at, other = first.setdefault(reference, (account, path, member))
            if known != account:
                yield FleetProblem(
                    member.file,
                    Problem(
                        path,
                        msg("operator `{other}` uses this secret for another account", other=other.name),
                        label=msg("shared"),
                        help=msg("give each account a secret of its own"),
                        marks=(Mark(at, msg("the same secret"), other.file),),
                    ),
                )


def _account(operator: Operator, path: str) -> str:
    """Return whose secret it is: the application's, which may send for many mailboxes, or the user's."""
    authentication = operator.authentication
    if isinstance(authentication, ModernAuthentication) and not path.endswith("token_cache"):
        return f"{authentication.tenant}/{authentication.client_id}".lower()
    return (operator.username or "").lower()


@fleet_rule("OM705", "over-provider-limit", Severity.WARNING)
def over_provider_limit(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """The operators on one account may send more, all together, than the provider takes from it."""
    accounts: dict[tuple[str, str], list[tuple[Member, int]]] = defaultdict(list)
    for member, operator in _readable(fleet):
        if operator.limits is None or operator.limits.messages_per_minute is None or not operator.enabled:
            continue
        provider = context.providers.of_host(operator.server.host)
        if provider is not None and provider.messages_per_minute is not None and operator.username is not None:
            key = provider.id, operator.username.lower()
            accounts[key].append((member, operator.limits.messages_per_minute))
    names = {provider.id: provider for provider in context.providers.all}
    for (provider_id, username), members in accounts.items():
        limit = names[provider_id].messages_per_minute or 0
        total = sum(count for _, count in members)
        if total > limit:
            yield _over(members, total, limit, names[provider_id].name, username)


def _over(members: list[tuple[Member, int]], total: int, limit: int, provider: str, username: str) -> FleetProblem:
    (first, _), *others = members
    message = msg(
        "{total} messages a minute for `{username}`, but {provider} takes {limit}",
        total=total,
        username=username,
        provider=provider,
        limit=limit,
    )
    return FleetProblem(
        first.file,
        Problem(
            "limits.messages_per_minute",
            message,
            label=msg("too many, all together") if others else msg("too many"),
            help=msg("lower the limits of the operators on this account to {limit} in all", limit=limit),
            marks=tuple(
                Mark("limits.messages_per_minute", msg("the same account"), other.file)
                for other, _ in others[:_MOST_MARKS]
            ),
        ),
    )


@fleet_rule("OM706", "same-settings", Severity.NOTE)
def same_settings(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """Two operators that differ in nothing but their id."""
    near: dict[tuple[str, ...], list[tuple[Member, Operator]]] = defaultdict(list)
    for member, operator in _readable(fleet):
        near[operator.sender.address, operator.server.host, operator.username or ""].append((member, operator))
    for group in near.values():
        if len(group) > 1:
            yield from _alike(group)


def _alike(group: Iterable[tuple[Member, Operator]]) -> Iterator[FleetProblem]:
    first: dict[str, Member] = {}
    for member, operator in group:
        other = first.setdefault(_without_id(operator), member)
        if other is not member and other.name != member.name:
            yield FleetProblem(
                member.file,
                Problem(
                    "operator",
                    msg("`{name}` and `{other}` differ in nothing but their id", name=member.name, other=other.name),
                    label=msg("the same settings"),
                    help=msg("delete one of them if it is a copy; if both are needed, nothing has to be done"),
                    marks=(Mark("operator", msg("the other one"), other.file),),
                ),
            )


def _without_id(operator: Operator) -> str:
    """Return all of an operator but its id, also where the id stands in the name of its secret."""
    server = replace(operator.server, host=canonical_host(operator.server.host))
    text = json.dumps(encode(replace(operator, operator="", server=server)), sort_keys=True)
    for _, reference in operator.references():
        named = str(reference)
        names = f"{re.escape(operator.operator)}|{re.escape(environment_name(operator.operator))}"
        unnamed = re.sub(f"(?<![A-Za-z0-9])(?:{names})(?![A-Za-z0-9])", "{operator}", named)
        text = text.replace(json.dumps(named), json.dumps(unnamed))
    return text
