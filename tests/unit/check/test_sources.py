"""What outputs get of the files that were checked, and which lines they may tell of."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsmail.check.sources import CheckedSources, SourceText
from opsmail.source.tree import MAX_BYTES
from opsmail.source.worktree import WorkTree

_SCHEMES = frozenset({"env"})

OPERATOR = """version: 1
operator: rh # a comment

sender:
  address: rh@empresa.com.br
authentication:
  type: basic
  password: env://OPSMAIL_SECRET_RH
  client_secret: hunter2
  passwd: hunter2
labels: {a: b}
"""


@pytest.fixture
def sources(tmp_path: Path) -> CheckedSources:
    return CheckedSources(WorkTree(tmp_path), _SCHEMES)


def test_lines_that_may_hold_a_secret_are_masked(tmp_path: Path, sources: CheckedSources) -> None:
    (tmp_path / "rh.yaml").write_text(OPERATOR, "utf-8")
    assert sources("rh.yaml") == SourceText(OPERATOR, frozenset({2, 9, 10}))


def test_a_waiver_is_understood_as_one(tmp_path: Path, sources: CheckedSources) -> None:
    text = "- operator: rh\n  rule: OM203\n  reasn: hunter2\n"
    (tmp_path / "waivers.yaml").write_text(text, "utf-8")
    assert sources("waivers.yaml") == SourceText(text, frozenset({3}))


def test_of_other_files_nothing_is_told(tmp_path: Path, sources: CheckedSources) -> None:
    text = 'operators = ["operators"]\n\n[policy]\n'
    (tmp_path / "opsmail.toml").write_text(text, "utf-8")
    assert sources("opsmail.toml") == SourceText(text, frozenset({1, 3}))


def test_the_text_is_what_others_read(tmp_path: Path, sources: CheckedSources) -> None:
    (tmp_path / "rh.yaml").write_bytes(b"\xef\xbb\xbfversion: 1\r\n\xff: x\r\n")
    source = sources("rh.yaml")
    assert source is not None
    assert source.text == "\ufeffversion: 1\r\n\ufffd: x\r\n"
    assert 2 in source.masked


def test_files_that_cannot_be_read(tmp_path: Path, sources: CheckedSources) -> None:
    (tmp_path / "link.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    (tmp_path / "large.yaml").write_bytes(b"\n" * (MAX_BYTES + 1))
    assert sources("link.yaml") is None
    assert sources("gone.yaml") is None
    assert sources("large.yaml") is None
    assert sources(".") is None
