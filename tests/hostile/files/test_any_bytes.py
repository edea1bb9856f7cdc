"""Any bytes become findings or a result, never an exception.

Hypothesis looks for exceptions in every run, and for longer with `--hypothesis-profile=long` (tests/conftest.py).
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsmail.errors import OpsmailError
from opsmail.settings.faults import SettingsError
from opsmail.source.reader import read_document
from opsmail.source.worktree import WorkTree
from tests.builders import operator_text, settings_of
from tests.hostile.files.contents import SLOW
from tests.hostile.files.strategies import GOOD, NAMES, SETTINGS_MUTANTS, SOUPS, TOML_SOUPS, WAIVER, mutants
from tests.hostile.files.survival import survives
from tests.hostile.files.watch import watched

pytestmark = pytest.mark.case("Y-49")


@given(st.binary(max_size=4096))
@example(b"")
@example(b"\xff\xfe")
def test_noise(content: bytes) -> None:
    survives(content)


@given(SOUPS)
def test_yaml_soup(content: str) -> None:
    survives(content.encode())


@given(mutants())
def test_a_correct_file_with_lines_changed(content: str) -> None:
    survives(content.encode())


@given(st.data())
def test_a_correct_file_with_a_part_replaced(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(GOOD)).encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    survives(text[:start] + data.draw(SOUPS.map(str.encode) | st.binary(max_size=20)) + text[end:])


@given(SOUPS | mutants((WAIVER, WAIVER * 2)) | st.binary(max_size=500).map(lambda raw: raw.decode("utf-8", "replace")))
def test_waivers(content: str) -> None:
    survives(operator_text(), waivers=content)
    read_document(content.encode(), list)


@given(st.binary(max_size=200) | (TOML_SOUPS | SETTINGS_MUTANTS).map(str.encode))
def test_settings_are_good_or_wrong(content: bytes) -> None:
    with watched() as watch:
        faults = wrong(content)
    assert watch.foreign_files() == []
    assert watch.beyond == []
    for fault in faults:
        assert fault.hint is not None


def wrong(content: bytes) -> list[OpsmailError]:
    """Return what is told of settings, nothing for good ones."""
    try:
        settings_of(content)
    except SettingsError as error:
        return [error, *error.further]
    return []


@given(
    st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=3), st.sampled_from(("file", "link", "pipe", "folder"))))
)
def test_trees(things: list[tuple[list[str], str]]) -> None:
    """Whatever lies in the operators folder, all of it is read or told, and nothing outside is opened."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "operators").mkdir()
        planted = [path for parts, kind in things if (path := plant(Path(folder), parts, kind))]
        with watched() as watch:
            files = list(WorkTree(Path(folder)).operator_files(("operators",)))
    assert watch.foreign_files(folder) == []
    found = [file.path for file in files]
    assert found == sorted(set(found))
    for path in planted:
        around = ["/".join(path.split("/")[:count]) for count in range(2, path.count("/") + 2)]
        assert set(around) & set(found), (path, found)
    for file in files:
        assert file.content in (b"", b"a: 1\n")
        assert (file.content == b"") is (file.problem is not None)


def plant(root: Path, parts: list[str], kind: str) -> str | None:
    """Put something into the operators folder; return its path where it has to be read or told."""
    path = root.joinpath("operators", *parts)
    if os.path.lexists(path):  # perhaps a pipe, which would wait for a reader
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            path.mkdir()
        elif kind == "link":
            path.symlink_to("/dev/zero")
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            path.write_bytes(b"a: 1\n")
    except (FileExistsError, NotADirectoryError):  # another one is in the place of its folder
        return None
    return None if kind == "folder" or parts[-1] == ".gitkeep" else path.relative_to(root).as_posix()


@pytest.mark.parametrize("content", SLOW.values(), ids=SLOW.keys())
def test_forms_that_make_parsers_slow(content: str) -> None:
    """Reading and telling about it takes under two seconds, whatever the form."""
    survives(content)


def test_ten_thousand_mutants_of_a_correct_file() -> None:
    """Bytes replaced, taken away and doubled at random, always in the same way: the reader itself is fast."""
    source = random.Random(1)
    text = operator_text().encode()
    for _ in range(10_000):
        mutant = bytearray(text)
        for _ in range(source.randrange(1, 4)):
            place = source.randrange(len(mutant))
            action = source.randrange(3)
            if action == 0:
                mutant[place] = source.randrange(256)
            elif action == 1:
                del mutant[place : place + source.randrange(1, 9)]
            else:
                mutant[place:place] = mutant[place : place + source.randrange(1, 9)]
        document, problems = read_document(bytes(mutant))
        assert document is not None or problems
