"""Writing data into a file that people wrote: comments and the order of the fields stay, and what it says is proven."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from opsmail.errors import RefusedError
from opsmail.form.fields import form_fields
from opsmail.messages import msg
from opsmail.source.reader import read_document

#: Sections in the order of the model; fields that are new stand where a person would put them.
_SECTIONS = ("version", "operator", "name", "role", "enabled", "sender", "server", "authentication", "limits", "labels")
_INDENTED = re.compile(r"^( +)\S", re.MULTILINE)
#: Longer than any line: nothing is broken into several.
_WIDTH = 1 << 20


class NotWritableError(RefusedError):
    """The form cannot write the file without losing something."""


def written(before: str, wanted: Mapping[str, Any]) -> str:
    """Return a file that says what is wanted.

    Args:
        before: the file as it is; empty for a new one.
        wanted: the data that it has to have.

    Raises:
        NotWritableError: the result would not say exactly that.
    """
    present = read_document(before.encode())[0] if before else None
    if before and present is None:
        raise _refused()
    yaml = _writer(before)
    try:
        tree = yaml.load(before) if before else CommentedMap()
        _bring(tree, {} if present is None else present.data, wanted, "")
        stream = io.StringIO()
        yaml.dump(tree, stream)
    except (YAMLError, ValueError, TypeError, AttributeError) as error:
        raise _refused() from error
    text = stream.getvalue()
    document, problems = read_document(text.encode("utf-8", "surrogatepass"))
    if document is None or problems or document.data != wanted:
        raise _refused()
    return text


def _refused() -> NotWritableError:
    return NotWritableError(
        msg("the form cannot write this into the file without losing something"),
        hint=msg("change the file itself; `opsmail check` tells what is wrong in it"),
    )


def _writer(before: str) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    found = _INDENTED.search(before)
    indent = 2 if found is None else len(found[1])
    yaml.indent(mapping=indent, sequence=indent + 2, offset=indent)
    return yaml


def _bring(tree: CommentedMap, before: Mapping[str, Any], wanted: Mapping[str, Any], prefix: str) -> None:
    """Change a section so that it says what is wanted, and touch nothing that says it already."""
    for name in [name for name in tree if name not in wanted]:
        del tree[name]
    for name, value in wanted.items():
        there = before.get(name)
        if there == value and type(there) is type(value) and name in tree:
            continue
        if isinstance(value, Mapping):
            if not isinstance(tree.get(name), CommentedMap):
                _insert(tree, name, CommentedMap(), prefix)
            _bring(tree[name], there if isinstance(there, Mapping) else {}, value, f"{prefix}{name}.")
        elif name in tree:
            tree[name] = value
        else:
            _insert(tree, name, value, prefix)


def _insert(tree: CommentedMap, name: str, value: Any, prefix: str) -> None:
    if name in tree:
        tree[name] = value
        return
    order = _order(prefix)
    rank = order.index(name) if name in order else len(order)
    later = (index for index, other in enumerate(tree) if other in order and order.index(other) > rank)
    tree.insert(next(later, len(tree)), name, value)


def _order(prefix: str) -> Sequence[str]:
    if not prefix:
        return _SECTIONS
    below = (field.path.removeprefix(prefix) for field in form_fields() if field.path.startswith(prefix))
    return tuple(dict.fromkeys(name.partition(".")[0] for name in below))
