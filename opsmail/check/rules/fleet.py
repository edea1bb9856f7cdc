"""OM7xx: the operators together."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.interface import Context, Fleet, FleetProblem, Mark, Problem, fleet_rule
from opsmail.check.result import Member
from opsmail.findings import Severity
from opsmail.messages import msg
from opsmail.operator.model import Role
from opsmail.settings.catalogue import environment_name

_MASTER = Role.MASTER.value


def _masters(fleet: Fleet) -> list[Member]:
    return [member for member in fleet.members if member.role == _MASTER]


@fleet_rule("OM701", "no-master", Severity.ERROR, unwaivable=True, by_facts=True)
def no_master(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """The scheduler sends with the master's settings; without one it sends nothing."""
    if not fleet.whole or not fleet.members or _masters(fleet):
        return
    yield FleetProblem(
        fleet.members[0].file,
        Problem(
            "role",
            msg("no operator is the master, so the scheduler would send nothing"),
            label=msg("no master in any file"),
            help=msg("write `role: master` in the file of the operator that the scheduler sends with"),
        ),
    )


@fleet_rule("OM702", "several-masters", Severity.ERROR, unwaivable=True, by_facts=True)
def several_masters(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """Exactly one operator is the master."""
    masters = _masters(fleet)
    if len(masters) < 2:
        return
    for member in masters:
        others = tuple(Mark("role", msg("another master"), other.file) for other in masters[:11] if other is not member)
        yield FleetProblem(
            member.file,
            Problem(
                "role",
                msg("{count} operators have `role: master`; exactly one may", count=len(masters)),
                label=msg("master"),
                help=msg("keep `role: master` where the scheduler's operator is, and delete it in the other files"),
                marks=others[:10],
            ),
        )


@fleet_rule("OM703", "master-disabled", Severity.ERROR, unwaivable=True, by_facts=True)
def master_disabled(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """A master that is switched off is no master."""
    for member in _masters(fleet):
        if member.facts is not None and not member.facts.enabled:
            yield FleetProblem(
                member.file,
                Problem(
                    "enabled",
                    msg("the master is switched off, so the scheduler would send nothing"),
                    label=msg("off"),
                    help=msg("write `enabled: true`, or make another operator the master"),
                    marks=(Mark("role", msg("master")),),
                ),
            )


@fleet_rule("OM704", "duplicate-operator", Severity.ERROR, unwaivable=True, by_facts=True)
def duplicate_operator(fleet: Fleet, context: Context) -> Iterator[FleetProblem]:
    """An id names one operator, also where only the name of its secret's variable is seen."""
    known: dict[str, Member] = {}
    for member in fleet.members:
        name = member.name
        if name is None:
            continue
        variable = environment_name(name)
        first = known.setdefault(variable, member)
        if first is not member:
            yield FleetProblem(member.file, _again(name, first, variable))


def _again(name: str, first: Member, variable: str) -> Problem:
    other = first.name or ""
    same = name.lower() == other.lower()
    return Problem(
        "operator",
        msg("the operator `{name}` is described twice", name=name)
        if same
        else msg(
            "`{name}` and `{other}` both become {variable} in the names of secrets",
            name=name,
            other=other,
            variable=variable,
        ),
        label=msg("again") if same else msg("too alike"),
        help=msg("keep one of the files, or give this operator another id") if same else msg("rename one of them"),
        marks=(Mark("operator", msg("the first one"), first.file),),
    )
