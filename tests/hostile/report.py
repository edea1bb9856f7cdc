"""What came of the hostile cases in a run of the tests, as a page that is committed.

A run in which the tests of every case ran, and passed, gives a page. It has to be the committed one, or the run fails;
`--hostile-report` writes it. A part of the tests proves nothing about the page and leaves it alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import pytest

from tests.hostile.catalogue import Case, Catalogue, Group, load

OPTION = "--hostile-report"
PAGE = Path("docs", "hostile-input.md")
INTRODUCTION = f"""\
# Hostile input

What is tried against opsmail, and what comes of it. This page is the result of a run of the tests:
`pytest -m case {OPTION}` writes it, and a complete run that gives another one fails. `pytest -k Y-01` runs the
tests of one case.

Whatever is in a file, it is read and told about within two seconds and 256 MiB of memory: without a traceback, a
connection, a file opened outside the repository, a character that acts where it is printed, or a byte of a secret.
"""


class Outcome(IntEnum):
    """What came of a test, and of a case the worst that came of its tests."""

    SURVIVED = 0
    KNOWN_FAILURE = 1
    SKIPPED = 2
    FAILED = 3


class HostileReport:
    """Collects outcomes where all results arrive: in the one process of a run, or in the controller of the workers.

    Args:
        catalogue: the cases.
        page: the committed page.
        write: whether to write it.
    """

    def __init__(self, catalogue: Catalogue, page: Path, *, write: bool) -> None:
        self._catalogue = catalogue
        self._page = page
        self._write = write
        self._outcomes: dict[str, set[Outcome]] = defaultdict(set)
        self._said: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the result of a test's setup, call or teardown."""
        for name, value in report.user_properties:
            if name == "case":
                self._outcomes[str(value)].add(_outcome(report))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge the run, after everything else that judges it."""
        missing = sorted(id_ for id_ in self._catalogue.tested() if not self._outcomes.get(id_))
        undecided = sorted(id_ for id_, outcomes in self._outcomes.items() if max(outcomes) >= Outcome.SKIPPED)
        if missing or undecided:
            if self._write:
                ids = ", ".join(missing + undecided)
                self._fail(session, f"{self._page} was not written: the tests of {ids} did not run or pass")
            return
        wrong = [case.id for case in self._catalogue if (case.known_failure is not None) is not self._is_known(case)]
        if wrong:
            self._fail(session, f"cases.yaml and the tests differ on what is a known failure: {', '.join(wrong)}")
            return
        text = "\n".join(page(self._catalogue))
        if self._write:
            self._page.parent.mkdir(exist_ok=True)
            self._page.write_text(text, "utf-8")
            self._said.append(f"{self._page} was written")
        elif not self._page.is_file() or self._page.read_text("utf-8") != text:
            self._fail(session, f"{self._page} is not what this run gives; `pytest -m case {OPTION}` writes it")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was written or is wrong."""
        for line in self._said:
            terminalreporter.write_line(line)

    def _is_known(self, case: Case) -> bool:
        return Outcome.KNOWN_FAILURE in self._outcomes.get(case.id, ())

    def _fail(self, session: pytest.Session, sentence: str) -> None:
        self._said.append(f"ERROR {sentence}")
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _outcome(report: pytest.TestReport) -> Outcome:
    if report.failed:
        return Outcome.FAILED
    if report.skipped:
        return Outcome.KNOWN_FAILURE if hasattr(report, "wasxfail") else Outcome.SKIPPED
    return Outcome.SURVIVED


def page(catalogue: Catalogue) -> Iterator[str]:
    """Yield the lines of the page, for a run in which everything came as the catalogue says."""
    yield INTRODUCTION
    yield from _table(
        ("group", "cases", "survived", "known failures", "not applicable"), map(_counts, catalogue.groups)
    )
    for group in catalogue.groups:
        yield ""
        yield f"## {group.title}"
        yield ""
        yield group.about
        yield ""
        rows = ((case.id, case.tried, case.expected, _told(case)) for case in group.cases)
        yield from _table(("case", "what is tried", "what must come of it", "outcome"), rows)
    yield ""


def _counts(group: Group) -> tuple[str, ...]:
    known = sum(case.known_failure is not None for case in group.cases)
    without = sum(case.not_applicable is not None for case in group.cases)
    figures = (len(group.cases), len(group.cases) - known - without, known, without)
    return (f"[{group.title}](#{group.title.lower().replace(' ', '-')})", *map(str, figures))


def _told(case: Case) -> str:
    if case.not_applicable is not None:
        return f"not applicable: {case.not_applicable}"
    return "survived" if case.known_failure is None else f"known failure: {case.known_failure}"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the page."""
    parser.addoption(OPTION, action="store_true", help=f"write {PAGE} from this run, which has to be a complete one")


def pytest_configure(config: pytest.Config) -> None:
    """Start collecting, where results arrive."""
    if not hasattr(config, "workerinput"):
        report = HostileReport(load(), config.rootpath / PAGE, write=config.getoption(OPTION))
        config.pluginmanager.register(report, "hostile-report")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test carry the ids of its cases, to the reports and for `-k`.

    Raises:
        pytest.UsageError: there is no such case, or it says that it needs no test.
    """
    known = load().tested()
    for item in items:
        for id_ in sorted({id_ for mark in item.iter_markers("case") for id_ in mark.args}):
            if id_ not in known:
                raise pytest.UsageError(f"{item.nodeid}: cases.yaml has no case {id_!r} that needs a test")
            item.user_properties.append(("case", id_))
            item.extra_keyword_matches.add(id_)
