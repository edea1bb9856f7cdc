"""The reference of the site: what the program itself says of commands, files, rules and codes, as pages.

They are made when the site is, and never committed: `python -m tests.docs.reference` writes them into `docs/`.
"""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Callable
from gettext import NullTranslations
from importlib.resources import files
from itertools import groupby
from pathlib import Path

import click

from opsmail.check.rules import OWN_RULES
from opsmail.cli.schema import SCHEMAS, schema_text
from opsmail.findings import RuleMeta
from opsmail.mail.rules import LIVE_RULES
from tests.docs.commands import COMMANDS, LINES
from tests.docs.fields import Schema, sections, table

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: What is made in there, and nothing else is.
MADE = ("reference", "rules")

#: The first digits of rules to what they are about.
_GROUPS = {
    "OM0": "Reading",
    "OM1": "Shape",
    "OM2": "Server and port",
    "OM3": "Encryption",
    "OM4": "Authentication",
    "OM5": "Sender",
    "OM6": "Secrets",
    "OM7": "The fleet",
    "OM8": "Waivers and changes",
    "OM9": "Live tests",
}
_CODES = re.compile(r"^\| exit code \| meaning \|\n(?:\|.*\n)+", re.MULTILINE)


def pages() -> dict[str, str]:
    """Return each page's path below `docs/`, and its text."""
    rules = {f"rules/{meta.id}.md": _rule(meta) for meta in metas()}
    schemas = {f"reference/{name}.schema.json": schema_text(name) for name in SCHEMAS}
    return {
        "reference/commands.md": _commands(),
        "reference/operator-file.md": _fields("The operator file", _OPERATOR, "operator", "The file"),
        "reference/settings.md": _fields("Settings", _SETTINGS, "settings", "The file"),
        "reference/exit-codes.md": _exit_codes(),
        "reference/schemas.md": _schemas(),
        "rules/index.md": _rules(),
        **rules,
        **schemas,
    }


def write(folder: Path) -> None:
    """Write the pages below a folder, in the place of those that an earlier run wrote."""
    for name in MADE:
        shutil.rmtree(folder / name, ignore_errors=True)
    for path, text in pages().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def metas() -> list[RuleMeta]:
    """Return every rule of opsmail's own, by id."""
    return sorted([*OWN_RULES.metas().values(), *LIVE_RULES.values()], key=lambda meta: meta.id)


# --- commands

_COMMANDS = """\
# Commands

Each command explains itself: `opsmail check --help`. Results go to standard output, or with `--format NAME:FILE` to a
file; progress and summaries go to standard error. [Exit codes](exit-codes.md) are the same everywhere.
"""
_COMMON = "## Options of every command\n\n"


def _commands() -> str:
    shared = set.intersection(*(_options(command) for command in LINES.values()))
    first = next(iter(LINES.values()))
    parts = [_COMMANDS, _COMMON + _table(first, lambda text: text in shared)]
    for words, command in COMMANDS.items():
        if len(words) > 1:
            parts.append(_command(" ".join(words), command, shared))
    return "\n".join(parts)


def _command(name: str, command: click.Command, shared: set[str]) -> str:
    usage = " ".join([name, *command.collect_usage_pieces(click.Context(command, info_name=name))])
    text = f"## {name}\n\n{_escaped(inspect.cleandoc(command.help or ''))}\n\n```text\n{usage}\n```\n"
    if _options(command) - shared:
        text += f"\n{_table(command, lambda option: option not in shared)}"
    if command.epilog is not None:
        text += f"\n```console\n$ {command.epilog.partition(':')[2].strip()}\n```\n"
    return text


def _options(command: click.Command) -> set[str]:
    return {_spelling(item) for item in command.params if isinstance(item, click.Option)}


def _spelling(option: click.Option) -> str:
    return ", ".join([*option.opts, *option.secondary_opts])


def _table(command: click.Command, wanted: Callable[[str], bool]) -> str:
    context = click.Context(command)
    rows = []
    for option in command.params:
        record = option.get_help_record(context)
        if isinstance(option, click.Option) and record is not None and wanted(_spelling(option)):
            spelling, text = (part.replace("|", "\\|") for part in record)
            rows.append(f"| `{spelling}` | {_escaped(text)} |\n")
    return "".join(["| option | does |\n|---|---|\n", *rows])


def _escaped(text: str) -> str:
    """Return a text of the help, in which brackets and stars are no Markdown."""
    return text.replace("<", "&lt;").replace("[", "\\[").replace("*", "\\*")


# --- files

_OPERATOR = """\
Each operator has a file of its own, `operators/<operator>.yaml`. Editors show this as one types: the first line names
the [schema](schemas.md). `opsmail new` writes a file to start from.
"""
_SETTINGS = """\
`opsmail.toml` at the repository's root belongs to IT. Everything has a default, and unknown settings are errors.
`opsmail settings` prints what is in force and where it comes from. `[environments.NAME]` may hold everything that is
different in one environment, which `--env NAME` chooses: tables are merged, lists replaced.
"""
_SCHEMAS = """\
# Schemas

JSON Schemas of the files that people write, for editors, and of the JSON that opsmail writes, for programs. They hold
under draft-07 and 2020-12.

```console
$ opsmail schema operator --write schemas
```

| schema | title | what it describes |
|---|---|---|
"""


def _fields(title: str, text: str, name: str, top: str) -> str:
    schema: Schema = SCHEMAS[name]()
    parts = [f"# {title}\n", text]
    for section in sections(schema, top):
        if section.name.startswith("`environments"):  # what it may hold stands above
            continue
        parts += [f"## {section.name}\n", *([f"{section.text}\n"] if section.text else []), table(section)]
    return "\n".join(parts)


def _schemas() -> str:
    parts = [_SCHEMAS]
    for name in SCHEMAS:
        schema = SCHEMAS[name]()
        parts.append(f"| [`{name}`]({name}.schema.json) | {schema['title']} | {schema['description']} |\n")
    return "".join(parts)


def _exit_codes() -> str:
    (codes,) = _CODES.findall((ROOT / "README.md").read_text("utf-8"))
    return (
        "# Exit codes\n\nThey are the same for every command. 1 beats 4 where both happened: something is wrong, "
        f"whatever else could not be found out.\n\n{codes}"
    )


# --- rules


_RULES = """\
# Rules

`opsmail rule OM201` shows the same pages. A rule's id is never given to another one. What is marked ● can be neither
waived nor ignored, lowered or put into a baseline. [Rules of your own](../own-rules.md) join them.
"""


def _rules() -> str:
    parts = [_RULES]
    for group, members in groupby(metas(), key=lambda meta: meta.id[:3]):
        rows = [f"| [{meta.id}]({meta.id}.md) | {meta.name} | {_severity(meta)} |\n" for meta in members]
        parts.append(f"## {_GROUPS[group]}\n\n| rule | name | severity |\n|---|---|---|\n{''.join(rows)}")
    return "\n".join(parts)


def _severity(meta: RuleMeta) -> str:
    return f"{meta.severity.word.render(NullTranslations())}{' ●' if meta.unwaivable else ''}"


def _rule(meta: RuleMeta) -> str:
    return files("opsmail").joinpath("data", "rules", f"{meta.id}.md").read_text("utf-8")


if __name__ == "__main__":
    write(DOCS)
