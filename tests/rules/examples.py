"""The examples of the rules' pages as something to run; how they are written is told in `opsmail.check.pages`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from opsmail.check.comparison import compare, judging
from opsmail.check.engine import check
from opsmail.check.fixing.rounds import Fixed, fix_all
from opsmail.check.interface import Context
from opsmail.check.pages import Block, RulePage
from opsmail.check.result import CheckResult
from opsmail.findings import Finding, FixSafety, Span
from opsmail.providers import Providers, load_providers
from opsmail.secrets import Secrets, known_schemes
from opsmail.secrets.env import EnvironmentSecrets
from opsmail.secrets.trial import SecretTrial
from opsmail.settings.environments import load_environments
from opsmail.settings.load import load_settings
from opsmail.source.tree import SourceFile
from opsmail.source.worktree import WorkTree
from tests.builders import write_files

#: The day of examples that name none.
DAY = date(2026, 6, 1)

_HEADER = re.compile(
    r"# (?P<path>[^\s,]+)"
    r"(?P<before>, before)?"
    r"(?:, checked on (?P<day>\d{4}-\d{2}-\d{2}))?"
    r"(?:, saved as (?P<encoding>[A-Z0-9-]+))?"
    r"(?:, with (?P<escape>\\u[0-9A-F]{4}) written out)?"
)
#: Names the block of an example that has environment variables.
ENVIRONMENT = "environment"
_MARK = re.compile(r"(?P<indent> *)#(?P<gap> *)(?P<sign>\^+|-+)(?: (?P<text>\S.*))?")
_KEY = re.compile(r"([a-z_]+):")
_BASE = {
    "version": "version: 1",
    "operator": "operator: {name}",
    "sender": "sender:\n  address: {name}@empresa.com.br",
    "server": "server:\n  host: smtp.empresa.com.br\n  port: 587\n  encryption: starttls",
    "authentication": "authentication:\n  type: basic\n  username: {name}@empresa.com.br\n"
    "  password: env://OPSMAIL_SECRET_{variable}",
}


class Marked(NamedTuple):
    """A marked place, and the text that is shown there."""

    file: str
    span: Span
    text: str


@dataclass(frozen=True)
class Example:
    """Files, those of them that were others before the change, a day, and what the check has to find."""

    files: dict[str, bytes] = field(default_factory=dict)
    before: dict[str, bytes] = field(default_factory=dict)
    day: date = DAY
    findings: tuple[Marked, ...] = ()
    related: tuple[Marked, ...] = ()
    says_master: bool = False

    @property
    def environment(self) -> dict[str, str]:
        lines = self.files.get(ENVIRONMENT, b"").decode().splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))

    @property
    def operators(self) -> list[str]:
        return [path for path in self.files if path.startswith("operators/")]


@cache
def _providers() -> Providers:
    return load_providers()


def example(page: RulePage, title: str) -> Example:
    """Return the example in one section of a page."""
    result = Example()
    for piece in page.section(title).pieces():
        if isinstance(piece, Block):
            result = _with(result, piece)
    if title == "Good example":
        bad = example(page, "Bad example")
        kept = {path: content for path, content in bad.files.items() if not path.startswith("operators/")}
        result = replace(result, files={**kept, **result.files}, before={**bad.before, **result.before})
    return result


def run(rule: str, shown: Example, root: Path) -> list[Finding]:
    """Check an example as `opsmail check` would, and return what is not waived."""
    whole = rule.startswith(("OM7", "OM8"))
    files = {path: content for path, content in shown.files.items() if path != ENVIRONMENT}
    if whole and not shown.operators:
        files["operators/rh.yaml"] = complete("operators/rh.yaml", []).encode()
    if whole and not shown.says_master:
        files["operators/agendador.yaml"] = complete("operators/agendador.yaml", ["role: master"]).encode()
    tree = WorkTree(write_files(root, files))
    if shown.before:
        write_files(root / "before", {**files, **shown.before})
    context = _context(shown, root)
    if rule == "OM606":
        context = replace(context, try_secrets=SecretTrial(Secrets({"env": EnvironmentSecrets(shown.environment)})))
    result = check(tree.operator_files(["operators"]), context, whole=whole)
    return [finding for finding in result.findings if finding.waived is None]


def fixed(rule: str, shown: Example, root: Path) -> Fixed:
    """Fix an example that was run, as `opsmail check --fix --unsafe-fixes` would."""
    context = _context(shown, root)

    def look(files: Iterable[SourceFile], waivers: bytes | None) -> CheckResult:
        return check(files, context.with_waivers(waivers), whole=rule.startswith(("OM7", "OM8")))

    return fix_all(WorkTree(root).operator_files(["operators"]), context.own.waivers, look, frozenset(FixSafety))


def _context(shown: Example, root: Path) -> Context:
    """Return the circumstances of an example whose files are written; with former ones, those of `--base`."""
    tree = WorkTree(root)
    context = Context(load_settings(tree), _providers(), shown.day, known_schemes())
    if not shown.before:
        return context
    former = WorkTree(root / "before")
    before, after = load_environments(former), load_environments(tree)
    settings = judging(after["default"], before["default"])
    here = replace(context, settings=settings, written=after["default"])
    return compare(here, former.operator_files(["operators"]), before, after).context


def complete(path: str, lines: list[str]) -> str:
    """Return an operator file: the lines, and the sections that they lack."""
    name = Path(path).stem
    present = {match[1] for line in lines if (match := _KEY.match(line))}
    variable = name.upper().replace("-", "_").replace(".", "_")
    missing = [text.format(name=name, variable=variable) for key, text in _BASE.items() if key not in present]
    return "\n".join([*lines, *missing]) + "\n"


def _with(before: Example, block: Block) -> Example:
    header = _HEADER.fullmatch(block.lines[0])
    assert header is not None, f"the first line of a block names its file: {block.lines[0]!r}"
    path = header["path"]
    lines = [block.lines[0], *(_plain(line, header["escape"]) for line in block.lines[1:])]
    if path.endswith(".json"):  # JSON has no comments
        lines[0] = ""
    keys = [match[1] for line in lines if (match := _KEY.match(line))]
    is_piece = path.startswith("operators/") and bool(keys) and "version" not in keys
    text = complete(path, lines) if is_piece else "\n".join(lines) + "\n"
    marks = list(_marks(path, block.lines, header["escape"]))
    findings = [mark for sign, mark in marks if sign == "^"]
    related = [mark for sign, mark in marks if sign == "-"]
    content = {path: text.encode(header["encoding"] or "utf-8")}
    if header["before"]:
        return replace(before, before={**before.before, **content})
    return Example(
        {**before.files, **content},
        before.before,
        date.fromisoformat(header["day"]) if header["day"] else before.day,
        (*before.findings, *findings),
        (*before.related, *related),
        before.says_master or "role" in keys,
    )


def _plain(line: str, escape: str | None) -> str:
    """The line as the file has it: with the character that the page writes out."""
    return (
        line
        if escape is None or _MARK.fullmatch(line)
        else line.replace(escape, escape.encode("ascii").decode("unicode_escape"))
    )


def _marks(path: str, lines: tuple[str, ...], escape: str | None) -> Iterator[tuple[str, Marked]]:
    number, marked = 0, ""
    for row, line in enumerate(lines, 1):
        match = _MARK.fullmatch(line)
        if match is None:
            number, marked = row, line
            continue
        first, last = match.span("sign")
        if not match["gap"]:
            first, last = first - 1, last - (last - first == 1)
        start, end = (len(_plain(marked[:column], escape)) for column in (first, last))
        yield match["sign"][0], Marked(path, Span(number, start + 1, number, end + 1), match["text"] or "")
