"""The check of a working tree: the same findings whatever it is shared out to and whatever is remembered."""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsmail.check import memory as memory_module
from opsmail.check import processes
from opsmail.check import survey as module
from opsmail.check.cache import Cache
from opsmail.check.engine import check, conclude
from opsmail.check.interface import Context, Fleet, FleetProblem, fleet_rule
from opsmail.check.memory import Memory
from opsmail.check.organisation import rules_of
from opsmail.check.result import CheckResult
from opsmail.check.ruleset import RuleSet
from opsmail.check.single import CheckedFile, FileChecker
from opsmail.check.survey import survey
from opsmail.findings import Finding, Severity
from opsmail.messages import msg
from opsmail.settings.load import load_settings
from opsmail.source.tree import SourceFile
from opsmail.source.worktree import Listing, WorkTree
from tests.builders import SETTINGS, context_of, operator_text, write_files

FOLDERS = ("operators",)
SECRET = "S3nh4-C4n4r10"


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    """A fleet of which some are wrong: in themselves, together, and beyond reading."""
    files = {f"op{number:03}.yaml": operator_text(operator=f"op{number:03}", role="standard") for number in range(60)}
    files["op003.yaml"] = operator_text(operator="op003", server={"port": 465})
    files["op004.yaml"] = operator_text(operator="op005")
    files["op050.yaml"] = operator_text(operator="op050", verson=1, role="master")
    files["op051.yaml"] = files["op051.yaml"].replace("version: 1\n", "\ufeffversion: 1\n")
    write_files(tmp_path, {f"operators/{name}": text for name, text in files.items()})
    return WorkTree(tmp_path)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(Cache(tmp_path / "cache"), "key")


def listed(tree: WorkTree) -> Listing:
    return tree.operator_files(FOLDERS)


def context(tree: WorkTree) -> Context:
    return replace(context_of(), settings=load_settings(tree))


def surveyed(tree: WorkTree, memory: Memory | None = None, jobs: int = 1) -> CheckResult:
    return survey(listed(tree), context(tree), whole=True, waivers=True, jobs=jobs, memory=memory)


def plainly(result: CheckResult) -> object:
    """Return all that outputs see."""
    findings = [
        (str(item.message), str(item.help), str(item.label), item.excerpt, replace(item, **UNTOLD))
        for item in result.findings
    ]
    return findings, [(member.file, member.name) for member in result.members]


#: Messages may hold the same in other types.
UNTOLD: dict[str, Any] = {"message": msg(""), "help": None, "label": None}


def engine(tree: WorkTree) -> object:
    return plainly(check(list(listed(tree)), context(tree)))


def recalled(memory: Memory, tree: WorkTree) -> CheckResult | None:
    return memory.recall(tree, tree.operator_files, 1)


class TestSame:
    def test_as_the_engine_finds(self, tree: WorkTree) -> None:
        result = surveyed(tree)
        assert plainly(result) == engine(tree)
        assert {finding.rule.id for finding in result.findings} >= {
            "OM006",
            "OM101",
            "OM105",
            "OM201",
            "OM702",
            "OM704",
        }
        assert all(member.operator is None for member in result.members)

    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    @pytest.mark.parametrize("jobs", [0, 2, 5])
    def test_with_processes(self, tree: WorkTree, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "can_fork", lambda: True)
        monkeypatch.setattr(memory_module, "_FILES_PER_JOB", 15)
        assert plainly(surveyed(tree, jobs=jobs)) == engine(tree)

    def test_with_a_memory_of_all(self, tree: WorkTree, memory: Memory) -> None:
        assert recalled(memory, tree) is None
        surveyed(tree, memory)
        again = recalled(memory, tree)
        assert again is not None
        assert plainly(again) == engine(tree)
        assert plainly(surveyed(tree, memory)) == engine(tree)

    def test_with_waivers_and_settings(self, tree: WorkTree, memory: Memory) -> None:
        waiver = "- {operator: op003, rule: OM201, reason: x, approved_by: ti, expires: 2026-07-01}\n"
        write_files(tree.root, {"opsmail.toml": SETTINGS, "waivers.yaml": waiver})
        assert plainly(surveyed(tree, memory)) == engine(tree)
        again = recalled(memory, tree)
        assert again is not None
        assert plainly(again) == engine(tree)
        assert any(finding.waived for finding in again.findings)


class TestChanged:
    """Only what has changed is checked again, and everything that comes of it is found."""

    @pytest.fixture(autouse=True)
    def _looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looked: list[str] = []
        look = FileChecker.check

        def told(checker: FileChecker, files: list[SourceFile]) -> list[CheckedFile]:
            self.looked += [file.path for file in files]
            return look(checker, files)

        monkeypatch.setattr(FileChecker, "check", told)

    def after(self, tree: WorkTree, memory: Memory) -> list[str]:
        """Return which files are checked, once the result has been found to be right."""
        assert recalled(memory, tree) is None
        self.looked.clear()
        result = plainly(surveyed(tree, memory))
        looked = list(self.looked)
        assert result == engine(tree)
        again = recalled(memory, tree)
        assert again is None or plainly(again) == result
        return looked

    def test_one_file(self, tree: WorkTree, memory: Memory) -> None:
        surveyed(tree, memory)
        write_files(tree.root, {"operators/op007.yaml": operator_text(operator="op007", server={"port": 26})})
        assert self.after(tree, memory) == ["operators/op007.yaml"]
        write_files(tree.root, {"operators/op050.yaml": operator_text(operator="op050", role="standard")})
        assert self.after(tree, memory) == ["operators/op050.yaml"]

    def test_a_new_name_and_one_less(self, tree: WorkTree, memory: Memory) -> None:
        surveyed(tree, memory)
        (tree.root / "operators" / "op010.yaml").rename(tree.root / "operators" / "zz.yaml")
        assert self.after(tree, memory) == ["operators/zz.yaml"]
        (tree.root / "operators" / "zz.yaml").unlink()
        assert self.after(tree, memory) == []

    def test_two_files_that_change_places(self, tree: WorkTree, memory: Memory) -> None:
        surveyed(tree, memory)
        first, second = (tree.root / "operators" / name for name in ("op010.yaml", "op011.yaml"))
        one, other = first.read_text(), second.read_text()
        first.write_text(other)
        second.write_text(one)
        assert self.after(tree, memory) == ["operators/op010.yaml", "operators/op011.yaml"]

    def test_a_file_that_becomes_a_link(self, tree: WorkTree, memory: Memory) -> None:
        surveyed(tree, memory)
        file = tree.root / "operators" / "op010.yaml"
        file.unlink()
        file.symlink_to("op011.yaml")
        assert self.after(tree, memory) == ["operators/op010.yaml"]

    def test_a_schema_that_the_settings_name(self, tree: WorkTree, memory: Memory) -> None:
        write_files(tree.root, {"opsmail.toml": '[schema]\nextra = ["s.json"]\n', "s.json": "{}"})
        surveyed(tree, memory)
        assert recalled(memory, tree) is not None
        write_files(tree.root, {"s.json": '{"required": ["name"]}'})
        assert len(self.after(tree, memory)) == 60
        (tree.root / "s.json").unlink()
        assert recalled(memory, tree) is None

    def test_a_folder_that_is_gone(self, tree: WorkTree, memory: Memory) -> None:
        surveyed(tree, memory)
        (tree.root / "operators").rename(tree.root / "other")
        assert recalled(memory, tree) is None

    def test_a_file_that_changes_while_it_is_looked_at(self, tree: WorkTree, monkeypatch: pytest.MonkeyPatch) -> None:
        """A finding about the fleet is not placed in lines that nobody checked."""
        listing = listed(tree)

        def changed(*arguments: object, **options: object) -> CheckResult:
            items, *rest = arguments
            checked = list(items)  # type: ignore[call-overload]  # passed on
            write_files(tree.root, {"operators/op003.yaml": "# other\n" + operator_text(operator="op003")})
            return conclude(checked, *rest, **options)  # type: ignore[arg-type]  # passed on

        monkeypatch.setattr(module, "conclude", changed)
        result = survey(listing, context(tree), whole=True, waivers=True, jobs=1)
        places = {finding.file: finding.excerpt for finding in result.findings if finding.rule.id == "OM702"}
        assert places["operators/op003.yaml"] == ()
        assert places["operators/op050.yaml"]


class TestSecrets:
    """Nothing is kept of a file that may hold a secret, not even a digest to try guesses on."""

    @pytest.mark.parametrize(
        "change",
        [
            {"authentication": {"password": SECRET}},
            {"authentication": {"password": f"{SECRET.lower()}://x"}},
            {"labels": {"senha": SECRET}},
        ],
    )
    def test_in_a_field(self, tree: WorkTree, memory: Memory, change: dict[str, object]) -> None:
        self.nothing_is_kept(operator_text(operator="op009", role="standard", **change), tree, memory)

    def test_in_a_file_that_cannot_be_read(self, tree: WorkTree, memory: Memory) -> None:
        self.nothing_is_kept(f'operator: op009\npassword: "{SECRET}\n', tree, memory)

    def nothing_is_kept(self, text: str, tree: WorkTree, memory: Memory) -> None:
        write_files(tree.root, {"operators/op009.yaml": text})
        result = plainly(surveyed(tree, memory))
        assert result == engine(tree)
        assert recalled(memory, tree) is None
        assert "operators/op009.yaml" not in memory.rows(context(tree).settings)
        assert len(memory.rows(context(tree).settings)) == 59
        assert plainly(surveyed(tree, memory)) == result
        for file in memory.cache.folder.iterdir():
            assert SECRET.lower().encode() not in file.read_bytes().lower()


class TestOwnRules:
    def test_one_that_needs_operators_gets_them(
        self, tree: WorkTree, memory: Memory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        @fleet_rule("ORG001", "all-of-them", Severity.NOTE)
        def rule(fleet: Fleet, circumstances: Context) -> Iterator[FleetProblem]:
            assert all(member.operator is not None for member in fleet.members if member.facts is not None)
            return iter(())

        monkeypatch.setattr(module, "rules_of", lambda settings: rules_of(settings) + RuleSet(fleets=(rule,)))
        assert plainly(surveyed(tree, memory)) == engine(tree)
        assert not memory.cache.folder.exists()

    def test_those_of_packages_may_change_so_nothing_is_kept(
        self, tree: WorkTree, memory: Memory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "rules_of", lambda settings: rules_of(settings) + RuleSet(packages={"ORG1": "x"}))
        assert plainly(surveyed(tree, memory)) == engine(tree)
        assert not memory.cache.folder.exists()


def test_rows_are_plain(tree: WorkTree, memory: Memory) -> None:
    surveyed(tree, memory)
    row = memory.rows(context(tree).settings)["operators/op003.yaml"]
    assert marshal.loads(marshal.dumps(row)) == row  # noqa: S302 - made here
    assert isinstance(row, tuple)
    assert not isinstance(row[5][0], Finding)


def test_an_empty_listing(tmp_path: Path, memory: Memory) -> None:
    (tmp_path / "operators").mkdir()
    tree = WorkTree(tmp_path)
    assert surveyed(tree, memory) == CheckResult((), ())
    assert recalled(memory, tree) == CheckResult((), ())
