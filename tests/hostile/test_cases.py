"""Every hostile case has a test, and the page tells what came of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.hostile.catalogue import Case, Catalogue, Group, load
from tests.hostile.report import OPTION, HostileReport, page, pytest_collection_modifyitems

TESTS = Path(__file__).parents[1]
CATALOGUE = Catalogue(
    (
        Group(
            "one",
            "First things",
            "About them.",
            (
                Case("A-01", "this | that", "refused"),
                Case("A-02", "else", "accepted", known_failure="it is not"),
                Case("A-03", "more", "nothing", not_applicable="there is none"),
            ),
        ),
    )
)


def named() -> Iterator[str]:
    """Yield the ids that tests name: in the source, so that it does not matter which tests run."""
    suites = [TESTS / "hostile/files/contents.py", *TESTS.glob("conformance/[!t]*.py")]
    for source in [*TESTS.rglob("test_*.py"), *suites]:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"case", "pytest.mark.case"}:
                yield from (str(item.value).partition(" ")[0] for item in node.args if isinstance(item, ast.Constant))


def test_every_case_that_needs_one_has_a_test() -> None:
    assert sorted(load().tested() - set(named())) == []


def test_ids_are_a_letter_of_their_group_and_a_number() -> None:
    for group in load().groups:
        assert {re.sub(r"-\d\d$", "", case.id) for case in group.cases} == {group.cases[0].id[0]}


class TestItems:
    @staticmethod
    def item(*marks: pytest.MarkDecorator) -> Any:
        found = [mark.mark for mark in marks]
        return SimpleNamespace(
            nodeid="x", iter_markers=lambda name: found, user_properties=[], extra_keyword_matches=set()
        )

    def test_carry_their_cases(self) -> None:
        item = self.item(pytest.mark.case("Y-02", "Y-01"), pytest.mark.case("Y-01"))
        pytest_collection_modifyitems([item])
        assert item.user_properties == [("case", "Y-01"), ("case", "Y-02")]
        assert item.extra_keyword_matches == {"Y-01", "Y-02"}

    def test_cannot_be_for_a_case_that_is_not_there(self) -> None:
        with pytest.raises(pytest.UsageError, match="no case 'Y-99'"):
            pytest_collection_modifyitems([self.item(pytest.mark.case("Y-99"))])


class TestReport:
    """A run is stood for by its results."""

    PASSED = ({"A-01": "passed"}, {"A-01": "passed"}, {"A-02": "xfailed"})

    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        return tmp_path / "docs" / "page.md"

    def run(self, place: Path, results: Sequence[dict[str, str]], *, write: bool = False) -> tuple[int, str]:
        """Return the exit code and what is said."""
        report = HostileReport(CATALOGUE, place, write=write)
        for result in results:
            for id_, outcome in result.items():
                told = SimpleNamespace(
                    user_properties=[("case", id_), ("other", 1)],
                    failed=outcome == "failed",
                    skipped=outcome in {"skipped", "xfailed"},
                    **({"wasxfail": "reason"} if outcome == "xfailed" else {}),
                )
                report.pytest_runtest_logreport(cast("pytest.TestReport", told))
        session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
        report.pytest_sessionfinish(cast("pytest.Session", session))
        said: list[str] = []
        terminal = SimpleNamespace(write_line=said.append)
        report.pytest_terminal_summary(cast("pytest.TerminalReporter", terminal))
        return int(session.exitstatus), "\n".join(said).replace(str(place), "PAGE")

    def test_a_complete_run_writes_the_page(self, place: Path) -> None:
        assert self.run(place, self.PASSED, write=True) == (0, "PAGE was written")
        text = place.read_text("utf-8")
        assert "\n| [First things](#first-things) | 3 | 1 | 1 | 1 |\n" in text
        assert "\n| A-01 | this \\| that | refused | survived |\n" in text
        assert "\n| A-02 | else | accepted | known failure: it is not |\n" in text
        assert text.endswith("| A-03 | more | nothing | not applicable: there is none |\n")
        assert self.run(place, self.PASSED) == (0, "")

    @pytest.mark.parametrize("text", [None, "", "an older page\n"])
    def test_a_page_that_differs_fails_the_run(self, place: Path, text: str | None) -> None:
        if text is not None:
            place.parent.mkdir()
            place.write_text(text)
        said = f"ERROR PAGE is not what this run gives; `pytest -m case {OPTION}` writes it"
        assert self.run(place, self.PASSED) == (1, said)
        assert (place.read_text("utf-8") if place.exists() else None) == text

    @pytest.mark.parametrize(
        "more", [{"A-01": "failed"}, {"A-02": "skipped"}], ids=["a test failed", "a test was skipped"]
    )
    def test_a_run_with_failures_or_gaps_says_nothing_about_the_page(self, place: Path, more: dict[str, str]) -> None:
        assert self.run(place, [*self.PASSED, more]) == (0, "")
        (id_,) = more
        said = f"ERROR PAGE was not written: the tests of {id_} did not run or pass"
        assert self.run(place, [*self.PASSED, more], write=True) == (1, said)
        assert not place.exists()

    def test_neither_does_a_part_of_the_tests(self, place: Path) -> None:
        assert self.run(place, [{"A-01": "passed"}]) == (0, "")

    @pytest.mark.parametrize(
        ("first", "second", "wrong"), [("xfailed", "xfailed", "A-01"), ("passed", "passed", "A-02")]
    )
    def test_known_failures_are_those_of_the_catalogue(self, place: Path, first: str, second: str, wrong: str) -> None:
        said = f"ERROR cases.yaml and the tests differ on what is a known failure: {wrong}"
        assert self.run(place, [{"A-01": first}, {"A-02": second}]) == (1, said)

    def test_the_page_is_the_same_every_time(self) -> None:
        assert list(page(load())) == list(page(load()))
