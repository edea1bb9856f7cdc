"""What people read in the program, wherever it is written: the messages that the catalogues translate."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

import opsmail
from opsmail.cli.face import opsmail as program
from opsmail.cli.schema import FOR_PEOPLE, SCHEMAS
from opsmail.shape.schema import prose
from tests.docs.commands import walk

PACKAGE = Path(opsmail.__file__).parent
#: Modules of click that talk to the user; the others report mistakes of programmers.
_CLICK = ("core", "decorators", "exceptions", "formatting", "parser", "termui", "types")
#: Calls that name a template: ours, and how click spells gettext.
_OURS, _CLICKS = ("msg", "msgn"), ("_", "ngettext")
#: What the system says most often, as `quoted` looks it up; other texts of it stay English.
_OF_THE_SYSTEM = (
    "Address already in use",
    "Bad file descriptor",
    "Connection refused",
    "Connection reset by peer",
    "Connection timed out",
    "Device or resource busy",
    "Directory not empty",
    "Disk quota exceeded",
    "File exists",
    "File name too long",
    "File too large",
    "Input/output error",
    "Invalid argument",
    "Is a directory",
    "Name or service not known",
    "Network is unreachable",
    "No such file or directory",
    "No route to host",
    "No space left on device",
    "Not a directory",
    "Operation not permitted",
    "Permission denied",
    "Read-only file system",
    "Resource temporarily unavailable",
    "Temporary failure in name resolution",
    "Too many levels of symbolic links",
    "Too many open files",
    "not a path",
    "not a PEM file",
)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Text:
    """One text to translate.

    Args:
        template: English.
        place: the module or file that it stands in.
        plural: the template for several, None where the text does not count.
        formatted: whether it has places to fill in.
    """

    template: str
    place: str
    plural: str | None = None
    formatted: bool = True

    @property
    def key(self) -> str | tuple[str, str]:
        """What a catalogue finds it by."""
        return self.template if self.plural is None else (self.template, self.plural)


def texts() -> Iterator[Text]:
    """Yield every text, in the order of places; one that stands in two places twice."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = f"opsmail/{path.relative_to(PACKAGE).as_posix()}"
        yield from _called(path.read_text("utf-8"), _OURS, place)
        yield from _reasons(path.read_text("utf-8"), place)
    yield from (Text(reason, "the system", formatted=False) for reason in _OF_THE_SYSTEM)
    yield from _help()
    for name in FOR_PEOPLE:
        yield from (Text(text, f"schemas/{name}.schema.json", formatted=False) for text in prose(SCHEMAS[name]()))
    for name in ("tokens.yaml", "replies.yaml"):
        for entry in yaml.safe_load((PACKAGE / "data" / name).read_text("utf-8"))["entries"]:
            for part in ("cause", "remedy"):
                yield Text(entry[part], f"opsmail/data/{name}")
    for name in _CLICK:
        source = Path(click.__file__).with_name(f"{name}.py").read_text("utf-8")
        yield from _called(source, _CLICKS, f"click/{name}.py")


def _called(source: str, names: tuple[str, ...], place: str) -> Iterator[Text]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if not (isinstance(node.func, ast.Name) and node.func.id in names):
            continue
        template, *more = (_literal(argument) for argument in node.args[:2])
        if template is None or not _speaks(template):
            continue
        counts = node.func.id in ("msgn", "ngettext")
        formatted = counts or bool(node.keywords) or node.func.id in _CLICKS
        yield Text(template, place, more[0] if counts else None, formatted)


def _reasons(source: str, place: str) -> Iterator[Text]:
    """Yield what is raised as the system raises its own texts, to be quoted: `OSError(errno.ELOOP, "it is a link")`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error"):
            reason = _literal(node.args[1]) if len(node.args) == 2 else None
            if reason is not None:
                yield Text(reason, place, formatted=False)


def _literal(node: ast.expr) -> str | None:
    value: Any = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None


def _speaks(template: str) -> bool:
    """Whether there is a word in it besides the places to fill in."""
    return _LETTER.search(re.sub(r"{[^}]*}|`[^`]*`", "", template)) is not None


def _help() -> Iterator[Text]:
    for words, command in walk(program, ("opsmail",)):
        place = f"opsmail {' '.join(words[1:])}".strip()
        for text in (command.help, command.epilog and _prose(command.epilog)):
            if text:
                yield Text(inspect.cleandoc(text), place, formatted=False)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.help:
                yield Text(inspect.cleandoc(parameter.help), place, formatted=False)


def _prose(epilog: str) -> str:
    """Return what is to be translated of a command's epilog: of an example, only the word."""
    word, separator, _ = epilog.partition(":  ")
    return word if separator else epilog
