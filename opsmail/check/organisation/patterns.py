"""Patterns of the organisation's schemas, matched in time that grows with the text and never explodes.

Python's `re` tries one way after the other: `^(a+)+$` on a line of `a`s takes longer than anybody waits, and `$`
accepts a newline at the end. Here all ways are followed at once (Thompson, "Regular Expression Search Algorithm",
1968), and what was found once is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from opsmail.check.organisation.pattern_syntax import (
    Anchor,
    Character,
    Choice,
    Node,
    PatternError,
    Repetition,
    Sequence,
    Test,
    parse,
)
from opsmail.messages import msg

#: Longer texts match nothing; no field of an operator takes one.
MOST_CHARACTERS = 1000
#: Of one pattern: `{m,n}` writes its part out so many times.
_MOST_PARTS = 2000
_MOST_REMEMBERED = 5000


@dataclass(slots=True)
class _State:
    """What has to be true to go on from here, None for nothing, and where to."""

    demand: Test | Anchor | None = None
    following: list[int] = field(default_factory=list)


class Pattern:
    """One pattern, ready to be looked for.

    Args:
        text: as the schema has it.

    Raises:
        PatternError: it is wrong, too large, or says what is not supported.
    """

    def __init__(self, text: str) -> None:
        builder = _Builder()
        self._final = builder.state()
        self._first = builder.build(parse(text), self._final)
        self._states = builder.states
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def is_in(self, text: str) -> bool:
        """Whether the pattern is found anywhere in `text`, as JSON Schema demands it; never in one that is too long."""
        if len(text) > MOST_CHARACTERS:
            return False
        current = self._closed([self._first], {Anchor.START} if text else {Anchor.START, Anchor.END})
        last = len(text) - 1
        for index, character in enumerate(text):
            if self._final in current:
                return True
            current = self._step(current, character) if index < last else self._after(current, character, {Anchor.END})
        return self._final in current

    def _step(self, current: frozenset[int], character: str) -> frozenset[int]:
        known = self._known.get((current, character))
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[current, character] = self._after(current, character, set())
        return known

    def _after(self, current: frozenset[int], character: str, place: set[Anchor]) -> frozenset[int]:
        reached = [self._first]  # a match may begin anywhere
        for number in current:
            state = self._states[number]
            if callable(state.demand) and state.demand(character):
                reached += state.following
        return self._closed(reached, place)

    def _closed(self, numbers: Iterable[int], place: set[Anchor]) -> frozenset[int]:
        """Return the states, and those that follow from them at this place without a character."""
        seen: set[int] = set()
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            if number not in seen:
                seen.add(number)
                state = self._states[number]
                if state.demand is None or state.demand in place:
                    waiting += state.following
        return frozenset(seen)


class _Builder:
    """Makes the states of a pattern from its end to its beginning."""

    def __init__(self) -> None:
        self.states: list[_State] = []
        self._parts = 0

    def state(self, demand: Test | Anchor | None = None, *following: int) -> int:
        self.states.append(_State(demand, list(following)))
        return len(self.states) - 1

    def build(self, node: Node, after: int) -> int:
        """Return the state where `node` begins that goes on at `after`."""
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise PatternError(msg("it is too large: what `{m,n}` repeats counts as often"))
        if isinstance(node, Character):
            return self.state(node.test, after)
        if isinstance(node, Anchor):
            return self.state(node, after)
        if isinstance(node, Choice):
            return self.state(None, *[self.build(item, after) for item in node.nodes])
        if isinstance(node, Sequence):
            for item in reversed(node.nodes):
                after = self.build(item, after)
            return after
        return self._repetition(node, after)

    def _repetition(self, node: Repetition, after: int) -> int:
        if node.most is None:
            loop = self.state(None, after)
            self.states[loop].following.append(self.build(node.node, loop))
            first = loop
        else:
            first = after
            for _ in range(node.most - node.least):
                first = self.state(None, self.build(node.node, first), after)
        for _ in range(node.least):
            first = self.build(node.node, first)
        return first
