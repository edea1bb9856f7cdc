"""What holds for every file, whatever is in it: findings or a result, in time, and nothing that must not be seen."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from gettext import NullTranslations

from opsmail.check.engine import CheckResult
from opsmail.findings import Finding
from opsmail.output.findings import json as as_json
from opsmail.output.findings import text as as_text
from opsmail.output.findings.interface import Report, Summary
from opsmail.output.style import Style
from tests.acceptance.canary import Canary
from tests.builders import SETTINGS, run_check

#: A password that somebody typed where it does not belong.
CANARY = "S3nh4-C4n4r10+/x9"
#: For one file, reading it and writing about it; measuring coverage takes its time too.
SECONDS = 2.0 if sys.gettrace() is None else 8.0

#: Control and format characters, surrogates, unassigned ones, line and paragraph separators.
_ACTING = frozenset(("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))
_CANARY = Canary({"canary": CANARY})


def survives(content: str | bytes, name: str = "rh.yaml", waivers: str | None = None) -> list[Finding]:
    """Return the findings of one file, once everything that must hold held."""
    started = time.process_time()  # the machine may have other things to do
    result = run_check({name: content}, SETTINGS, waivers=waivers)
    text, document = rendered(result)
    assert time.process_time() - started < SECONDS
    for output in (text, document):
        assert _CANARY.found(output.encode("utf-8")) is None, output
        assert {char for char in output if unicodedata.category(char) in _ACTING} <= {"\n"}, output
        assert not any(line.startswith("::") for line in output.splitlines()), output
    for finding in json.loads(document)["findings"]:
        assert finding["start"]["line"] >= 1
        assert finding["start"]["column"] >= 1
    return list(result.findings)


def rendered(result: CheckResult) -> tuple[str, str]:
    """Return a run's findings as text and as JSON."""
    report = Report(result.findings, Summary.of(result.findings, result.members))
    return as_text.render(report, NullTranslations(), Style(False)), as_json.render(
        report, NullTranslations(), Style(False)
    )


def rules(content: str | bytes, name: str = "rh.yaml") -> set[str]:
    """Return which rules find something in one file."""
    return {finding.rule.id for finding in survives(content, name)}
