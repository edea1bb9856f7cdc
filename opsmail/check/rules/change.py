"""OM805 and OM806: what a change does beyond what can be seen in the files that come of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from opsmail.check.interface import Context, Fleet, FleetProblem, Mark, Problem, fleet_rule, settings_rule
from opsmail.check.severity import Judge
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.operator.digest import canonical_host
from opsmail.operator.model import Cloud, Encryption, ModernAuthentication, NoAuthentication, Operator
from opsmail.settings.model import Policy


@settings_rule("OM805", "policy-loosened", Severity.WARNING, unwaivable=True, overlaid=False)
def policy_loosened(fleet: Fleet, context: Context) -> Iterator[Problem]:
    """A change of the settings lets through what they stopped before."""
    if context.change is None:
        return
    from opsmail.settings.loosening import loosenings_anywhere

    for found in loosenings_anywhere(context.change.before, context.change.after, severity_of()):
        yield Problem(
            found.path,
            found.message,
            label=msg("looser than before"),
            help=msg("whoever owns the settings approves it; until it is merged, the settings before it judge"),
        )


def severity_of() -> Callable[[Policy, str], Severity | None]:
    """Return what tells how severe a policy takes a rule, by the rule's id; None where it does not tell it at all."""
    from opsmail.check.rules import all_rules

    rules = all_rules()

    def severity(policy: Policy, rule: str) -> Severity | None:
        meta = rules.get(rule)
        if meta is None:  # an organisation's own, which is an error unless it says otherwise
            own = policy.severity.get(rule)
            return Severity.ERROR if own is None else Severity[own.name]
        return Judge(policy).severity(meta)

    return severity


class _Destination(NamedTuple):
    """Who gets a credential: the server, and of an application's also the identity provider of its cloud."""

    host: str
    port: int
    encryption: Encryption
    cloud: Cloud | None

    @classmethod
    def of(cls, operator: Operator) -> _Destination:
        server, authentication = operator.server, operator.authentication
        cloud = authentication.cloud if isinstance(authentication, ModernAuthentication) else None
        return cls(canonical_host(server.host), server.port, server.encryption, cloud)

    def __str__(self) -> str:
        cloud = "" if self.cloud in (None, Cloud.GLOBAL) else f" ({self.cloud.value})"
        return f"{self.host}:{self.port}/{self.encryption.value}{cloud}"

    def difference(self, former: _Destination) -> str:
        """Return the first field in which it differs, empty where it does not."""
        fields = ("server.host", "server.port", "server.encryption")
        changed = (field for field, new, old in zip(fields, self, former, strict=False) if new != old)
        other_cloud = None not in (self.cloud, former.cloud) and self.cloud is not former.cloud
        return next(changed, "authentication.cloud" if other_cloud else "")


@fleet_rule("OM806", "credential-destination-changed", Severity.WARNING, unwaivable=True, by_facts=True)
def credential_destination_changed(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """A credential that was sent to one server would be sent to another."""
    if context.change is None:
        return
    by_operator: dict[str, list[_Destination]] = {}
    by_reference: dict[str, list[_Destination]] = defaultdict(list)
    for _, operator in _logging_in(context.change.fleet):
        by_operator[operator.operator] = [_Destination.of(operator)]
        for reference in _references(operator):
            by_reference[reference].append(_Destination.of(operator))
    for file, operator in _logging_in(fleet):
        now = _Destination.of(operator)
        former = [by_operator.get(operator.operator, [])]
        former += [by_reference.get(reference, []) for reference in _references(operator)]
        # A secret goes on to where it went already; what is new about an operator is told once.
        moved = next((places[0] for places in former if places and all(map(now.difference, places))), None)
        if moved is not None:
            yield FleetProblem(file, _redirected(operator, now, moved))


def _logging_in(fleet: Fleet) -> Iterator[tuple[str, Operator]]:
    for member in fleet.members:
        operator = member.operator
        if operator is not None and not isinstance(operator.authentication, NoAuthentication):
            yield member.file, operator


def _references(operator: Operator) -> set[str]:
    return {str(reference) for _, reference in operator.references() if not reference.is_literal}


def _redirected(operator: Operator, now: _Destination, former: _Destination) -> Problem:
    references = [path for path, _ in operator.references()] or ["authentication.credential.kind"]
    return Problem(
        now.difference(former),
        msg("the credential went to `{former}`, and would go to `{now}`", former=former, now=now),
        label=msg("new destination"),
        help=msg("make sure that the new server is meant to get this credential; if not, take the change back"),
        marks=tuple(Mark(path, msg("sent there")) for path in references),
    )
