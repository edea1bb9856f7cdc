"""What holds for every file, whatever is in it: findings or a result, in time, and nothing that must not be seen."""

from __future__ import annotations

import functools
import json
import re
import sys
import time
import unicodedata
from dataclasses import dataclass
from gettext import NullTranslations
from pathlib import Path

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.check.result import CheckResult
from opsmail.findings import Finding
from opsmail.output.findings import FORMATS
from opsmail.output.findings.interface import Report, Summary
from opsmail.output.style import Style
from opsmail.source.tree import SourceFile
from tests.acceptance.canary import Canary
from tests.builders import SETTINGS, context_of
from tests.hostile.files.contents import CANARY
from tests.hostile.files.watch import Watch, watched

#: For one file, reading it and writing about it; measuring coverage takes its time too.
SECONDS = 2.0 if sys.gettrace() is None else 8.0
#: The most memory that one file may take.
MOST_BYTES = 256 * 2**20

#: Control and format characters, surrogates, line and paragraph separators.
_ACTING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
#: Format characters that are seen: signs around numbers, and what arranges hieroglyphs.
_SEEN = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\n"
) | frozenset(map(chr, range(0x13430, 0x13440)))
#: The commands of a CI job that are our own.
_OUR_COMMAND = re.compile(r"\A(?:::(?:error|warning|notice) file=|##vso\[task\.logissue type=)")
_CANARY = Canary({"canary": CANARY})
_context = functools.lru_cache(maxsize=8)(context_of)


def survives(content: str | bytes, name: str = "rh.yaml", waivers: str | None = None) -> list[Finding]:
    """Return the findings of one file, once everything that must hold held."""
    context = _context(SETTINGS, waivers=waivers)
    source = SourceFile(f"operators/{name}", content.encode() if isinstance(content, str) else content)
    memory = _Memory()
    run = _Run.of(source, context)
    if run.seconds >= SECONDS:  # the machine may have had other things to do
        run = _Run.of(source, context)
    assert run.seconds < SECONDS
    assert memory.grown() < MOST_BYTES
    assert run.watch.foreign_files() == [], run.watch.opened
    assert run.watch.beyond == [], run.watch.beyond
    assert_harmless(run.text)
    assert_harmless(run.document)
    for finding in json.loads(run.document)["findings"]:
        assert finding["start"]["line"] >= 1
        assert finding["start"]["column"] >= 1
    return list(run.result.findings)


@dataclass(frozen=True)
class _Run:
    """One reading of a file, what it gave as text and as JSON, what it asked for, and the processor's seconds."""

    result: CheckResult
    text: str
    document: str
    watch: Watch
    seconds: float

    @classmethod
    def of(cls, source: SourceFile, context: Context) -> _Run:
        started = time.process_time()
        with watched() as watch:
            result = check([source], context)
            text, document = rendered(result, "text"), rendered(result, "json")
        return cls(result, text, document, watch, time.process_time() - started)


def rendered(result: CheckResult, format_: str) -> str:
    """Return a run's findings in one format."""
    report = Report(result.findings, Summary.of(result.findings, result.members), result.members)
    return FORMATS[format_](report, NullTranslations(), Style(False))


def assert_harmless(output: str) -> None:
    """Nothing in an output acts where it is printed, and nothing of it is secret."""
    assert _CANARY.found(output.encode("utf-8")) is None, output
    acting = {char for char in output if unicodedata.category(char) in _ACTING} - _SEEN
    assert not acting, (acting, output)
    for line in output.splitlines():
        foreign = _OUR_COMMAND.sub("", line)
        assert not foreign.lstrip().startswith("::"), line
        assert "##[" not in foreign, line
        assert "##vso[" not in foreign, line


def rules(content: str | bytes, name: str = "rh.yaml") -> set[str]:
    """Return which rules find something in one file."""
    return {finding.rule.id for finding in survives(content, name)}


class _Memory:
    """How much more memory the process took since, at its peak; nothing where the system (not Linux) does not tell."""

    _RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")

    def __init__(self) -> None:
        if self._STATUS.is_file():
            self._RESET.write_bytes(b"5")  # the peak becomes what is taken now: proc(5)
        self._before = self._peak()

    def grown(self) -> int:
        """Return the bytes."""
        return self._peak() - self._before

    def _peak(self) -> int:
        if not self._STATUS.is_file():
            return 0
        line = re.search(r"VmHWM:\s*(\d+) kB", self._STATUS.read_text("ascii", "replace"))
        return int(line[1]) * 1024 if line else 0
