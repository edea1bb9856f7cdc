"""The strict reader: any bytes become one document with places, or problems with places.

It works on parser events and stops at the first excess. Composing first and counting afterwards would not do: libyaml's composer ends the process
at some 30,000 nested brackets, and the pure-Python one raises RecursionError.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml._yaml import CParser

from opsmail.findings import Edit, Span
from opsmail.messages import Message, msg
from opsmail.source.characters import FORBIDDEN_IN_FILE, FORBIDDEN_IN_VALUE
from opsmail.source.document import Document, Place, ReadProblem, RelatedPlace
from opsmail.source.scalars import Scalar, resolve_plain

#: Limits of one operator file (a real one has some 600 bytes, 40 nodes, depth 3).
MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 10_000
#: More findings of one kind in one file help nobody.
MAX_REPEATED = 20

_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def read_document(content: bytes, top: type = dict) -> tuple[Document | None, list[ReadProblem]]:
    """Read one YAML file.

    Args:
        content: the file's bytes, as they are.
        top: what the document has to be, `dict` or `list`.

    Returns:
        The document, or None when it cannot be taken as one; and every problem found, in the order of the file.
    """
    if len(content) > MAX_BYTES:
        return None, [too_large()]
    text, problems = _decode(content)
    if text is None:
        return None, problems
    if not text.strip():
        return None, [
            ReadProblem("OM001", msg("the file is empty"), help=msg("delete it, or describe one operator in it"))
        ]
    unseen = _unseen_characters(text)
    if unseen:
        return None, problems + unseen
    builder = _Builder(text, top)
    try:
        builder.build()
    except yaml.YAMLError as error:
        builder.problems.append(_syntax_problem(error, text))
    except _Stop as stop:
        builder.problems.append(stop.problem)
    problems += builder.problems
    if builder.problems or builder.document is None:
        return None, problems
    return builder.document, problems


def too_large() -> ReadProblem:
    """The problem of a file that is over the limit of bytes."""
    return ReadProblem(
        "OM007",
        msg("the file is larger than {limit} KiB", limit=MAX_BYTES // 1024),
        help=msg("an operator file describes one operator; split or shorten it"),
    )


def _decode(content: bytes) -> tuple[str | None, list[ReadProblem]]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return None, [_not_utf8(msg("the file is {encoding}, not UTF-8", encoding=encoding))]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = msg("byte {offset} of the file is not UTF-8", offset=error.start)
        return None, [_not_utf8(message, Span(line, column, line, column + 1))]
    if not text.startswith("\ufeff"):
        return text, []
    problem = ReadProblem(
        "OM006",
        msg("the file starts with a byte-order mark"),
        Span(1, 1, 1, 2),
        help=msg("save it as UTF-8 without a byte-order mark"),
        edits=(Edit(Span(1, 1, 1, 2), ""),),
    )
    return text[1:], [problem]


def _not_utf8(message: Message, span: Span = Span(1, 1, 1, 1)) -> ReadProblem:
    return ReadProblem("OM006", message, span, help=msg("save the file as UTF-8"))


def _unseen_characters(text: str) -> list[ReadProblem]:
    problems = []
    for match in FORBIDDEN_IN_FILE.finditer(text):
        start = match.start()
        line = text.count("\n", 0, start) + 1
        column = start - (text.rfind("\n", 0, start) + 1) + 1
        problems.append(
            ReadProblem(
                "OM010",
                msg("invisible character {code_point}", code_point=code_point(match.group()[0])),
                Span(line, column, line, column + 1),
                help=msg("delete it: a reviewer cannot see it, and some readers take it for a line end"),
            )
        )
        if len(problems) == MAX_REPEATED:
            break
    return problems


def code_point(character: str) -> str:
    """Return `U+202E` for a character that must not be printed."""
    return f"U+{ord(character):04X}"


def _syntax_problem(error: yaml.YAMLError, text: str) -> ReadProblem:
    """Put the parser's reason at its place; the line itself is not repeated, since what broke the syntax may be a password."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "not valid YAML"
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    # The parser may stand behind the last line.
    line = min(line, text.count("\n") + 1)
    explained, remedy = _explain(str(reason))
    return ReadProblem("OM002", explained, Span(line, column, line, column + 1), help=remedy)


def _explain(reason: str) -> tuple[Message, Message]:
    """Return libyaml's reason in plain words, and what to do."""
    known = {
        "mapping values are not allowed in this context": (
            msg("a second `: ` on one line"),
            msg("put text that contains `: ` in quotes, or check the indentation of this line"),
        ),
        "found character that cannot start any token": (
            msg("a character that cannot start a value"),
            msg("put text that starts with a special character in quotes, and indent with spaces"),
        ),
        "found a tab character that violates indentation": (
            msg("a tab used for indentation"),
            msg("indent with spaces"),
        ),
        "found invalid Unicode character escape code": (
            msg("an escape for half a character"),
            msg("write the character itself instead of its escape"),
        ),
        "did not find expected <document start>": (
            msg("more text after the end of the document"),
            msg("keep one operator per file"),
        ),
        "did not find expected key": (
            msg("this line is not indented like the lines it belongs to"),
            msg("give all fields of a section the same indentation"),
        ),
        "could not find expected ':'": (
            msg("a field without `:`"),
            msg("write `name: value`, with a space after the colon"),
        ),
        "found unexpected end of stream": (msg("a quote or bracket is never closed"), msg("close it")),
        "did not find expected ',' or '}'": (msg("a `{` is not closed"), msg("close it, or write one field per line")),
        "did not find expected ',' or ']'": (msg("a `[` is not closed"), msg("close it")),
        "found unknown escape character": (
            msg("an unknown escape after a backslash"),
            msg("use single quotes, in which a backslash is only a backslash"),
        ),
    }
    fallback = (msg("not valid YAML: {reason}", reason=reason), msg("compare the line with a file that works"))
    return known.get(reason, fallback)


class _Stop(Exception):
    """Reading cannot go on; carries the problem that ends it."""

    def __init__(self, problem: ReadProblem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


class _Builder:
    """Builds data and places from parser events in one pass, with its own stack."""

    def __init__(self, text: str, top: type) -> None:
        self.text = text
        self.top = top
        self.problems: list[ReadProblem] = []
        self.document: Document | None = None
        self.keys: dict[str, Place] = {}
        self.scalars: dict[str, Place] = {}
        # Escapes, block scalars and tabs are the only ways for a control character to reach a value of a file that was scanned already.
        self.may_hide_controls = "\\" in text or "\t" in text or "|" in text or ">" in text

    def build(self) -> None:
        parser = CParser(self.text)
        try:
            self._read_stream(parser.get_event)
        finally:
            parser.dispose()

    def _read_stream(self, next_event: Any) -> None:
        next_event()  # stream start
        start = next_event()
        if isinstance(start, yaml.StreamEndEvent):
            raise _Stop(
                ReadProblem(
                    "OM001", msg("the file has only comments"), help=msg("delete it, or describe one operator in it")
                )
            )
        if start.version or start.tags:
            raise _Stop(
                ReadProblem(
                    "OM005", msg("YAML directives (`%`) are not supported"), _span(start), help=msg("delete the line")
                )
            )
        root = next_event()
        self._refuse_decorated(root)
        if not isinstance(root, yaml.MappingStartEvent if self.top is dict else yaml.SequenceStartEvent):
            raise _Stop(_wrong_top(root, self.top))
        data = self._read_collection(next_event)
        next_event()  # document end
        after = next_event()
        if not isinstance(after, yaml.StreamEndEvent):
            raise _Stop(
                ReadProblem(
                    "OM004",
                    msg("a second document starts here"),
                    _span(after),
                    help=msg("keep one operator per file; delete the `---`"),
                )
            )
        self.document = Document(self.text, data, self.keys, self.scalars)

    def _read_collection(self, next_event: Any) -> Any:
        """Read the events up to the end of the top collection, and of all inside it."""
        data = self.top()
        container: Any = data
        prefix = ""
        key: str | None = None
        stack: list[tuple[Any, str, str | None]] = []
        nodes = 1
        keys, scalars = self.keys, self.scalars
        scalar_event, mapping_start = yaml.ScalarEvent, yaml.MappingStartEvent
        collection_end = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        while True:
            event = next_event()
            kind = type(event)
            if kind in collection_end:
                if not stack:
                    return data
                container, prefix, key = stack.pop()
                continue
            nodes += 1
            if nodes > MAX_NODES:
                raise _Stop(_excess(event, msg("more than {limit} values in one file", limit=MAX_NODES)))
            if kind is yaml.AliasEvent or event.anchor or event.tag:
                self._refuse_decorated(event)
            is_mapping = type(container) is dict
            if is_mapping and key is None:
                key = self._read_key(event, container, prefix)
                continue
            path = prefix + key if is_mapping else f"{prefix}{len(container)}"  # type: ignore[operator]  # a key was read
            if kind is scalar_event:
                start, end = event.start_mark, event.end_mark
                scalars[path] = Place((start.line, start.column, start.index), (end.line, end.column, end.index))
                value: Any = self._scalar(event)
                if is_mapping:
                    container[key] = value
                    key = None
                else:
                    container.append(value)
                continue
            value = {} if kind is mapping_start else []
            if is_mapping:
                container[key] = value
                key = None
            else:
                container.append(value)
                keys[path] = _place(event)
            stack.append((container, prefix, key))
            if len(stack) >= MAX_DEPTH:
                raise _Stop(_excess(event, msg("nested deeper than {limit} levels", limit=MAX_DEPTH)))
            container, prefix, key = value, path + ".", None

    def _read_key(self, event: Any, container: dict[str, Any], prefix: str) -> str:
        if type(event) is not yaml.ScalarEvent:
            raise _Stop(
                ReadProblem("OM005", msg("a key must be a word"), _span(event), help=msg("write `name: value`"))
            )
        key: str = event.value
        plain = not event.style
        if plain and key == "<<":
            raise _Stop(
                ReadProblem(
                    "OM005", msg("merge keys (`<<`) are not supported"), _span(event), help=msg("write the fields out")
                )
            )
        if plain and not isinstance(resolve_plain(key), str):
            raise _Stop(
                ReadProblem("OM005", msg("a key must be a word"), _span(event), help=msg("use the name of a field"))
            )
        self._refuse_controls(event)
        path = prefix + key
        if key in container:
            self._duplicate(path, event)
        else:
            self.keys[path] = _place(event)
        return key

    def _duplicate(self, path: str, event: Any) -> None:
        if len(self.problems) >= MAX_REPEATED:
            return
        first = RelatedPlace(msg("the first one is here"), self.keys[path].span)
        self.problems.append(
            ReadProblem(
                "OM003",
                msg("`{path}` stands twice", path=path),
                _span(event),
                help=msg("keep one of the two"),
                related=(first,),
            )
        )

    def _scalar(self, event: Any) -> Scalar:
        if not event.style:
            value = resolve_plain(event.value)
            if not self.may_hide_controls or not isinstance(value, str):
                return value
        if self.may_hide_controls:
            self._refuse_controls(event)
        text: str = event.value
        return text

    def _refuse_controls(self, event: Any) -> None:
        match = FORBIDDEN_IN_VALUE.search(event.value)
        if match is not None and len(self.problems) < MAX_REPEATED:
            self.problems.append(
                ReadProblem(
                    "OM010",
                    msg(
                        "the text contains {code_point}, a character that cannot be seen",
                        code_point=code_point(match.group()),
                    ),
                    _span(event),
                    help=msg("every field is one line of visible text"),
                )
            )

    def _refuse_decorated(self, event: Any) -> None:
        if type(event) is yaml.AliasEvent:
            what = msg("aliases (`*name`) are not supported")
        elif event.anchor:
            what = msg("anchors (`&name`) are not supported")
        elif event.tag:
            what = msg("tags (`!name`) are not supported")
        else:
            return
        raise _Stop(ReadProblem("OM005", what, _span(event), help=msg("write the value out in plain text")))


def _wrong_top(event: Any, top: type) -> ReadProblem:
    if top is list:
        return ReadProblem("OM004", msg("the file is not a list"), _span(event), help=msg("start each entry with `- `"))
    remedy = msg("start with `version: 1`, then `operator: …`")
    return ReadProblem("OM004", msg("the file is not a mapping of fields"), _span(event), help=remedy)


def _excess(event: Any, message: Message) -> ReadProblem:
    return ReadProblem("OM007", message, _span(event), help=msg("an operator file needs neither depth nor length"))


def _place(event: Any) -> Place:
    start, end = event.start_mark, event.end_mark
    return Place((start.line, start.column, start.index), (end.line, end.column, end.index))


def _span(event: Any) -> Span:
    """The event's place, cut to its first line."""
    start, end = event.start_mark, event.end_mark
    end_column = end.column + 1 if end.line == start.line and end.column > start.column else start.column + 2
    return Span(start.line + 1, start.column + 1, start.line + 1, end_column)
