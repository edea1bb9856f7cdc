"""OM603, OM705 and OM706: what several operators have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from opsmail.check.facts import UsedSecret
from opsmail.check.interface import Context, Fleet, FleetProblem, Mark, Problem, fleet_rule
from opsmail.check.result import Member
from opsmail.findings import Severity
from opsmail.messages import msg

#: More places help nobody.
_MOST_MARKS = 10


@fleet_rule("OM603", "shared-secret", Severity.WARNING, by_facts=True)
def shared_secret(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """One secret for several accounts: at most one of them can be right."""
    first: dict[str, tuple[UsedSecret, Member]] = {}
    for member in fleet.members:
        if member.facts is None:
            continue
        for secret in member.facts.secrets:
            known, other = first.setdefault(secret.reference, (secret, member))
            if known.account != secret.account:
                yield FleetProblem(
                    member.file,
                    Problem(
                        secret.path,
                        msg("operator `{other}` uses this secret for another account", other=other.name),
                        label=msg("shared"),
                        help=msg("give each account a secret of its own"),
                        marks=(Mark(known.path, msg("the same secret"), other.file),),
                    ),
                )


@fleet_rule("OM705", "over-provider-limit", Severity.WARNING, by_facts=True)
def over_provider_limit(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """The operators on one account may send more, all together, than the provider takes from it."""
    accounts: dict[tuple[str, str], list[tuple[Member, int]]] = defaultdict(list)
    for member in fleet.members:
        facts = member.facts
        if facts is None or facts.messages_per_minute is None or not facts.enabled or facts.username is None:
            continue
        provider = context.providers.of_host(facts.host)
        if provider is not None and provider.messages_per_minute is not None:
            accounts[provider.id, facts.username].append((member, facts.messages_per_minute))
    names = {provider.id: provider for provider in context.providers.all}
    for (provider_id, username), members in accounts.items():
        provider = names[provider_id]
        limit = provider.messages_per_minute or 0
        total = sum(count for _, count in members)
        if total > limit:
            yield _over(members, total, limit, provider.name, username)


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


@fleet_rule("OM706", "same-settings", Severity.NOTE, by_facts=True)
def same_settings(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """Two operators that differ in nothing but their id."""
    first: dict[bytes, Member] = {}
    for member in fleet.members:
        if member.facts is None:
            continue
        other = first.setdefault(member.facts.likeness, member)
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
