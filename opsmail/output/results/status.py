"""How an environment is: what is published, how old it is, what ends, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, date, datetime, timedelta
from gettext import NullTranslations

from opsmail.messages import Message, msg, msgn
from opsmail.output.escape import for_program, for_terminal, json_text
from opsmail.output.prometheus import Gauge, render
from opsmail.output.style import Style
from opsmail.publish.drift import ItemKind, State
from opsmail.values import dataclass

SCHEMA = "opsmail/status/v1"
_WIDTH = 12
_SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class Ends:
    """Something that ends.

    Args:
        kind: what it is, for programs.
        day: the last day on which it holds, in UTC.
        operator: whose; empty where it is nobody's.
        what: in words.
    """

    kind: str
    day: date
    operator: str
    what: Message

    def left(self, now: datetime) -> timedelta:
        """Return how long it still holds; less than nothing where it has ended."""
        return datetime.combine(self.day + timedelta(days=1), datetime.min.time(), UTC) - now


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What the store serves.

    Args:
        generation: the number of the published one; 0 before the first.
        epoch: of the store.
        oldest: the first generation that is kept.
        commit: that it was published from; empty before the first.
        published: when; None before the first.
        operators: how many.
        master: the master's id; None without one.
        proven: when a test send proved exactly what is published of the master; None where none is known.
        drift: what the difference to git comes to.
        differences: how many of each kind.
    """

    generation: int
    epoch: int
    oldest: int
    commit: str
    published: datetime | None
    operators: int
    master: str | None
    proven: datetime | None
    drift: State
    differences: Mapping[ItemKind, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """What an application server's snapshot has.

    Args:
        generation: its number.
        stale: whether the store serves another one; None where the store does not answer.
        confirmed: when the store last said that it is the newest.
    """

    generation: int
    stale: bool | None
    confirmed: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How an environment is.

    Args:
        environment: which.
        now: the time, in UTC.
        serving: what the store serves; None where it does not answer.
        states: how many operators, as git has them, are in which state.
        ends: what ends, the soonest first.
        snapshot: the one that was asked about; None for none, and where it cannot be read.
        problems: what is wrong, in words.
        version: of opsmail.
    """

    environment: str
    now: datetime
    serving: Serving | None
    states: Mapping[str, int]
    ends: Sequence[Ends]
    snapshot: Kept | None = None
    problems: Sequence[Message] = field(default=())
    version: str = ""


def problems_of(status: Status) -> Iterator[Message]:
    """Yield what is wrong with an environment whose store answers, in words."""
    serving = status.serving
    if serving is not None and not serving.generation:
        yield msg("nothing is published in environment {environment}", environment=status.environment)
    elif serving is not None:
        if serving.master is None:
            yield msg("no master is published that is switched on")
        elif serving.proven is None:
            yield msg("no test send is known of the master `{master}` as it is published", master=serving.master)
        if serving.drift in (State.DRIFT, State.BOTH):
            yield msg("something else than a publish changed the store: `opsmail drift` tells what")
    for item in status.ends:
        if item.left(status.now) <= timedelta():
            yield msg("ended on {day}: {what}", day=item.day.isoformat(), what=item.what)
    if status.snapshot is not None and status.snapshot.stale:
        yield msg("the snapshot has generation {number}, the store another one", number=status.snapshot.generation)


def as_text(status: Status, language: NullTranslations, style: Style) -> str:
    """Return the status; what is wrong comes first."""

    def say(message: Message) -> str:
        return for_terminal(message.render(language))

    lines = [style.paint(say(problem), "red", bold=True) for problem in status.problems]
    for label, told in _facts(status):
        lines.append(f"{style.paint(say(label).ljust(_WIDTH), 'cyan')} {say(told)}")
    return "\n".join(lines) + "\n"


def as_json(status: Status) -> str:
    """Return the same for programs."""
    serving, snapshot = status.serving, status.snapshot
    return json_text(
        {
            "schema": SCHEMA,
            "environment": status.environment,
            "time": status.now.isoformat(),
            "published": None
            if serving is None
            else {
                "generation": serving.generation,
                "epoch": serving.epoch,
                "oldest": serving.oldest,
                "commit": serving.commit,
                "time": None if serving.published is None else serving.published.isoformat(),
                "operators": serving.operators,
                "master": serving.master,
                "master_proven": None if serving.proven is None else serving.proven.isoformat(),
                "drift": serving.drift.value,
                "differences": {kind.value: count for kind, count in serving.differences.items()},
            },
            "operators": dict(status.states),
            "ends": [
                {
                    "kind": item.kind,
                    "operator": item.operator,
                    "day": item.day.isoformat(),
                    "days": item.left(status.now).days,
                    "what": for_program(str(item.what)),
                }
                for item in status.ends
            ],
            "snapshot": None
            if snapshot is None
            else {
                "generation": snapshot.generation,
                "stale": snapshot.stale,
                "confirmed": snapshot.confirmed.isoformat(),
            },
            "problems": [for_program(str(problem)) for problem in status.problems],
        }
    )


def as_prometheus(status: Status) -> str:
    """Return the figures for Prometheus."""
    return render(_gauges(status))


def _facts(status: Status) -> Iterator[tuple[Message, Message]]:
    serving, snapshot = status.serving, status.snapshot
    if serving is not None and serving.published is not None:
        yield (
            msg("published"),
            msg(
                "generation {number} for {environment}, {operators} operators, {time} ({age} ago)",
                number=serving.generation,
                environment=status.environment,
                operators=serving.operators,
                time=serving.published.isoformat(),
                age=_span(status.now - serving.published),
            ),
        )
        yield msg("kept"), msg("generation {oldest} and later", oldest=serving.oldest)
        yield msg("master"), msg("{master}", master=serving.master or "–")
        yield msg("drift"), msg("{state}", state=serving.drift.value)
    yield msg("operators"), msg("{told}", told=", ".join(f"{count} {state}" for state, count in status.states.items()))
    if snapshot is not None:
        yield (
            msg("snapshot"),
            msg(
                "generation {number}, confirmed {age} ago",
                number=snapshot.generation,
                age=_span(status.now - snapshot.confirmed),
            ),
        )
    soon = (item for item in status.ends if item.left(status.now).days <= _SOON_DAYS)
    # Operators share certificates; what ends is told once.
    for day, what in dict.fromkeys((item.day, item.what) for item in soon):
        yield msg("ends"), msg("{day}: {what}", day=day.isoformat(), what=what)


def _span(time: timedelta) -> Message:
    if time >= timedelta(days=2):
        return msgn("{count} day", "{count} days", time.days)
    return msgn("{count} minute", "{count} minutes", int(time.total_seconds() // 60))


def _gauges(status: Status) -> Iterator[Gauge]:
    where = {"environment": status.environment}

    def figure(name: str, text: str, value: float | None) -> Gauge:
        return Gauge(name, text, () if value is None else ((where, value),))

    def seconds_since(time: datetime | None) -> float | None:
        return None if time is None else (status.now - time).total_seconds()

    yield Gauge("opsmail_build_info", "The opsmail that tells.", (({"version": status.version}, 1),))
    yield figure("opsmail_status_timestamp_seconds", "When this was found.", status.now.timestamp())
    yield figure("opsmail_status_problems", "How many things are wrong.", len(status.problems))
    yield figure("opsmail_store_up", "Whether the store answers.", status.serving is not None)
    yield Gauge(
        "opsmail_operators",
        "Operators of the commit, by the state that they are in.",
        [({**where, "state": state}, count) for state, count in status.states.items()],
    )
    yield Gauge(
        "opsmail_expiry_remaining_seconds",
        "Until something ends: the soonest of each kind for each operator. Less than 0 where it has ended.",
        [({**where, "kind": kind, "operator": operator}, left) for (kind, operator), left in _soonest(status).items()],
    )
    serving = status.serving
    if serving is not None:
        yield figure("opsmail_generation", "The published generation; 0 before the first.", serving.generation)
        yield figure("opsmail_generation_oldest", "The oldest generation that is kept.", serving.oldest)
        yield Gauge(
            "opsmail_generation_info",
            "What the published generation is from.",
            (({**where, "commit": serving.commit, "epoch": str(serving.epoch)}, 1),),
        )
        age = seconds_since(serving.published)
        yield figure("opsmail_generation_age_seconds", "Since the published generation was published.", age)
        yield figure("opsmail_published_operators", "Operators that are published.", serving.operators)
        yield figure("opsmail_master_proven", "Whether a test send proved the published master.", bool(serving.proven))
        proven = seconds_since(serving.proven)
        yield figure("opsmail_master_proof_age_seconds", "Since the newest test send of that master.", proven)
        yield Gauge(
            "opsmail_drift_state",
            "What the difference between the store and git comes to: 1 for the state that it is.",
            [({**where, "state": state.value}, state is serving.drift) for state in State],
        )
        yield Gauge(
            "opsmail_drift_items",
            "Differences between the store and git.",
            [({**where, "kind": kind.value}, serving.differences.get(kind, 0)) for kind in ItemKind],
        )
    snapshot = status.snapshot
    if snapshot is not None:
        yield figure("opsmail_snapshot_generation", "The generation in the snapshot.", snapshot.generation)
        yield figure("opsmail_snapshot_stale", "Whether the store serves another one.", snapshot.stale)
        since = seconds_since(snapshot.confirmed)
        yield figure("opsmail_snapshot_age_seconds", "Since the store last confirmed the snapshot.", since)


def _soonest(status: Status) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for item in status.ends:
        key, left = (item.kind, item.operator), item.left(status.now).total_seconds()
        found[key] = min(left, found.get(key, left))
    return found
