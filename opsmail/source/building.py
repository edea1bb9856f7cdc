"""Parser events to data and places, in one pass with a stack of its own.

It stops at the first excess. Composing first and counting afterwards would not do: libyaml's composer ends the process
at some 30,000 nested brackets, and the pure-Python one raises RecursionError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yaml import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml._yaml import CParser

from opsmail.messages import Message, msg
from opsmail.shape import shown_name
from opsmail.source.characters import FORBIDDEN_IN_VALUE, code_point
from opsmail.source.document import Marked, ReadProblem, RelatedPlace, span_of
from opsmail.source.scalars import NOT_TEXT, Scalar, is_plain_key, is_quoted_key, resolve_plain

#: Limits of one file (a real one has some 40 nodes at depth 3).
MAX_DEPTH = 32
MAX_NODES = 10_000


class Refusal(Exception):  # noqa: N818 - a finding on its way, no error of the program
    """Reading cannot go on.

    Args:
        problem: what ends it.
    """

    def __init__(self, problem: ReadProblem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


class Builder:
    """Builds one document.

    Args:
        text: the file.
        top: what the document has to be, `dict` or `list`.
        most: how many problems to collect before giving up.
    """

    def __init__(self, text: str, top: type, most: int) -> None:
        self.keys: dict[str, Any] = {}
        self.scalars: dict[str, Any] = {}
        self.problems: list[ReadProblem] = []
        self._text = text
        self._top = top
        self._most = most
        # A file that was scanned for them already can have a control character in a value only by one of these.
        self._may_hide = "\\" in text or "\t" in text

    def build(self) -> Any:
        """Return the data, None when there is none; `problems`, `keys` and `scalars` are filled on the way.

        Raises:
            Refusal: something that ends the reading.
            yaml.MarkedYAMLError: the syntax is wrong.
        """
        parser = CParser(self._text)
        try:
            return self._stream(parser.get_event)
        finally:
            parser.dispose()

    def _stream(self, next_event: Callable[[], Any]) -> Any:
        next_event()  # the stream starts
        start = next_event()
        if type(start) is StreamEndEvent:
            return None
        if start.version or start.tags:
            raise _refusal("OM005", msg("directives (`%`) are not supported"), start, msg("delete the line"))
        root = next_event()
        _refuse_decorated(root)
        if type(root) is not (MappingStartEvent if self._top is dict else SequenceStartEvent):
            raise _wrong_top(root, self._top)
        data = self._collection(next_event)
        next_event()  # the document ends
        after = next_event()
        if type(after) is not StreamEndEvent:
            raise _refusal(
                "OM004",
                msg("a second document starts here"),
                after,
                msg("keep one operator per file; delete the `---`"),
            )
        return data

    def _collection(self, next_event: Callable[[], Any]) -> Any:
        """Read the events up to the end of the top collection, and of all inside it."""
        data = container = self._top()
        prefix = ""
        stack: list[tuple[Any, str]] = []
        nodes = 1
        keys, scalars = self.keys, self.scalars
        while True:
            event = next_event()
            kind = type(event)
            if kind is MappingEndEvent or kind is SequenceEndEvent:
                if not stack:
                    return data
                container, prefix = stack.pop()
                continue
            key = None
            if type(container) is dict:
                key = self._key(event, container, prefix)
                event = next_event()
                kind = type(event)
            path = prefix + (key or str(len(container)))
            nodes += 1 if key is None else 2
            if nodes > MAX_NODES:
                raise _excess(event, msg("more than {limit} values in one file", limit=MAX_NODES))
            if kind is AliasEvent or event.anchor or event.tag:
                _refuse_decorated(event)
            value: Any
            if kind is ScalarEvent:
                scalars[path] = event
                value = self._scalar(event)
            else:
                value = {} if kind is MappingStartEvent else []
            if key is None:
                container.append(value)
                keys[path] = event
            else:
                container[key] = value
            if kind is not ScalarEvent:
                if len(stack) == MAX_DEPTH - 1:
                    raise _excess(event, msg("nested deeper than {limit} levels", limit=MAX_DEPTH))
                stack.append((container, prefix))
                container, prefix = value, path + "."

    def _key(self, event: Any, container: dict[str, Any], prefix: str) -> str:
        if type(event) is not ScalarEvent or event.anchor or event.tag:
            _refuse_decorated(event)
            raise _refusal("OM005", msg("a key must be a word"), event, msg("write `name: value`"))
        key: str = event.value
        if not (is_quoted_key(key) if event.style else is_plain_key(key)):
            if key == "<<":
                raise _refusal("OM005", msg("merge keys (`<<`) are not supported"), event, msg("write the fields out"))
            help_ = msg("use the name of a field: letters, digits, `_` and `-`, starting with a letter")
            raise _refusal("OM005", msg("a key must be a word"), event, help_)
        if key in container:
            self._twice(key, event, self.keys[prefix + key])
        else:
            self.keys[prefix + key] = event
        return key

    def _twice(self, key: str, second: Any, first: Marked) -> None:
        name = shown_name(key)
        self._collect(
            ReadProblem(
                "OM003",
                msg("a field stands twice") if name is None else msg("`{name}` stands twice", name=name),
                span_of(second),
                help=msg("keep one of the two"),
                related=(RelatedPlace(msg("the first one is here"), span_of(first)),),
            )
        )

    def _scalar(self, event: Any) -> Scalar:
        text: str = event.value
        if event.start_mark.line != event.end_mark.line:
            self._collect(
                _problem(
                    "OM005",
                    msg("a text over several lines"),
                    event,
                    msg("write it on one line, in quotes where it needs them"),
                )
            )
        elif self._may_hide:
            self._refuse_unseen(event)
        if event.style or (text and text[0] not in NOT_TEXT):
            return text
        return resolve_plain(text)

    def _refuse_unseen(self, event: Any) -> None:
        match = FORBIDDEN_IN_VALUE.search(event.value)
        if match is not None:
            self._collect(
                _problem(
                    "OM010",
                    msg(
                        "the text contains {code_point}, a character that cannot be seen",
                        code_point=code_point(match[0]),
                    ),
                    event,
                    msg("every field is one line of visible text"),
                )
            )

    def _collect(self, problem: ReadProblem) -> None:
        if len(self.problems) < self._most:
            self.problems.append(problem)


def _refuse_decorated(event: Any) -> None:
    """Refuse an event with more than a value: in two readers it may become two things."""
    if type(event) is AliasEvent:
        what = msg("aliases (`*name`) are not supported")
    elif event.anchor:
        what = msg("anchors (`&name`) are not supported")
    elif event.tag:
        what = msg("tags (`!name`) are not supported")
    else:
        return
    raise _refusal("OM005", what, event, msg("write the value out in plain text"))


def _wrong_top(event: Any, top: type) -> Refusal:
    if top is list:
        return _refusal("OM004", msg("the file is not a list"), event, msg("start each entry with `- `"))
    remedy = msg("start with `version: 1`, then `operator: …`")
    return _refusal("OM004", msg("the file is not a mapping of fields"), event, remedy)


def _excess(event: Any, message: Message) -> Refusal:
    return _refusal("OM007", message, event, msg("an operator file needs neither depth nor length"))


def _refusal(rule: str, message: Message, event: Any, remedy: Message) -> Refusal:
    return Refusal(_problem(rule, message, event, remedy))


def _problem(rule: str, message: Message, event: Any, remedy: Message) -> ReadProblem:
    return ReadProblem(rule, message, span_of(event), help=remedy)
